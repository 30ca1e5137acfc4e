"""Two tiny genomes and a search around any function, for the tests of algorithms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo.genome import Genome
from evo.layout import Field, Layout
from evo.lineage import identities
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective
from evo.search import Search


@dataclass(frozen=True)
class Bounded(Genome):
    """Numbers between -3 and 3, with Gaussian mutation and one-point crossover."""

    weights: ClassVar[str | None] = "values"
    size: int = 5
    step: float = 0.3

    @property
    def layout(self) -> Layout:
        return Layout(Field("tag"), Field("values", (self.size,)))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return self.layout.rows(tag=np.full(count, 7.0), values=rng.uniform(-3, 3, (count, self.size)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        children = rows.clone()
        values = self.layout.values(children)
        values += torch.from_numpy(rng.normal(0, self.step, values.shape)).to(values)
        values.clamp_(-3, 3)
        return children

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        cut = torch.from_numpy(rng.integers(1, self.size + 1, (len(first), 1)))
        return torch.where(torch.arange(first.shape[1]) <= cut, first, second)

    def express(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layout.values(rows)


@dataclass(frozen=True)
class Growing(Genome):
    """A list of numbers that each mutation makes longer by one; its rows get wider when it is full."""

    capacity: int = 2

    @property
    def layout(self) -> Layout:
        return Layout(Field("count"), Field("values", (self.capacity,)))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return self.layout.rows(count=np.zeros(count), values=np.zeros((count, self.capacity)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        children = rows.clone()
        place = self.layout.count(children).long()
        if (place >= self.capacity).any():
            raise ValueError("no room")
        self.layout.values(children)[torch.arange(len(rows)), place] = torch.from_numpy(rng.random(len(rows))).float()
        self.layout.count(children)[...] += 1
        return children

    def express(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layout.values(rows)

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        return self.layout.count(rows).double()

    def fit(self, rows: torch.Tensor) -> tuple[Growing, torch.Tensor]:
        if int(self.layout.count(rows).max()) < self.capacity:
            return self, rows
        wider = Growing(self.capacity + 1)
        widened = wider.layout.empty(len(rows))
        wider.layout.count(widened)[...] = self.layout.count(rows)
        wider.layout.values(widened)[:, :-1] = self.layout.values(rows)
        for name in ("uid", "first_parent", "second_parent"):
            wider.layout.view(widened, name)[...] = self.layout.view(rows, name)
        return wider, widened


@dataclass
class Record:
    """What a search evaluated, a list entry per generation."""

    search: Search
    layouts: list[Layout] = field(default_factory=list)
    rows: list[torch.Tensor] = field(default_factory=list)
    outcomes: list[Outcomes] = field(default_factory=list)

    def uids(self, generation: int, name: str = "uid") -> list[int]:
        return identities(self.layouts[generation], self.rows[generation], name).tolist()

    def fitness(self, generation: int) -> torch.Tensor:
        return self.search.fitness(self.outcomes[generation])


Score = Callable[[torch.Tensor], torch.Tensor]


@pytest.fixture
def bounded() -> type[Bounded]:
    return Bounded


@pytest.fixture
def growing() -> type[Growing]:
    return Growing


def sphere(values: torch.Tensor) -> torch.Tensor:
    return values.double().square().sum(1, keepdim=True)


@pytest.fixture
def record() -> Callable[..., Record]:
    """A function that runs an algorithm and returns what it evaluated; by default it minimises a sum of squares."""

    def run(
        algorithm: Any,
        score: Score = sphere,
        maximize: tuple[bool, ...] = (False,),
        generations: int = 10,
        seed: int = 1,
        genome: Genome | None = None,
        stochastic: bool = False,
    ) -> Record:
        def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
            outcomes = outcomes_of(score(genome.express(rows)))
            kept.layouts.append(genome.layout)
            kept.rows.append(rows.clone())
            kept.outcomes.append(outcomes)
            return outcomes

        objectives = tuple(Objective(f"objective {place}", one) for place, one in enumerate(maximize))
        search = Search(genome or Bounded(), objectives, stochastic, generations, seed, evaluate)
        kept = Record(search)
        algorithm(search) if callable(algorithm) else algorithm.run(search)
        return kept

    return run
