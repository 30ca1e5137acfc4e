"""A genome that is the weights of one given network: its structure stays, its weights evolve.

So a champion's weights are tuned by any algorithm, a search distribution above all (Gaier & Ha 2019, section 4: "tuned
weights").
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import networkx
import numpy as np
import torch

from evo.activations import activation_id
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.networks import Networks, pack
from genomes.weight_variation import crossed, mutated


@dataclass(frozen=True)
class FixedNetwork(Genome):
    """The weights of one given network, whose structure stays.

    Attributes:
        inputs, outputs: how many of each.
        activations: their names, node by node: bias, inputs, hidden nodes in order of computation, outputs.
        edges: (source, target, weight) of each connection; kept sorted by target, then source. The weights are where
            the search starts.
        initial_deviation: the standard deviation of normal noise on the weights at the start.
        mutation_rate: the probability that a weight moves.
        mutation_deviation: the standard deviation of a move.
    """

    name: ClassVar[str] = "fixed-network"
    expresses: ClassVar[type] = Networks
    weights: ClassVar[str | None] = "edge_weight"

    inputs: int
    outputs: int
    activations: tuple[str, ...]
    edges: tuple[tuple[int, int, float], ...]
    initial_deviation: float = 0.0
    mutation_rate: float = 1.0
    mutation_deviation: float = 0.1

    def __post_init__(self) -> None:
        edges = sorted(((int(s), int(t), float(w)) for s, t, w in self.edges), key=lambda edge: (edge[1], edge[0]))
        object.__setattr__(self, "edges", tuple(edges))  # lists, as JSON gives, become tuples
        object.__setattr__(self, "activations", tuple(self.activations))
        if not edges or len(self.activations) < 1 + self.inputs + self.outputs:
            raise ValueError(
                f"FixedNetwork: expected connections, and an activation for the bias and every input, hidden node and "
                f"output, got {len(edges)} connections and {len(self.activations)} activations for {self.inputs} "
                f"inputs and {self.outputs} outputs; a champion's network has all of it: FixedNetwork.from_network"
            )
        nodes = len(self.activations)
        wrong = [edge for edge in edges if not (0 <= edge[0] < nodes and self.inputs < edge[1] < nodes)]
        if wrong or len({edge[:2] for edge in edges}) < len(edges):
            raise ValueError(
                f"FixedNetwork: edges lead from a node to a hidden node or an output, each pair at most once; nodes "
                f"are numbered 0 to {nodes - 1}, the first {self.inputs + 1} are bias and inputs; "
                f"got {wrong[:3] or 'a pair twice'}"
            )
        for activation in self.activations:
            activation_id(activation)

    @classmethod
    def from_network(cls, network: dict[str, Any], **settings: Any) -> Self:
        """Return the genome of a network in a champion file's form: `inputs`, `outputs`, `activations`, `edges`."""
        sizes = (len(network["inputs"]), len(network["outputs"]))
        return cls(*sizes, tuple(network["activations"]), tuple(network["edges"]), **settings)

    @cached_property
    def layout(self) -> Layout:
        """One field: the weights, in the order of `edges`."""
        return Layout(Field("edge_weight", (len(self.edges),), "weights by target, then source"))

    @cached_property
    def _network(self) -> Networks:
        """The network given, as a population of one."""
        return pack(self.inputs, self.outputs, [([activation_id(name) for name in self.activations], self.edges)])

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return rows with the weights given, plus normal noise of `initial_deviation`."""
        start = np.array([weight for _, _, weight in self.edges])
        noise = self.initial_deviation * rng.standard_normal((count, len(start)))
        return self.layout.rows(edge_weight=start + noise)

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with normal noise on each weight, with probability `mutation_rate`."""
        return mutated(self.layout, "edge_weight", rows, rng, self.mutation_rate, self.mutation_deviation)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children that take each weight from either parent evenly."""
        return crossed(self.layout, "edge_weight", first, second, rng)

    def express(self, rows: torch.Tensor) -> Networks:
        """Return the network with the weights of each row."""
        weights = self.layout.view(rows, "edge_weight")
        return self._network.to(rows.device).tile(len(rows)).with_weights(weights)

    def absorb(self, rows: torch.Tensor, phenotypes: Networks) -> torch.Tensor:
        """Return rows with the weights that their networks ended a lifetime with."""
        children = rows.clone()
        weights = self.layout.view(children, "edge_weight")
        weights[...] = phenotypes.edge_weights.view_as(weights)
        return children

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many connections each network has, `[n]` float64: all the same."""
        return torch.full((len(rows),), float(len(self.edges)), dtype=torch.float64, device=rows.device)

    def graph(self, row: torch.Tensor) -> networkx.DiGraph[int]:
        """Return one row as a graph: nodes are numbers with kind and activation, edges have weight and enabled."""
        hidden = len(self.activations) - 1 - self.inputs - self.outputs
        kinds = ["bias"] + ["input"] * self.inputs + ["hidden"] * hidden + ["output"] * self.outputs
        graph: networkx.DiGraph[int] = networkx.DiGraph()
        for number, (kind, activation) in enumerate(zip(kinds, self.activations, strict=True)):
            graph.add_node(number, kind=kind, activation=activation)
        weights = self.layout.view(row.reshape(1, -1), "edge_weight")[0].tolist()
        for (source, target, _), weight in zip(self.edges, weights, strict=True):
            graph.add_edge(source, target, weight=weight, enabled=True)
        return graph
