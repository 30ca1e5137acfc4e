"""A genome that is a directed graph of any shape, with an activation of its own on every hidden node.

Weight agnostic networks (Gaier & Ha 2019, arXiv:1906.04358) evolve its structure and ignore its weights; NEAT
(Stanley & Miikkulainen 2002) evolves both. Nodes and connections carry identities that every genome would give them
(`genomes.topology.identity`), so no table of innovations is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

import networkx
import numpy as np
import torch

from evo import seeds
from evo.activations import NAMES, activation_id
from evo.genome import Genome
from evo.layout import LINEAGE_FIELDS, Layout
from evo.networks import Networks
from evo.problem import Problem
from genomes.topology.add_connection import add_connection
from genomes.topology.add_node import add_node
from genomes.topology.change_activation import change_activation
from genomes.topology.crossover import cross
from genomes.topology.enable_connection import enable_connection
from genomes.topology.express import express, expressed
from genomes.topology.fields import Fields, topology_layout
from genomes.topology.identity import input_identities, output_identities
from genomes.topology.perturb_weights import perturb_weights

TEN_ACTIVATIONS = ("linear", "step", "sin", "gaussian", "tanh", "sigmoid", "inverse", "abs", "relu", "cos")


@dataclass(frozen=True)
class Topology(Genome):
    """Any directed graph with ten activations: weight agnostic networks, and NEAT (Gaier & Ha 2019, Stanley 2002).

    A mutation makes exactly one change, of a kind drawn with the rates below (they are normalised by their sum).

    Attributes:
        inputs, outputs: how many of each; a bias comes on top.
        hidden, connections: how many hidden nodes and connections a row has room for; `fit` makes more.
        activations: names that hidden nodes draw their activation from.
        output_activation: the name of the outputs' activation.
        initial_connection_rate: the probability that a connection from input to output starts enabled.
        weight_range: new weights are uniform from -weight_range to weight_range.
        add_node_rate, add_connection_rate, enable_connection_rate, activation_rate, weight_rate: how often a
            mutation is of each kind.
        weight_perturbation_rate: the probability that a weight moves in a mutation of weights.
        weight_deviation: the standard deviation of such a move.
        recurrent: whether connections may lead backward, reading the previous step.
        hidden_always_enabled: express disabled connections between hidden nodes, as the published code does.
    """

    name: ClassVar[str] = "topology"
    expresses: ClassVar[type] = Networks
    weights: ClassVar[str | None] = "edge_weight"

    inputs: int
    outputs: int
    hidden: int = 16
    connections: int = 0
    activations: tuple[str, ...] = TEN_ACTIVATIONS
    output_activation: str = "linear"
    initial_connection_rate: float = 0.5
    weight_range: float = 2.0
    add_node_rate: float = 0.25
    add_connection_rate: float = 0.20
    enable_connection_rate: float = 0.05
    activation_rate: float = 0.50
    weight_rate: float = 0.0
    weight_perturbation_rate: float = 0.8
    weight_deviation: float = 0.5
    recurrent: bool = False
    hidden_always_enabled: bool = False

    def __post_init__(self) -> None:
        if self.inputs < 1 or self.outputs < 1 or self.hidden < 1:
            raise ValueError(
                f"Topology: inputs, outputs and hidden are at least 1, got {self.inputs}, {self.outputs}, {self.hidden}"
            )
        if min(self.rates) < 0 or not sum(self.rates):
            raise ValueError(f"Topology: mutation rates are 0 or more and not all 0, got {self.rates}")
        if not self.activations or not 0 <= self.initial_connection_rate <= 1 or self.weight_range < 0:
            raise ValueError(
                f"Topology: expected activations, an initial_connection_rate from 0 to 1 and a weight_range from 0 up, "
                f"got {self.activations}, {self.initial_connection_rate}, {self.weight_range}"
            )
        for activation in (*self.activations, self.output_activation):
            activation_id(activation)
        needed = (self.inputs + 1) * self.outputs + 32
        if not self.connections:
            object.__setattr__(self, "connections", needed)

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a topology with the problem's inputs and outputs."""
        return cls(len(problem.inputs), len(problem.outputs), **settings)

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates of the kinds of mutation, in order: node, connection, enable, activation, weights."""
        return (
            self.add_node_rate,
            self.add_connection_rate,
            self.enable_connection_rate,
            self.activation_rate,
            self.weight_rate,
        )

    @cached_property
    def layout(self) -> Layout:
        """Nodes and connections; see `genomes.topology.fields`."""
        return topology_layout(self.hidden, self.connections)

    def fields(self, rows: torch.Tensor) -> Fields:
        """Return the views of rows that operators work on."""
        return Fields.of(self.layout, rows)

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return genomes without hidden nodes: every input to every output, each enabled by chance."""
        genes = (self.inputs + 1) * self.outputs
        if genes > self.connections:
            raise ValueError(f"Topology: connections must be at least {genes} for a first generation")
        rows = self.layout.empty(count, torch.nan)
        fields = self.fields(rows)
        fields.node_activation[...] = 1.0
        fields.edge_weight[...] = 0.0
        fields.edge_enabled[...] = torch.nan
        fields.edge_source[:, :genes] = input_identities(self.inputs).repeat_interleave(self.outputs)
        fields.edge_target[:, :genes] = output_identities(self.outputs).repeat(self.inputs + 1)
        draws = seeds.uniform(rng, (2, count, genes), rows)
        fields.edge_weight[:, :genes] = (2.0 * draws[0] - 1.0) * self.weight_range
        fields.edge_enabled[:, :genes] = (draws[1] < self.initial_connection_rate).to(rows)
        return rows

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with one change each; a change that is not possible leaves a copy."""
        kinds = torch.from_numpy(rng.choice(len(self.rates), len(rows), p=np.array(self.rates) / sum(self.rates)))
        children = rows.clone()
        for kind in range(len(self.rates)):
            chosen = torch.nonzero(kinds == kind).flatten().to(rows.device)
            if len(chosen):
                changed = children[chosen]
                self._vary(kind, self.fields(changed), rng)
                children[chosen] = changed
        return children

    def _vary(self, kind: int, fields: Fields, rng: np.random.Generator) -> None:
        allowed = torch.tensor([activation_id(name) for name in self.activations], device=fields.node.device)
        if kind == 0:
            add_node(fields, allowed, rng)
        elif kind == 1:
            add_connection(fields, self.inputs, self.outputs, self.weight_range, self.recurrent, rng)
        elif kind == 2:
            enable_connection(fields, rng)
        elif kind == 3:
            change_activation(fields, allowed, rng)
        else:
            perturb_weights(fields, self.weight_perturbation_rate, self.weight_deviation, rng)

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with the first parents' structure and common genes of either; see `crossover.cross`."""
        children = first.clone()
        cross(self.fields(children), self.fields(second), rng)
        return children

    def express(self, rows: torch.Tensor) -> Networks:
        """Return the networks of the rows."""
        output = activation_id(self.output_activation)
        return express(self.fields(rows), self.inputs, self.outputs, output, self.hidden_always_enabled)

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many connections each network has, `[n]` float64."""
        return expressed(self.fields(rows), self.hidden_always_enabled).sum(1).to(torch.float64)

    def fit(self, rows: torch.Tensor) -> tuple[Self, torch.Tensor]:
        """Return a genome with room for one more node and two more connections in every row, and the rows in it."""
        fields = self.fields(rows)
        hidden, connections = int(fields.nodes().max()) + 1, int(fields.edges().max()) + 2
        if hidden <= self.hidden and connections <= self.connections:
            return self, rows
        larger = replace(
            self,
            hidden=self.hidden if hidden <= self.hidden else 16 * -(-hidden * 5 // 64),
            connections=self.connections if connections <= self.connections else 32 * -(-connections * 5 // 128),
        )
        return larger, larger.resize(self, rows)

    def resize(self, origin: Topology, rows: torch.Tensor) -> torch.Tensor:
        """Return rows of another topology of the same interface in this one's layout, which must have the room."""
        wider = self.layout.empty(len(rows), torch.nan).to(rows.device)
        for name in (*(field.name for field in origin.layout.fields), *LINEAGE_FIELDS):
            old, new = origin.layout.view(rows, name), self.layout.view(wider, name)
            new[:, : old.shape[1]] = old
        self.fields(wider).node_activation[:, origin.hidden :] = 1.0
        self.fields(wider).edge_weight[:, origin.connections :] = 0.0
        return wider

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return one row's nodes `[identity, activation]` and connections `[source, target, weight, enabled]`."""
        fields = self.fields(row.reshape(1, -1).cpu())
        nodes, edges = int(fields.nodes()), int(fields.edges())
        names = [NAMES[int(kind)] for kind in fields.node_activation[0, :nodes]]
        columns = (fields.edge_source, fields.edge_target, fields.edge_weight)
        return {
            "nodes": [[identity, name] for identity, name in zip(fields.node[0, :nodes].tolist(), names, strict=True)],
            "connections": [
                [*ends, bool(enabled)]
                for *ends, enabled in zip(
                    *(column[0, :edges].tolist() for column in columns),
                    fields.edge_enabled[0, :edges].tolist(),
                    strict=True,
                )
            ],
        }

    def restore(self, described: dict[str, Any]) -> torch.Tensor:
        """Return the row `[1, L]` that `describe` described."""
        nodes, edges = described["nodes"], described["connections"]
        rows = self.layout.empty(1, torch.nan)
        fields = self.fields(rows)
        fields.node_activation[...] = 1.0
        fields.edge_weight[...] = 0.0
        for slot, (identity, name) in enumerate(nodes):
            fields.node[0, slot], fields.node_activation[0, slot] = identity, activation_id(name)
        one = torch.zeros(1, dtype=torch.int64)
        for slot, (source, target, weight, enabled) in enumerate(edges):
            fields.connect(
                one, one + slot, *(torch.tensor([float(v)], dtype=rows.dtype) for v in (source, target, weight))
            )
            fields.edge_enabled[0, slot] = float(enabled)
        return rows

    def graph(self, row: torch.Tensor) -> networkx.DiGraph[float]:
        """Return one row as a graph: nodes are identities with kind and activation, edges have weight and enabled."""
        described = self.describe(row)
        graph: networkx.DiGraph[float] = networkx.DiGraph()
        for number, identity in enumerate(input_identities(self.inputs).tolist()):
            graph.add_node(identity, kind="input" if number else "bias", activation="linear")
        for identity, activation in sorted(described["nodes"]):
            graph.add_node(identity, kind="hidden", activation=activation)
        for identity in output_identities(self.outputs).tolist():
            graph.add_node(identity, kind="output", activation=self.output_activation)
        for source, target, weight, enabled in described["connections"]:
            graph.add_edge(source, target, weight=weight, enabled=enabled)
        return graph
