"""A genome that is a search: how an evolution strategy recombines, or a genetic algorithm selects (Lange et al. 2023).

Three forms; see `evo.search_rules`. Genes of 0 are a rule that people made; rows are first drawn around it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch

from evo.genome import Genome
from evo.layout import Field, Layout
from evo.problem import Problem
from evo.search_rules import SearchRules, parameter_count
from genomes.weight_variation import crossed, mutated


@dataclass(frozen=True)
class EvolvedSearch(Genome):
    """Parameters of a learned search, with normal mutation and crossover one by one.

    Attributes:
        form: "des", "les" or "lga".
        initial_deviation: the parameters' standard deviation around the rule of people at the start.
        mutation_rate: the probability that a parameter moves.
        mutation_deviation: the standard deviation of a move.
    """

    name: ClassVar[str] = "evolved-search"
    expresses: ClassVar[type] = SearchRules
    weights: ClassVar[str | None] = "parameters"

    form: str = "les"
    initial_deviation: float = 0.1
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.05

    def __post_init__(self) -> None:
        parameter_count(self.form)

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a genome of searches; any fits any function."""
        return cls(**settings)

    @cached_property
    def layout(self) -> Layout:
        """One field, `parameters`, as `evo.search_rules` orders them."""
        return Layout(Field("parameters", (parameter_count(self.form),), "departures from the rule of people"))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows around the rule of people."""
        size = self.layout.genes
        return self.layout.rows(parameters=self.initial_deviation * rng.standard_normal((count, size)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each parameter, with probability `mutation_rate`."""
        return mutated(self.layout, "parameters", rows, rng, self.mutation_rate, self.mutation_deviation)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each parameter from either parent evenly."""
        return crossed(self.layout, "parameters", first, second, rng)

    def express(self, rows: torch.Tensor) -> SearchRules:
        """Return the rules of the rows."""
        return SearchRules(self.form, self.layout.view(rows, "parameters").to(torch.float32))
