"""A genome that is a directed graph of any shape, with an activation of its own on every hidden node.

Weight agnostic networks (Gaier & Ha 2019, arXiv:1906.04358) evolve its structure and ignore its weights; NEAT
(Stanley & Miikkulainen 2002) evolves both. Nodes and connections carry identities that every genome would give them
(`genomes.topology.identity`), so no table of innovations is kept.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
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
from genomes.topology.crossover import cross
from genomes.topology.distance import compatibility
from genomes.topology.express import edge_order, express, expressed
from genomes.topology.fields import Fields, topology_layout
from genomes.topology.identity import input_identities, output_identities
from genomes.topology.indexing import depths, index
from genomes.topology.validity import check
from genomes.topology.variation import KINDS, vary

TEN_ACTIVATIONS = ("linear", "step", "sin", "gaussian", "tanh", "sigmoid", "inverse", "abs", "relu", "cos")

NEAT: dict[str, Any] = {
    "mutation": "each",
    "initial_connection_rate": 1.0,
    "activations": ("sigmoid",),
    "output_activation": "sigmoid",
    "weight_rate": 0.8,
    "weight_perturbation_rate": 0.9,
    "weight_replacement_rate": 0.1,
    "add_node_rate": 0.03,
    "add_connection_rate": 0.05,
    "enable_connection_rate": 0.0,  # disabled connections come back in crossover alone
    "activation_rate": 0.0,
    "disabled_inheritance_rate": 0.75,
    "structure_coefficient": 1.0,
    "weight_coefficient": 0.4,
    "normalize_above": 20,
}
"""The settings of Stanley & Miikkulainen 2002, section 4.1, for small populations; see `Topology.neat`."""


@dataclass(frozen=True)
class Topology(Genome):
    """Any directed graph with ten activations: weight agnostic networks, and NEAT (Gaier & Ha 2019, Stanley 2002).

    Attributes:
        inputs, outputs: how many of each; a bias comes on top.
        hidden, connections: how many hidden nodes and connections a row has room for; `fit` makes more.
        activations: names that hidden nodes draw their activation from.
        output_activation: the name of the outputs' activation, at the start.
        initial_connection_rate: the probability that a connection from input to output starts enabled.
        keep_disabled: whether the connections that start disabled are there, to be enabled; else they are only added.
        weight_range: new weights are uniform from -weight_range to weight_range.
        mutation: "one": a mutation is one change, of a kind drawn with the rates, which are normalised by their sum
            (weight agnostic search); "each": every kind of change happens with its rate as probability (NEAT).
        changes: with "one", a child gets from 1 to so many changes, evenly.
        add_node_rate, add_connection_rate, enable_connection_rate, activation_rate, weight_rate,
            remove_connection_rate, remove_node_rate, input_activation_rate, output_activation_rate: how often a
            mutation is of each kind.
        weight_perturbation_rate: the probability that a weight moves in a mutation of weights.
        weight_deviation: the standard deviation of such a move.
        weight_replacement_rate: the probability that a weight is drawn anew instead in a mutation of weights.
        disabled_inheritance_rate: the probability that a common connection which is disabled in one of two parents is
            disabled in their child; 0.5: its flag comes with its weight.
        recurrent: whether connections may lead backward, reading the previous step.
        deeper_only: whether connections are added to any node that lies deeper (the longest path to it is longer), as
            in the published code; else to any node with a greater identity.
        hidden_always_enabled: express disabled connections between hidden nodes, as the published code does.
        structure_coefficient, weight_coefficient, activation_coefficient: what connections that only one of two
            genomes has, the mean difference of common connections' weights, and the share of common nodes whose
            activations differ count for their distance (NEAT, equation 1; activations are not in it).
        normalize_above: distances are divided by the number of genes where a genome has so many or more.

    Raises:
        ValueError: a setting is outside its range, or two contradict each other.
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
    keep_disabled: bool = True
    weight_range: float = 2.0
    mutation: str = "one"
    changes: int = 1
    add_node_rate: float = 0.25
    add_connection_rate: float = 0.20
    enable_connection_rate: float = 0.05
    activation_rate: float = 0.50
    weight_rate: float = 0.0
    remove_connection_rate: float = 0.0
    remove_node_rate: float = 0.0
    input_activation_rate: float = 0.0
    output_activation_rate: float = 0.0
    weight_perturbation_rate: float = 0.8
    weight_deviation: float = 0.5
    weight_replacement_rate: float = 0.0
    recurrent: bool = False
    deeper_only: bool = False
    hidden_always_enabled: bool = False
    structure_coefficient: float = 1.0
    weight_coefficient: float = 0.4
    activation_coefficient: float = 0.0
    normalize_above: int = 20
    disabled_inheritance_rate: float = field(default=0.5, metadata={"later": True})

    def __post_init__(self) -> None:
        check(self)
        if not self.connections:
            object.__setattr__(self, "connections", self._first_genes() + 32)

    def _first_genes(self) -> int:
        """Return how many connections a genome of the first generation has, or very nearly the most it may have."""
        possible = (self.inputs + 1) * self.outputs
        expected = possible * self.initial_connection_rate
        return possible if self.keep_disabled else min(possible, math.ceil(expected + 8 * math.sqrt(expected)))

    @classmethod
    def for_problem(cls, problem: Problem, **settings: Any) -> Self:
        """Return a topology with the problem's inputs and outputs."""
        return cls(len(problem.inputs), len(problem.outputs), **settings)

    @classmethod
    def neat(cls, problem: Problem, **changes: Any) -> Self:
        """Return NEAT's topology for a problem, with the settings of Stanley & Miikkulainen 2002, section 4.1.

        The paper's sigmoid is steeper, 1 / (1 + exp(-4.9 x)), which larger weights make up for, and it does not say
        how far weights move: here normally, by `weight_deviation`.

        Args:
            problem: whose inputs and outputs it has.
            changes: settings that are to differ.
        """
        return cls.for_problem(problem, **{**NEAT, **changes})

    @property
    def rates(self) -> tuple[float, ...]:
        """The rates of the kinds of mutation, in the order of `genomes.topology.variation.KINDS`."""
        return tuple(getattr(self, f"{kind}_rate") for kind in KINDS)

    @cached_property
    def layout(self) -> Layout:
        """Nodes and connections; see `genomes.topology.fields`."""
        return topology_layout(self.inputs + self.outputs, self.hidden, self.connections)

    def fields(self, rows: torch.Tensor) -> Fields:
        """Return the views of rows that operators work on."""
        return Fields.of(self.layout, rows)

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return genomes without hidden nodes: every input to every output, each enabled by chance."""
        genes = (self.inputs + 1) * self.outputs
        whole = replace(self, connections=max(genes, self.connections))
        rows = whole.layout.empty(count, torch.nan)
        fields = whole.fields(rows)
        fields.interface_activation[...] = self._interface()
        fields.node_activation[...] = 1.0
        fields.edge_weight[...] = 0.0
        fields.edge_source[:, :genes] = input_identities(self.inputs).repeat_interleave(self.outputs)
        fields.edge_target[:, :genes] = output_identities(self.outputs).repeat(self.inputs + 1)
        draws = seeds.uniform(rng, (2, count, genes), rows)
        fields.edge_weight[:, :genes] = (2.0 * draws[0] - 1.0) * self.weight_range
        enabled = draws[1] < self.initial_connection_rate
        fields.edge_enabled[:, :genes] = enabled.to(rows)
        if not self.keep_disabled:
            fields.keep(torch.ones_like(fields.node, dtype=torch.bool), fields.edge_enabled > 0)
        most = int(fields.edges().max())
        if most > self.connections:
            raise ValueError(
                f"Topology: connections must be at least {most} for this first generation, got {self.connections}; "
                f"leave it out, and there is room"
            )
        return self.resize(whole, rows)

    def _interface(self) -> torch.Tensor:
        """Return the activation ids of inputs and outputs at the start, float64."""
        ids = [1] * self.inputs + [activation_id(self.output_activation)] * self.outputs
        return torch.tensor(ids, dtype=torch.float64)

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return mutated children; a change that is not possible leaves a copy. See `mutation`."""
        children = rows.clone()
        if self.mutation == "each":
            draws = rng.random((len(KINDS), len(rows)))
            for kind, rate in enumerate(self.rates):
                self._change(kind, children, draws[kind] < rate, rng)
            return children
        wanted = rng.integers(1, self.changes, len(rows), endpoint=True) if self.changes > 1 else np.ones(len(rows))
        for number in range(self.changes):
            kinds = rng.choice(len(KINDS), len(rows), p=np.array(self.rates) / sum(self.rates))
            for kind in range(len(KINDS)):
                self._change(kind, children, (kinds == kind) & (wanted > number), rng)
        return children

    def _change(self, kind: int, children: torch.Tensor, chosen: np.ndarray, rng: np.random.Generator) -> None:
        """Make a change of a kind in the rows chosen `[n]`, in place."""
        if chosen.any():
            places = torch.from_numpy(np.flatnonzero(chosen)).to(children.device)
            changed = children[places]
            vary(KINDS[kind], self, self.fields(changed), rng)
            children[places] = changed

    def crossover(self, first: torch.Tensor, second: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        """Return children with the first parents' structure and common genes of either; see `crossover.cross`."""
        children = first.clone()
        cross(self.fields(children), self.fields(second), rng, self.disabled_inheritance_rate)
        return children

    def express(self, rows: torch.Tensor) -> Networks:
        """Return the networks of the rows."""
        return express(self.fields(rows), self.inputs, self.outputs, self.hidden_always_enabled, self.deeper_only)

    def absorb(self, rows: torch.Tensor, phenotypes: Networks) -> torch.Tensor:
        """Return the rows with the weights that their networks have.

        Raises:
            TypeError: connections between hidden nodes are expressed with weight 1, so theirs would be lost.
        """
        if self.hidden_always_enabled:
            raise TypeError(
                "Topology cannot take over what its networks learned: with hidden_always_enabled, connections between "
                "hidden nodes are expressed with weight 1, whatever their genes say, so theirs would be lost; leave it "
                "out, or use inheritance='baldwinian'"
            )
        learned = rows.clone()
        order = edge_order(self.fields(rows), self.inputs, self.outputs, self.hidden_always_enabled, self.deeper_only)
        self.fields(learned).edge_weight[order] = phenotypes.edge_weights.to(rows)
        return learned

    def complexity(self, rows: torch.Tensor) -> torch.Tensor:
        """Return how many connections each network has, `[n]` float64."""
        return expressed(self.fields(rows), self.hidden_always_enabled).sum(1).to(torch.float64)

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return each network's connections (its complexity), hidden nodes, and depth: the longest path to a node."""
        fields = self.fields(rows)
        ends = (fields.node, fields.edge_source, fields.edge_target)
        where = index(*ends, self.inputs, self.outputs, self.deeper_only)
        forward = expressed(fields, self.hidden_always_enabled) & (where.sources < where.targets)
        depth = depths(where.sources, where.targets, forward, where.identities.shape[1], self.inputs)
        exists = where.identities.isfinite()
        measured = {
            "complexity": self.complexity(rows),
            "connections": self.complexity(rows),
            "hidden": fields.nodes(),
            "depth": torch.where(exists, depth, 0).max(1).values,
        }
        return {name: values.to(torch.float64) for name, values in measured.items()}

    def distance(self, rows: torch.Tensor, others: torch.Tensor) -> torch.Tensor:
        """Return NEAT's compatibility distance `[n, m]`; see `genomes.topology.distance`."""
        return compatibility(
            self.fields(rows),
            self.fields(others),
            self.structure_coefficient,
            self.weight_coefficient,
            self.normalize_above,
            self.activation_coefficient,
        )

    def fit(self, rows: torch.Tensor) -> tuple[Self, torch.Tensor]:
        """Return a genome with room for the nodes and connections of a mutation in every row, and the rows in it."""
        fields = self.fields(rows)
        hidden = int(fields.nodes().max()) + self.changes
        connections = int(fields.edges().max()) + 3 * self.changes  # a node splits one into two; one is added
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
        for name in (*(one.name for one in origin.layout.fields), *LINEAGE_FIELDS):
            old, new = origin.layout.view(rows, name), self.layout.view(wider, name)
            width = min(old.shape[1], new.shape[1])
            new[:, :width] = old[:, :width]
        self.fields(wider).node_activation[:, origin.hidden :] = 1.0
        self.fields(wider).edge_weight[:, origin.connections :] = 0.0
        return wider

    def describe(self, row: torch.Tensor) -> dict[str, Any]:
        """Return one row as a champion file has it.

        `interface`: names of the inputs' and outputs' activations; `nodes`: `[identity, activation]`; `connections`:
        `[source, target, weight, enabled]`.
        """
        fields = self.fields(row.reshape(1, -1).cpu())
        nodes, edges = int(fields.nodes()), int(fields.edges())
        names = [NAMES[int(kind)] for kind in fields.node_activation[0, :nodes]]
        columns = (fields.edge_source, fields.edge_target, fields.edge_weight)
        return {
            "interface": [NAMES[int(kind)] for kind in fields.interface_activation[0]],
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
        interface = [activation_id(name) for name in described.get("interface", ())]  # older files have none
        fields.interface_activation[...] = torch.tensor(interface, dtype=rows.dtype) if interface else self._interface()
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
        interface = described["interface"]
        graph: networkx.DiGraph[float] = networkx.DiGraph()
        for number, identity in enumerate(input_identities(self.inputs).tolist()):
            activation = interface[number - 1] if number else "linear"
            graph.add_node(identity, kind="input" if number else "bias", activation=activation)
        for identity, activation in sorted(described["nodes"]):
            graph.add_node(identity, kind="hidden", activation=activation)
        for identity, activation in zip(
            output_identities(self.outputs).tolist(), interface[self.inputs :], strict=True
        ):
            graph.add_node(identity, kind="output", activation=activation)
        for source, target, weight, enabled in described["connections"]:
            graph.add_edge(source, target, weight=weight, enabled=enabled)
        return graph
