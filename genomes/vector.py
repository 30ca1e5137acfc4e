"""A genome of bounded real numbers: the classic of evolution strategies and real-coded genetic algorithms."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch

from evo import seeds
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.problem import Problem


@dataclass(frozen=True)
class Vector(Genome):
    """Real numbers between bounds, with normal mutation and blend crossover.

    Attributes:
        size: how many numbers.
        low, high: their bounds. Mutation and expression clip to them, so algorithms that know no bounds keep them.
        mutation_rate: the probability that a number moves.
        mutation_deviation: the standard deviation of a move, as a share of the range.
        blend: how far beyond its parents a child may lie, as a share of their difference (BLX-alpha, Eshelman &
            Schaffer 1993).
    """

    name: ClassVar[str] = "vector"
    weights: ClassVar[str | None] = "values"

    size: int
    low: float = -1.0
    high: float = 1.0
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.05
    blend: float = 0.5

    def __post_init__(self) -> None:
        if self.size < 1 or not self.low < self.high:
            raise ValueError(
                f"Vector: expected size of at least 1 and low below high, got size={self.size}, low={self.low}, "
                f"high={self.high}"
            )

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a vector with as many numbers as the problem says, if it has a `size`."""
        size = settings.pop("size", getattr(problem, "size", None))
        if size is None:
            raise TypeError(f"Vector: {problem.name} does not say how many numbers it wants; write Vector(size=...)")
        return cls(size, **settings)

    @cached_property
    def layout(self) -> Layout:
        """One field, `values`."""
        return Layout(Field("values", (self.size,), f"{self.low} to {self.high}"))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with values drawn uniformly between the bounds."""
        return self.layout.rows(values=rng.uniform(self.low, self.high, (count, self.size)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each value, with probability `mutation_rate`."""
        children = rows.clone()
        values = self.layout.view(children, "values")
        shape = tuple(values.shape)
        noise = self.mutation_deviation * (self.high - self.low) * seeds.normal(rng, shape, values)
        moved = seeds.uniform(rng, shape, values) < self.mutation_rate
        values[...] = torch.where(moved, values + noise, values).clamp(self.low, self.high)
        return children

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with each value drawn uniformly from its parents' interval, widened by `blend`."""
        children = first.clone()
        ends = [self.layout.view(rows, "values") for rows in (first, second)]
        share = (1.0 + 2.0 * self.blend) * seeds.uniform(rng, tuple(ends[0].shape), ends[0]) - self.blend
        blended = ends[0] + share * (ends[1] - ends[0])
        self.layout.view(children, "values")[...] = blended.clamp(self.low, self.high)
        return children

    def express(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the values `[n, size]`, within the bounds."""
        return self.layout.view(rows, "values").clamp(self.low, self.high)
