"""A genome that is the weights of a policy with a memory: gated recurrent units and a linear read-out of actions.

What it learns in a lifetime is in its memory, which no weights change for (Duan et al. 2016, arXiv:1611.02779). They
had 128 or 256 units and policy gradients; 16 are enough for evolution on small bandits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np
import torch

from evo.genome import Genome
from evo.layout import Field, Layout
from evo.policies import RecurrentPolicies, parameter_count
from evo.problem import Problem
from genomes.weight_variation import crossed, mutated


@dataclass(frozen=True)
class RecurrentPolicy(Genome):
    """Weights of a recurrent policy, with normal mutation and crossover weight by weight.

    Attributes:
        inputs, actions: numbers observed at each step, and actions to choose from.
        hidden: units of the memory.
        initial_deviation: the weights' standard deviation at the start; near 0 all policies are alike, and no step
            from there leads anywhere.
        initial_update_bias: what is added to the update gates' biases at the start; above 0, memories last longer
            (Gers, Schmidhuber & Cummins 2000; Jozefowicz, Zaremba & Sutskever 2015).
        mutation_rate: the probability that a weight moves.
        mutation_deviation: the standard deviation of a move.
    """

    name: ClassVar[str] = "recurrent-policy"
    expresses: ClassVar[type] = RecurrentPolicies
    weights: ClassVar[str | None] = "parameters"

    inputs: int
    actions: int
    hidden: int = 16
    initial_deviation: float = 0.5
    initial_update_bias: float = 0.0
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.1

    def __post_init__(self) -> None:
        if min(self.inputs, self.actions, self.hidden) < 1:
            raise ValueError(
                f"RecurrentPolicy: inputs, actions and hidden are 1 or more, got {self.inputs}, {self.actions} and "
                f"{self.hidden}"
            )

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a genome of policies that observe what the problem shows, and choose among its actions."""
        return cls(len(problem.inputs), len(problem.outputs), **settings)

    @cached_property
    def layout(self) -> Layout:
        """One field, `parameters`, as `evo.policies` orders them."""
        count = parameter_count(self.inputs, self.hidden, self.actions)
        return Layout(
            Field("parameters", (count,), "reset, update, candidate of input, of memory, logits; biases first")
        )

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with normal weights, and memories that last."""
        size = self.layout.genes
        rows = self.layout.rows(parameters=self.initial_deviation * rng.standard_normal((count, size)))
        self.express(rows).matrices().update[..., 0] += self.initial_update_bias  # a view of the rows
        return rows

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each weight, with probability `mutation_rate`."""
        return mutated(self.layout, "parameters", rows, rng, self.mutation_rate, self.mutation_deviation)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each weight from either parent evenly."""
        return crossed(self.layout, "parameters", first, second, rng)

    def express(self, rows: torch.Tensor) -> RecurrentPolicies:
        """Return the policies of the rows."""
        parameters = self.layout.view(rows, "parameters").to(torch.float32)
        return RecurrentPolicies(self.inputs, self.hidden, self.actions, parameters)
