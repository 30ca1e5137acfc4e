"""A genome that is the weights of a network of fixed shape: the baseline of every comparison (Rosenblatt 1958)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, ClassVar, Self

import networkx
import numpy as np
import torch

from evo import seeds
from evo.activations import NAMES, activation_id
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.networks import Networks
from evo.problem import Problem
from genomes.weight_variation import mutated


@dataclass(frozen=True)
class Perceptron(Genome):
    """A layered network, fully connected, of fixed shape; its weights evolve.

    Attributes:
        inputs, outputs: how many of each.
        hidden: units of each hidden layer; empty for a linear model.
        activation, output_activation: names of activations.
        initial_deviation: the weights' standard deviation at the start, divided by the root of a unit's inputs.
        mutation_rate: the probability that a weight moves.
        mutation_deviation: the standard deviation of a move.
    """

    name: ClassVar[str] = "perceptron"
    expresses: ClassVar[type] = Networks
    weights: ClassVar[str | None] = "edge_weight"

    inputs: int
    outputs: int
    hidden: tuple[int, ...] = (16,)
    activation: str = "tanh"
    output_activation: str = "linear"
    initial_deviation: float = 1.0
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.1

    def __post_init__(self) -> None:
        if min(self.sizes) < 1:
            raise ValueError(f"Perceptron: every layer has at least 1 unit, got {self.sizes}")
        activation_id(self.activation)
        activation_id(self.output_activation)

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a perceptron with the problem's inputs and outputs."""
        return cls(len(problem.inputs), len(problem.outputs), **settings)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer, inputs and outputs included."""
        return (self.inputs, *self.hidden, self.outputs)

    @cached_property
    def layout(self) -> Layout:
        """One field: the weights, unit by unit, of each unit its bias first."""
        return Layout(Field("edge_weight", (len(self._sources),), "weights by unit, its bias first"))

    @cached_property
    def _degrees(self) -> torch.Tensor:
        """How many edges lead into each unit behind the inputs."""
        return torch.tensor([before + 1 for before, units in pairwise(self.sizes) for _ in range(units)])

    @cached_property
    def _sources(self) -> torch.Tensor:
        """The source of each edge, as a node's number; nodes are bias, inputs, units."""
        sources: list[int] = []
        first = 1
        for before, units in pairwise(self.sizes):
            sources += [0, *range(first, first + before)] * units
            first += before
        return torch.tensor(sources)

    @cached_property
    def _activations(self) -> torch.Tensor:
        kinds = [1] * (1 + self.inputs) + [activation_id(self.activation)] * sum(self.hidden)
        return torch.tensor(kinds + [activation_id(self.output_activation)] * self.outputs, dtype=torch.uint8)

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with normal weights, smaller into units with more inputs."""
        scale = self.initial_deviation / self._degrees.to(torch.float64).sqrt().repeat_interleave(self._degrees)
        return self.layout.rows(edge_weight=rng.standard_normal((count, len(scale))) * scale.numpy())

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each weight, with probability `mutation_rate`."""
        return mutated(self.layout, "edge_weight", rows, rng, self.mutation_rate, self.mutation_deviation)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each unit, with all its incoming weights, from either parent evenly."""
        units = seeds.uniform(rng, (len(first), len(self._degrees)), first) < 0.5
        mine = units.repeat_interleave(self._degrees.to(first.device), dim=1)
        children = first.clone()
        mothers, fathers = (self.layout.view(rows, "edge_weight") for rows in (first, second))
        self.layout.view(children, "edge_weight")[...] = torch.where(mine, mothers, fathers)
        return children

    def express(self, rows: torch.Tensor) -> Networks:
        """Return the networks of the rows."""
        count, device = len(rows), rows.device
        nodes, edges = len(self._activations), len(self._sources)
        into = torch.cat((torch.zeros(1 + self.inputs, dtype=torch.int64), self._degrees)).to(device)
        return Networks(
            self.inputs,
            self.outputs,
            torch.arange(count + 1, device=device) * nodes,
            self._activations.to(device).repeat(count),
            torch.cat((into.new_zeros(1), into.repeat(count).cumsum(0))),
            self._sources.to(device).repeat(count),
            self.layout.view(rows, "edge_weight").reshape(count * edges).to(torch.float32),
        )

    def absorb(self, rows: torch.Tensor, phenotypes: Networks) -> torch.Tensor:
        """Return the rows with the weights that their networks have."""
        learned = rows.clone()
        weights = self.layout.view(learned, "edge_weight")
        weights[...] = phenotypes.edge_weights.view(weights.shape).to(weights)
        return learned

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many connections each network has, `[n]` float64: all the same."""
        return torch.full((len(rows),), float(len(self._sources)), dtype=torch.float64, device=rows.device)

    def graph(self, row: torch.Tensor) -> networkx.DiGraph[int]:
        """Return one row as a graph: nodes are numbers with kind and activation, edges have weight and enabled."""
        network = self.express(row.reshape(1, -1).cpu())
        kinds = ["bias"] + ["input"] * self.inputs + ["hidden"] * sum(self.hidden) + ["output"] * self.outputs
        graph: networkx.DiGraph[int] = networkx.DiGraph()
        for number, (kind, activation) in enumerate(zip(kinds, network.activations.tolist(), strict=True)):
            graph.add_node(number, kind=kind, activation=NAMES[activation])
        for source, target, weight in network.describe(0)["edges"]:
            graph.add_edge(source, target, weight=weight, enabled=True)
        return graph
