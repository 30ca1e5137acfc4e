"""A genome of pathways: whole numbers that say which modules of each layer of a shared network are active.

Source: PathNet (Fernando et al. 2017, arXiv:1701.08734), section 2.2. Weights are no part of a row: they belong to the
problem, whose evaluation trains the modules on a pathway.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np
import torch

from evo.genome import Genome
from evo.layout import Field, Layout
from evo.pathways import Pathways, first_of_each, modules_used
from evo.problem import Problem
from genomes.pathway.crossover import crossover
from genomes.pathway.duplicate_module import duplicate_module, usefulness
from genomes.pathway.offset import BOUNDS, offset
from genomes.pathway.redraw_layer import drawn_modules, redraw_layer

if TYPE_CHECKING:
    import networkx


@final
@dataclass(frozen=True)
class Pathway(Genome):
    """Which modules are active in each layer, for one task of one replicate.

    A layer's modules are a set, written as a list: one that comes twice counts once. Who selects says by `assign` which
    replicate (an independent run in the same population) and which task rows are for; children keep both.

    Attributes:
        counts: how many modules each layer of the network has; `for_problem` knows.
        active: how many of them, at most, are active in a layer.
        offset_rate: the probability that a number moves; None for 1 / (active x layers), as published.
        radius: how far it moves at most.
        bounds: "clamp" (the authors' own) or "wrap", see `genomes.pathway.offset`.
        redraw_rate: the probability that a child has one layer drawn anew.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "pathway"
    expresses: ClassVar[type] = Pathways

    counts: tuple[int, ...]
    active: int = 3
    offset_rate: float | None = None
    radius: int = 2
    bounds: str = "clamp"
    redraw_rate: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", tuple(self.counts))  # what JSON gives becomes what was given
        if not self.counts or min(self.counts) < 1 or self.active < 1 or self.radius < 1:
            raise ValueError(
                f"Pathway: expected one layer or more, of 1 module or more, with active and radius from 1 up, got "
                f"counts={self.counts}, active={self.active}, radius={self.radius}"
            )
        if self.bounds not in BOUNDS:
            raise ValueError(f"Pathway: bounds is one of {', '.join(BOUNDS)}, got {self.bounds!r}")
        if not 0 <= self.move_probability <= 1 or not 0 <= self.redraw_rate <= 1:
            raise ValueError(
                f"Pathway: offset_rate and redraw_rate are probabilities from 0 to 1, got {self.offset_rate} and "
                f"{self.redraw_rate}"
            )

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a genome for a problem's network; give `active` and what else it is to have."""
        counts = settings.pop("counts", getattr(problem, "modules_per_layer", None))
        if counts is None:
            raise TypeError(
                f"Pathway: {problem.name or type(problem).__name__} has no network of modules (no modules_per_layer); "
                f"use a problem of problems.transfer, or write Pathway(counts=...)"
            )
        return cls(tuple(counts), **settings)

    @property
    def move_probability(self) -> float:
        """The probability that a number moves: PathNet's 1 / (N L), unless another was given."""
        return 1.0 / (self.active * len(self.counts)) if self.offset_rate is None else self.offset_rate

    @cached_property
    def layout(self) -> Layout:
        """The modules, and whom a row is for."""
        return Layout(
            Field("modules", (len(self.counts), self.active), f"of {self.counts} per layer; a layer's are a set"),
            Field("replicate", (), "the independent run it belongs to"),
            Field("task", (), "of the sequence, from 0"),
        )

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with modules drawn evenly, none twice in a layer, for the first task of replicate 0."""
        modules = drawn_modules(count, self.counts, self.active, rng)
        return self.layout.rows(modules=modules, replicate=torch.zeros(count), task=torch.zeros(count))

    def assign(self, rows: torch.Tensor, replicate: int, task: int) -> torch.Tensor:
        """Return the rows `[n, L]` made out to a task of a replicate; they are other individuals then."""
        assigned = rows.clone()
        self.layout.view(assigned, "replicate")[...] = replicate
        self.layout.view(assigned, "task")[...] = task
        return assigned

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children some of whose modules have moved, and, if so set, with a layer drawn anew."""
        children = rows.clone()
        modules = self.layout.view(children, "modules")
        modules[...] = offset(modules, self._sizes, self.move_probability, self.radius, self.bounds, rng)
        if self.redraw_rate > 0:
            modules[...] = redraw_layer(modules, self.counts, self.redraw_rate, rng)
        return children

    def duplicate(
        self, rows: torch.Tensor, weights: torch.Tensor, rate: float, rng: np.random.Generator
    ) -> torch.Tensor:
        """Return rows some of which have taken in a module, drawn by weight `[layers, modules]`.

        See `genomes.pathway.duplicate_module`.
        """
        duplicated = rows.clone()
        modules = self.layout.view(duplicated, "modules")
        modules[...] = duplicate_module(modules, weights, rate, rng)
        return duplicated

    def usefulness(self, rows: torch.Tensor, fitness: torch.Tensor) -> torch.Tensor:
        """Return the mean fitness `[layers, modules]` of the rows that have each module; NaN where none has it."""
        return usefulness(self.layout.view(rows, "modules").to(torch.int64), self.counts, fitness)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that have each layer whole from either parent."""
        children = first.clone()
        ours, theirs = (self.layout.view(rows, "modules") for rows in (first, second))
        self.layout.view(children, "modules")[...] = crossover(ours, theirs, rng)
        return children

    def express(self, rows: torch.Tensor) -> Pathways:
        """Return the pathways of the rows."""
        modules, replicate, task = (
            self.layout.view(rows, name).to(torch.int64) for name in ("modules", "replicate", "task")
        )
        return Pathways(modules, self.counts, replicate, task)

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many distinct modules each pathway has, `[n]` float64."""
        return first_of_each(self.layout.view(rows, "modules")).sum((1, 2)).to(torch.float64)

    def distance(self, rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """Return in how many modules pathways differ, `[n, m]` float64: those that one has and the other has not."""
        return torch.cdist(self._used(rows), self._used(others), p=1.0)

    def graph(self, row: torch.Tensor) -> networkx.DiGraph[Any]:
        """Return a pathway as a graph: a node `(layer, module)` for each, edges from each layer to the next."""
        import networkx

        described = self.describe(row)["modules"]
        layers = [[(layer, module) for module in sorted(set(chosen))] for layer, chosen in enumerate(described)]
        graph: networkx.DiGraph[Any] = networkx.DiGraph()
        for nodes in layers:
            graph.add_nodes_from((node, {"layer": node[0], "module": node[1]}) for node in nodes)
        for nodes, following in itertools.pairwise(layers):
            graph.add_edges_from((source, target) for source in nodes for target in following)
        return graph

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return one row `[L]` as whole numbers: `modules` layer by layer, `replicate`, `task`."""
        whole = row.reshape(1, -1).to(torch.int64)
        return {field.name: self.layout.view(whole, field.name)[0].tolist() for field in self.layout.fields}

    @cached_property
    def _sizes(self) -> torch.Tensor:
        return torch.tensor(self.counts)

    def _used(self, rows: torch.Tensor) -> torch.Tensor:
        modules = self.layout.view(rows, "modules").to(torch.int64)
        return modules_used(modules, self.counts).flatten(1).to(torch.float64)
