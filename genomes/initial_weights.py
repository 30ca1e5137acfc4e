"""A genome that is what a network begins its life with: initial weights and, if wanted, the sizes of its steps.

Sources: Fernando et al. 2018 (arXiv:1806.07917), weights and learning rates that evolution sets and lifetimes change;
step sizes per tensor or per weight, Li et al. 2017 (Meta-SGD, arXiv:1707.09835), section 3.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self, final

import numpy as np
import torch

from evo import seeds
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.parametrised import LayeredNetwork, Parametrised
from evo.problem import Problem

STEP_SCALE = 5.0
"""A step-size gene that moves by 1 moves the logarithm of its step size by this, so that one deviation suits both."""
STEPS = ("", "tensor", "weight")


@final
@dataclass(frozen=True)
class InitialWeights(Genome):
    """Initial weights of a network of fixed shape, and genes for the sizes of its steps; see `LayeredNetwork`.

    Weights and genes are one field, so that search distributions move both: first the network's parameters, then a
    gene per tensor or per weight, from which a step size is `step_size * exp(5 * gene)`.

    Attributes:
        inputs, outputs, hidden, filters, activation, normalized: of the network; see `LayeredNetwork`.
        step_sizes: "" for none, then the lifetime says; "tensor" for one per tensor, "weight" for one per weight.
        step_size: what all of them are at the start.
        mutation_rate: the probability that a number moves.
        mutation_deviation: the standard deviation of a move.
    """

    name: ClassVar[str] = "initial-weights"
    expresses: ClassVar[type] = Parametrised
    weights: ClassVar[str | None] = "numbers"

    inputs: tuple[int, ...]
    outputs: int
    hidden: tuple[int, ...] = (40, 40)
    filters: tuple[int, ...] = ()
    activation: str = "relu"
    normalized: bool = False
    step_sizes: str = ""
    step_size: float = 0.01
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.02

    def __post_init__(self) -> None:
        if self.step_sizes not in STEPS or not self.step_size > 0:
            raise ValueError(
                f"InitialWeights: step_sizes is '', 'tensor' or 'weight', and step_size more than 0, got "
                f"{self.step_sizes!r} and {self.step_size}"
            )
        for name in ("inputs", "hidden", "filters"):  # as a champion's file gives them back
            object.__setattr__(self, name, tuple(getattr(self, name)))
        _ = self.network

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return initial weights with the problem's inputs and outputs; raises TypeError where it has none."""
        shape, outputs = getattr(problem, "input_shape", None), getattr(problem, "output_count", None)
        if shape is None or outputs is None:
            raise TypeError(f"InitialWeights: {problem.name} says neither input_shape nor output_count; write both")
        return cls(**{"inputs": shape, "outputs": outputs, **settings})

    @cached_property
    def network(self) -> LayeredNetwork:
        """What the networks look like."""
        return LayeredNetwork(
            self.inputs, self.outputs, self.hidden, self.filters, self.activation, normalized=self.normalized
        )

    @property
    def genes(self) -> int:
        """How many step-size genes there are."""
        return {"": 0, "tensor": len(self.network.tensors), "weight": self.network.parameters}[self.step_sizes]

    @cached_property
    def layout(self) -> Layout:
        """One field, `numbers`: the parameters, then the genes."""
        return Layout(Field("numbers", (self.network.parameters + self.genes,), "parameters, then step-size genes"))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with weights and biases uniform up to 1 / sqrt(inputs of the unit), and genes of 0."""
        numbers = np.zeros((count, self.network.parameters + self.genes))
        for tensor in self.network.tensors:
            numbers[:, tensor.begin : tensor.end] = tensor.start
            if tensor.fan_in:
                bound = 1 / math.sqrt(tensor.fan_in)
                numbers[:, tensor.begin : tensor.end] = rng.uniform(-bound, bound, (count, tensor.end - tensor.begin))
        return self.layout.rows(numbers=numbers)

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each number, with probability `mutation_rate`."""
        children = rows.clone()
        numbers = self.layout.view(children, "numbers")
        shape = tuple(numbers.shape)
        moved = seeds.uniform(rng, shape, numbers) < self.mutation_rate
        numbers += torch.where(moved, self.mutation_deviation * seeds.normal(rng, shape, numbers), 0.0)
        return children

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each number from either parent evenly."""
        children = first.clone()
        mothers, fathers = (self.layout.view(rows, "numbers") for rows in (first, second))
        mine = seeds.uniform(rng, tuple(mothers.shape), mothers) < 0.5
        self.layout.view(children, "numbers")[...] = torch.where(mine, mothers, fathers)
        return children

    def express(self, rows: torch.Tensor) -> Parametrised:
        """Return the networks; differentiable in the rows."""
        numbers, end = self.layout.view(rows, "numbers").to(torch.float32), self.network.parameters
        steps = self.step_size * (STEP_SCALE * numbers[:, end:]).exp() if self.step_sizes else None
        return Parametrised(self.network, numbers[:, :end], steps)

    def absorb(self, rows: torch.Tensor, phenotypes: Parametrised) -> torch.Tensor:
        """Return the rows with the parameters that their networks have; genes stay as they are."""
        learned = rows.clone()
        self.layout.view(learned, "numbers")[:, : self.network.parameters] = phenotypes.parameters.to(rows)
        return learned

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many parameters each network has, `[n]` float64: all the same."""
        return torch.full((len(rows),), float(self.network.parameters), dtype=torch.float64, device=rows.device)

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the complexity and, of each tensor, the geometric mean of its step sizes."""
        features = {"complexity": self.complexity(rows)}
        sizes = self.express(rows).step_sizes
        if sizes is None:
            return features
        for number, tensor in enumerate(self.network.tensors):
            which = slice(number, number + 1) if self.step_sizes == "tensor" else slice(tensor.begin, tensor.end)
            features[f"step size of {tensor.name}"] = sizes[:, which].to(torch.float64).log().mean(1).exp()
        return features

    @property
    def recorded_features(self) -> tuple[str, ...]:
        """The step sizes, where they evolve."""
        return tuple(f"step size of {one.name}" for one in self.network.tensors) if self.step_sizes else ()
