"""MAP-Elites: the best genome of every kind, rather than the best of all.

Source: Mouret & Clune 2015 (arXiv:1504.04909), figure 2 (the basic algorithm). The map is pyribs' `GridArchive`
(Tjanaka et al. 2023), which takes a whole batch at once; EvoTorch's MAPElites compares every cell with every child. The
map holds identities; rows, which get wider as structures grow, stay here.

Elites are never measured again: where scores change from generation to generation, a cell keeps what a lucky
measurement put there until a luckier one comes. The run's champion is measured afresh in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from evo import lineage, seeds
from evo.algorithm import Algorithm
from evo.catalogue import did_you_mean
from evo.genome import Genome
from evo.outcome import Outcomes
from evo.search import Search

FORMAT = "evo.map/1"
MOST_CELLS = 2**20


@dataclass(frozen=True)
class MapElites(Algorithm):
    """Keeps the best genome of each cell of a map of features, and breeds from all of them alike.

    Only the first objective counts. Features beyond the map's range count for its last cells. Where features are whole
    numbers, `lows=(0,)`, `highs=(20,)`, `cells=(20,)` gives each number below 20 a cell, and the last to all others.

    The run leaves the map in its folder as map.json; `evo.inspect.archive_map` draws it.

    Attributes:
        features: names of the genome's features (see `Genome.features`), one per dimension of the map.
        lows, highs: the range of each feature.
        cells: how many cells each feature's range is divided into.
        population: children bred and evaluated in a generation.
        initial_population: how many are sampled for the first generation; 0 for as many as `population`.

    Raises:
        ValueError: a setting is outside its range, or there are not as many ranges as features.
    """

    name: ClassVar[str] = "map-elites"
    features: tuple[str, ...] = ("connections", "depth")
    lows: tuple[float, ...] = (0.0, 0.0)
    highs: tuple[float, ...] = (60.0, 12.0)
    cells: tuple[int, ...] = (30, 12)
    population: int = 100
    initial_population: int = 0

    def __post_init__(self) -> None:
        lengths = {len(each) for each in (self.features, self.lows, self.highs, self.cells)}
        if lengths != {len(set(self.features))} or not self.features:
            raise ValueError(
                f"MapElites: expected different features, and a low, a high and a number of cells for each, got "
                f"features={self.features}, lows={self.lows}, highs={self.highs}, cells={self.cells}"
            )
        ranges = zip(self.lows, self.highs, strict=True)
        if not all(-np.inf < low < high < np.inf for low, high in ranges):
            raise ValueError(f"MapElites: each low must be less than its high, got {self.lows} and {self.highs}")
        if min(self.cells) < 1 or np.prod(self.cells, dtype=float) > MOST_CELLS:
            raise ValueError(
                f"MapElites: expected 1 cell or more per feature, {MOST_CELLS} in all at most, got {self.cells}"
            )
        if self.population < 1 or self.initial_population < 0:
            raise ValueError(
                f"MapElites: expected population >= 1 and initial_population >= 0 (0: as many as the population), got "
                f"{self.population} and {self.initial_population}"
            )

    def run(self, search: Search) -> None:
        """Fill the map with a first generation, then breed from random elites until the generations are done."""
        elites = Elites(self, search)
        search.leave("map", elites.describe)
        genome, rows = search.genome.fit(search.sample(self.initial_population or self.population))
        elites.add(genome, rows, search.evaluate(genome, rows))
        while search.generation < search.generations:
            genome, rows = elites.children(self.population)
            elites.add(genome, rows, search.evaluate(genome, rows))


class Elites:
    """The map: for every filled cell its elite's row, scores and features, in the order the cells were filled.

    Args:
        settings: the map's features, ranges and cells.
        search: whose genomes fill it.

    Attributes:
        archive: pyribs' archive of identities.
        genome: whose layout the rows have.
        cells: `[filled]` the number of each elite's cell in the archive.
        rows: `[filled, L]`.
        scores: `[filled, objectives]` in the problem's own directions.
        measures: `[filled, features]`.
    """

    def __init__(self, settings: MapElites, search: Search) -> None:
        self.settings, self.search = settings, search
        self.archive = grid(settings)
        self.genome = search.genome
        self.cells: list[int] = []
        self.rows = torch.empty(0, 0)
        self.scores = torch.empty(0, 0)
        self.measures = torch.empty(0, 0)
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.cells)

    def children(self, count: int) -> tuple[Genome, torch.Tensor]:
        """Return mutants `[count, L]` of elites drawn evenly from all filled cells, and the genome whose rows they are.

        While no cell is filled they are sampled anew.
        """
        if not len(self):
            return self.search.genome.fit(self.search.sample(count))
        self.genome, self.rows = self.genome.fit(self.rows)
        drawn = seeds.integers(self.search.rng("selection"), len(self), (count,), self.rows)
        return self.genome, self.search.breed(self.genome, self.rows[drawn])

    def add(self, genome: Genome, rows: torch.Tensor, outcomes: Outcomes) -> None:
        """Put each row `[n, L]` whose evaluation succeeded into its cell, if it beats the elite there.

        Of equally good ones the first to come stays.

        Raises:
            ValueError: the genome has no such features.
        """
        rows = outcomes.inherited(rows)
        measures = measured(genome, rows, self.settings.features)
        fitness = self.search.fitness(outcomes)[:, 0]
        good = torch.nonzero(fitness.isfinite() & measures.isfinite().all(1)).flatten()
        if not len(good):
            return
        rows, scores, measures = rows[good], outcomes.scores[good], measures[good]
        self.genome = genome
        uids = lineage.identities(genome.layout, rows).cpu().numpy()
        numbers = measures.cpu().numpy()
        self.archive.add(uids[:, None], fitness[good].cpu().numpy(), numbers)
        _, kept = self.archive.retrieve(numbers)
        won = np.flatnonzero(kept["solution"][:, 0] == uids)
        self._keep(kept["index"][won].tolist(), torch.from_numpy(won).to(rows.device), rows, scores, measures)

    def _keep(self, cells: list[int], won: torch.Tensor, *columns: torch.Tensor) -> None:
        """Write the winners' rows, scores and measures, each `[n, ...]`, to the places of their cells."""
        for cell in cells:
            self._places.setdefault(cell, len(self._places))
        new = len(self._places) - len(self.cells)
        self.cells = list(self._places)
        places = [self._places[cell] for cell in cells]
        names = ("rows", "scores", "measures")
        for name, column in zip(names, columns, strict=True):
            held, room = getattr(self, name), column.new_empty(new, column.shape[1])
            held = torch.cat((held, room)) if len(held) else room
            held[places] = column[won]
            setattr(self, name, held)

    def describe(self) -> dict[str, Any]:
        """Return the map as plain JSON data, cell by cell, in the format of map.json."""
        settings, objectives = self.settings, self.search.objectives
        ranges = zip(settings.features, settings.lows, settings.highs, settings.cells, strict=True)
        grid_cells = self.archive.int_to_grid_index(np.array(self.cells, dtype=np.int64)).tolist() if self.cells else []
        order = sorted(range(len(self)), key=lambda place: self.cells[place])
        return {
            "format": FORMAT,
            "features": [{"name": name, "low": low, "high": high, "cells": cells} for name, low, high, cells in ranges],
            "objectives": [{"name": objective.name, "maximize": objective.maximize} for objective in objectives],
            "elites": [
                {
                    "cell": grid_cells[place],
                    "features": self.measures[place].tolist(),
                    "fitness": self.scores[place].tolist(),
                    "uid": int(lineage.identities(self.genome.layout, self.rows[place : place + 1])),
                    "genes": self.genome.describe(self.rows[place].cpu()),
                }
                for place in order
            ],
        }


def grid(settings: MapElites) -> Any:
    """Return an empty pyribs archive with the settings' ranges and cells, which holds one identity per cell."""
    from ribs.archives import GridArchive

    return GridArchive(
        solution_dim=1,
        dims=settings.cells,
        ranges=list(zip(settings.lows, settings.highs, strict=True)),
        seed=0,  # nothing is drawn from it
        solution_dtype=np.int64,
        objective_dtype=np.float64,
        measures_dtype=np.float64,
    )


def measured(genome: Genome, rows: torch.Tensor, names: tuple[str, ...]) -> torch.Tensor:
    """Return the features called `names` of rows `[n, L]`: `[n, features]` float64; ValueError where one is missing."""
    features = genome.features(rows)
    for name in names:
        if name not in features:
            raise ValueError(
                f"MapElites: features: {type(genome).__name__} has no feature {name!r}, only {', '.join(features)}"
                f"{did_you_mean(name, features)}; choose among them, or add it to the genome's `features`"
            )
    return torch.stack([features[name].to(torch.float64) for name in names], dim=1)
