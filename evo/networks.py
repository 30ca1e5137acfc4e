"""The phenotype of topologies and perceptrons: a whole population of different networks, packed edge to edge.

Nobody pays for padding: nodes and edges of all networks stand in flat arrays with offsets. Engines
(`evo.evaluation`) run them: compiled kernels on the CPU, torch on any device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch

from evo.activations import NAMES


@dataclass(frozen=True)
class Execution:
    """How networks are run; results agree within float32 tolerance whichever engine runs them.

    Attributes:
        engine: "compiled" (CPU only) or "torch" (any device).
        threads: how many threads share a population; a network's bits do not depend on them.
    """

    engine: str = "compiled"
    threads: int = 1


@dataclass(frozen=True)
class Networks:
    """Networks of one interface: the same inputs and outputs, any structure between.

    A network's nodes are numbered bias, inputs, hidden nodes in order of computation, outputs. An edge from a later
    node to an earlier one, or to itself, is recurrent: it reads the value of the previous step.

    Attributes:
        inputs, outputs: how many of each; the bias is not counted.
        node_offsets: `[n + 1]` int64, where each network's nodes begin in `activations`.
        activations: `[nodes]` uint8, ids of `evo.activations`; an input's is applied to what it reads.
        edge_offsets: `[nodes + 1]` int64, where the edges into each node begin in `edge_sources`.
        edge_sources: `[edges]` int64, the number of the source within its network.
        edge_weights: `[edges]` float32.
        execution: how they are run.
    """

    inputs: int
    outputs: int
    node_offsets: torch.Tensor
    activations: torch.Tensor
    edge_offsets: torch.Tensor
    edge_sources: torch.Tensor
    edge_weights: torch.Tensor
    execution: Execution = Execution()

    def __len__(self) -> int:
        return len(self.node_offsets) - 1

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.edge_weights.device

    @property
    def largest(self) -> int:
        """How many nodes the largest network has."""
        return int((self.node_offsets[1:] - self.node_offsets[:-1]).max()) if len(self) else 0

    @property
    def alike(self) -> bool:
        """Whether all have the same nodes and edges, as perceptrons of one shape have: they differ in weights only."""
        if not len(self) or len(self.activations) % len(self) or len(self.edge_sources) % len(self):
            return False
        nodes, edges = len(self.activations) // len(self), len(self.edge_sources) // len(self)
        numbers = torch.arange(len(self), device=self.device)[:, None]
        sources, kinds = (values.view(len(self), -1) for values in (self.edge_sources, self.activations))
        begins = self.edge_offsets[:-1].view(len(self), -1) - numbers * edges
        return bool(
            (self.node_offsets[:-1, None] == numbers * nodes).all()
            and (begins == begins[0]).all()
            and (kinds == kinds[0]).all()
            and (sources == sources[0]).all()
        )

    @property
    def recurrent(self) -> bool:
        """Whether any edge leads backward, or to its own source, and so reads the previous step."""
        if len(self) > 1 and self.alike:
            return self[:1].recurrent
        place = torch.arange(len(self.activations), device=self.device)
        begin = self.node_offsets[:-1].repeat_interleave(self.node_offsets.diff())
        targets = (place - begin).repeat_interleave(self.edge_offsets.diff())
        return bool((self.edge_sources >= targets).any())

    def with_unit_weights(self) -> Networks:
        """Return the same structures with every weight 1, for evaluation with a shared weight."""
        return replace(self, edge_weights=torch.ones_like(self.edge_weights))

    def with_weights(self, weights: torch.Tensor) -> Networks:
        """Return the same structures with other weights, given as a tensor of as many, of any shape."""
        if weights.numel() != self.edge_weights.numel():
            raise ValueError(
                f"weights: expected {self.edge_weights.numel()} numbers, one per edge, got {weights.numel()}"
            )
        # one column of rows is still a view with gaps, which kernels would read through
        return replace(self, edge_weights=weights.reshape(-1).to(self.edge_weights).contiguous())

    def tile(self, count: int) -> Networks:
        """Return this population `count` times in a row; with `with_weights`, weights `[count, edges]` fit it."""
        nodes, edges = len(self.activations), len(self.edge_sources)
        copies = torch.arange(count, device=self.device)[:, None]
        node_offsets = (self.node_offsets[:-1] + copies * nodes).flatten()
        edge_offsets = (self.edge_offsets[:-1] + copies * edges).flatten()
        return replace(
            self,
            node_offsets=torch.cat((node_offsets, node_offsets.new_tensor([count * nodes]))),
            activations=self.activations.repeat(count),
            edge_offsets=torch.cat((edge_offsets, edge_offsets.new_tensor([count * edges]))),
            edge_sources=self.edge_sources.repeat(count),
            edge_weights=self.edge_weights.repeat(count),
        )

    def on(self, execution: Execution) -> Networks:
        """Return the same networks, to be run in another way."""
        return replace(self, execution=execution)

    def to(self, device: torch.device | str) -> Networks:
        """Return the same networks on another device."""
        names = ("node_offsets", "activations", "edge_offsets", "edge_sources", "edge_weights")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})

    def __getitem__(self, numbers: slice) -> Networks:
        """Return the networks `first:last` of this population."""
        if not isinstance(numbers, slice):
            raise TypeError(f"Networks: take a slice such as [3:4], a population of one, not [{numbers!r}]")
        first, last, stride = numbers.indices(len(self))
        if stride != 1:
            raise ValueError("Networks: slices have stride 1")
        last = max(first, last)
        nodes = slice(int(self.node_offsets[first]), int(self.node_offsets[last]))
        edges = slice(int(self.edge_offsets[nodes.start]), int(self.edge_offsets[nodes.stop]))
        return replace(
            self,
            node_offsets=self.node_offsets[first : last + 1] - nodes.start,
            activations=self.activations[nodes],
            edge_offsets=self.edge_offsets[nodes.start : nodes.stop + 1] - edges.start,
            edge_sources=self.edge_sources[edges],
            edge_weights=self.edge_weights[edges],
        )

    def forward(self, cases: torch.Tensor, shared_weight: float | None = None) -> torch.Tensor:
        """Return every network's outputs `[n, cases, outputs]` on the same cases `[cases, inputs]`.

        Args:
            cases: inputs, float32. Recurrent edges read 0: each case starts from rest.
            shared_weight: one weight for all edges; None for the networks' own.
        """
        from evo.evaluation.forward import forward

        if cases.dim() != 2 or cases.shape[1] != self.inputs:
            raise ValueError(f"cases: expected shape [cases, {self.inputs}], got {list(cases.shape)}")
        networks = self if shared_weight is None else self.with_unit_weights()
        return forward(networks, cases.to(self.device, torch.float32), 1.0 if shared_weight is None else shared_weight)

    def describe(self, number: int) -> dict[str, list[Any]]:
        """Return network `number` as plain lists: activation names per node, and (source, target, weight) edges."""
        one = self[number : number + 1]
        targets = torch.repeat_interleave(torch.arange(len(one.activations)), one.edge_offsets.diff().cpu())
        return {
            "activations": [NAMES[kind] for kind in one.activations.tolist()],
            "edges": [
                [source, target, weight]
                for source, target, weight in zip(
                    one.edge_sources.tolist(), targets.tolist(), one.edge_weights.tolist(), strict=True
                )
            ],
        }


def pack(
    inputs: int, outputs: int, networks: Sequence[tuple[Sequence[int], Sequence[tuple[int, int, float]]]]
) -> Networks:
    """Return packed networks from lists: for each its nodes' activation ids and its (source, target, weight) edges."""
    activations: list[int] = []
    node_offsets, edge_offsets = [0], [0]
    sources: list[int] = []
    weights: list[float] = []
    for kinds, edges in networks:
        activations += kinds
        node_offsets.append(len(activations))
        by_target: list[list[tuple[int, float]]] = [[] for _ in kinds]
        for source, target, weight in sorted(edges):
            by_target[target].append((source, weight))
        for into in by_target:
            sources += [source for source, _ in into]
            weights += [weight for _, weight in into]
            edge_offsets.append(len(sources))
    return Networks(
        inputs,
        outputs,
        torch.tensor(node_offsets),
        torch.tensor(activations, dtype=torch.uint8),
        torch.tensor(edge_offsets),
        torch.tensor(sources, dtype=torch.int64),
        torch.tensor(weights, dtype=torch.float32),
    )
