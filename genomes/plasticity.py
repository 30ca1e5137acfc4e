"""A genome that says how each connection of a network changes in a lifetime, and not how strong it is.

Source: Najarro & Risi 2020 (arXiv:2007.02686): five coefficients per connection, and weights that every life draws
anew. Or weights evolve beside them; with the rule "trace" (Miconi, Clune & Stanley 2018, arXiv:1804.02464) they must,
and one rate serves all connections.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, final

import numpy as np
import torch

from evo.genome import Genome
from evo.layout import Field, Layout
from evo.plastic import RULES, PlasticNetworks, connection_count
from evo.problem import Problem
from genomes.weight_variation import crossed, mutated


@final
@dataclass(frozen=True)
class Plasticity(Genome):
    """Coefficients of plasticity, with normal mutation and crossover number by number.

    Attributes:
        inputs, outputs: how many of each.
        hidden: units of each hidden layer.
        rule: "abcd" or "trace"; see `evo.plastic`.
        evolved_weights: whether weights at birth are genes too; with "trace" they are in any case.
        initial_deviation: the numbers' standard deviation at the start.
        mutation_rate: the probability that a number moves.
        mutation_deviation: the standard deviation of a move.

    Raises:
        ValueError: there is no such rule, or a layer without units.
    """

    name: ClassVar[str] = "plasticity"
    expresses: ClassVar[type] = PlasticNetworks
    weights: ClassVar[str | None] = "numbers"

    inputs: int
    outputs: int
    hidden: tuple[int, ...] = (16,)
    rule: str = "abcd"
    evolved_weights: bool = False
    initial_deviation: float = 0.3
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.05

    def __post_init__(self) -> None:
        object.__setattr__(self, "hidden", tuple(self.hidden))  # as a champion's file gives them back
        if self.rule not in RULES:
            raise ValueError(f"Plasticity: rule is one of {', '.join(RULES)}, got {self.rule!r}")
        if min(self.sizes) < 1:
            raise ValueError(f"Plasticity: layers have 1 unit or more, got {self.sizes}")

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a genome of networks with the problem's inputs and outputs."""
        return cls(len(problem.inputs), len(problem.outputs), **settings)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units of each layer, inputs first."""
        return (self.inputs, *self.hidden, self.outputs)

    @cached_property
    def layout(self) -> Layout:
        """One field, `numbers`: the coefficients, kind by kind, then the weights at birth."""
        connections = connection_count(self.sizes)
        if self.rule == "trace":
            return Layout(Field("numbers", (2 * connections + 1,), "strengths, weights, and the one rate's logit"))
        kinds = len(RULES[self.rule]) + self.evolved_weights
        return Layout(Field("numbers", (kinds * connections,), "A, B, C, D, rates, and weights where they evolve"))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with normal numbers."""
        return self.layout.rows(numbers=self.initial_deviation * rng.standard_normal((count, self.layout.genes)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each number, with probability `mutation_rate`."""
        return mutated(self.layout, "numbers", rows, rng, self.mutation_rate, self.mutation_deviation)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each number from either parent evenly."""
        return crossed(self.layout, "numbers", first, second, rng)

    def express(self, rows: torch.Tensor) -> PlasticNetworks:
        """Return the networks of the rows."""
        numbers, connections = self.layout.view(rows, "numbers").to(torch.float32), connection_count(self.sizes)
        parts = numbers[:, : numbers.shape[1] // connections * connections].reshape(len(rows), -1, connections)
        if self.rule == "trace":
            rates = numbers[:, -1:].sigmoid().expand(-1, connections)
            return PlasticNetworks(self.sizes, self.rule, torch.stack((parts[:, 0], rates), 1), parts[:, 1])
        kinds = len(RULES[self.rule])
        return PlasticNetworks(
            self.sizes, self.rule, parts[:, :kinds], parts[:, kinds] if self.evolved_weights else None
        )
