"""A genome that is an optimiser: the weights of a small network that all coordinates of a task share.

Three forms; see `evo.optimisers`. Weights that evolution finds for short descents of small functions are tried on
others, as Andrychowicz et al. 2016 (arXiv:1606.04474, section 3) did with weights found by gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch

from evo.genome import Genome
from evo.layout import Field, Layout
from evo.optimisers import LearnedOptimisers, parameter_count
from evo.problem import Problem
from genomes.weight_variation import crossed, mutated


@dataclass(frozen=True)
class LearnedOptimiser(Genome):
    """Weights of a learned optimiser, with normal mutation and crossover weight by weight.

    Attributes:
        form: "features", "momenta" or "recurrent".
        hidden: units of each layer; 8 suit the first form, 32 and 32 the second, 20 the third.
        initial_deviation: the weights' standard deviation at the start.
        mutation_rate: the probability that a weight moves.
        mutation_deviation: the standard deviation of a move.
    """

    name: ClassVar[str] = "learned-optimiser"
    expresses: ClassVar[type] = LearnedOptimisers
    weights: ClassVar[str | None] = "parameters"

    form: str = "features"
    hidden: tuple[int, ...] = (8,)
    initial_deviation: float = 0.1
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))  # as a champion's file gives it back
        parameter_count(self.form, self.hidden)

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a genome of optimisers; any fits any function that has gradients."""
        return cls(**settings)

    @cached_property
    def layout(self) -> Layout:
        """One field, `parameters`, as `evo.optimisers` orders them."""
        return Layout(Field("parameters", (parameter_count(self.form, self.hidden),), "layer by layer"))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with normal weights."""
        size = self.layout.genes
        return self.layout.rows(parameters=self.initial_deviation * rng.standard_normal((count, size)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each weight, with probability `mutation_rate`."""
        return mutated(self.layout, "parameters", rows, rng, self.mutation_rate, self.mutation_deviation)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each weight from either parent evenly."""
        return crossed(self.layout, "parameters", first, second, rng)

    def express(self, rows: torch.Tensor) -> LearnedOptimisers:
        """Return the optimisers of the rows."""
        return LearnedOptimisers(self.form, self.hidden, self.layout.view(rows, "parameters").to(torch.float32))
