"""A network as a `torch.nn.Module`: its connections' weights are parameters, so gradients can train them.

Nodes are computed depth by depth. A depth is one product of a small dense matrix (its nodes by their sources) with
the sources' values, then one call per kind of activation; nothing is written in place, so autograd sees all of it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch

from evo.activations import FUNCTIONS, IDS
from evo.champion import networks_of
from evo.exchange.layers import depths, runs


class NetworkModule(torch.nn.Module):
    """The network of a champion file, to be trained or built into something larger.

    Recurrent networks are run with `step`, which takes and gives their state; `forward` starts each case from rest.

    Attributes:
        weight: `[edges]` parameter, in the order of the network's `edges`; None with a shared weight.
        shared_weight: scalar parameter, the weight of all edges; None where each has its own.
        recurrent: whether any edge reads the previous step.

    Args:
        network: as in a champion file: `inputs` and `outputs` by name, `activations` per node (bias, inputs, hidden,
            outputs), `edges` as [source, target, weight].
        shared_weight: one weight for all edges; None for the edges' own.

    Raises:
        evo.champion.ChampionError: the network is described wrongly.
    """

    weight: torch.nn.Parameter
    shared_weight: torch.nn.Parameter | None
    _order: torch.Tensor
    _number: torch.Tensor
    _output_rows: torch.Tensor
    _places: torch.Tensor
    _reads: torch.Tensor

    def __init__(self, network: dict[str, Any], shared_weight: float | None = None) -> None:
        super().__init__()
        networks_of(network)  # refuses what is no network
        self.inputs, self.outputs = len(network["inputs"]), len(network["outputs"])
        edges = network["edges"]
        if shared_weight is None:
            self.weight = torch.nn.Parameter(torch.tensor([float(edge[2]) for edge in edges]))
            self.register_parameter("shared_weight", None)
        else:
            self.shared_weight = torch.nn.Parameter(torch.tensor(float(shared_weight)))
            self.register_parameter("weight", None)
        self._edges = len(edges)
        self._plan(["linear", *network["activations"][1:]], [(source, target) for source, target, _ in edges])

    def _plan(self, activations: list[str], edges: list[tuple[int, int]]) -> None:
        """Renumber nodes by depth, inputs first, and within a depth by activation; lay out each depth's matrix."""
        nodes = len(activations)
        self.recurrent = any(source >= target for source, target in edges)
        self._offset = nodes if self.recurrent else 0  # the previous step's values stand before this step's
        depth = torch.tensor(depths(nodes, self.inputs, edges))
        kind = torch.tensor([IDS[name] for name in activations])
        order = torch.argsort(depth * 256 + torch.where(depth > 0, kind, 0), stable=True)  # inputs stay in their order
        number = torch.argsort(order)
        self._buffer("_order", order)
        self._buffer("_number", number)
        self._buffer("_output_rows", number[nodes - self.outputs :])
        self._bounds = torch.searchsorted(depth[order], torch.arange(1, int(depth.max()) + 2)).tolist()
        names = [activations[node] for node in order.tolist()]
        self._runs = [runs(names[start:end]) for start, end in pairwise([0, *self._bounds])]
        sources, targets = torch.tensor(edges, dtype=torch.int64).reshape(-1, 2).T
        self._plan_products(number[sources] + (sources < targets) * self._offset, number[targets])

    def _plan_products(self, sources: torch.Tensor, targets: torch.Tensor) -> None:
        """Give each depth the rows it reads, and each edge its place in the depth's matrix `[nodes, rows read]`."""
        places, reads, size = torch.zeros(self._edges, dtype=torch.int64), [], 0
        for first, last in pairwise(self._bounds):
            here = torch.nonzero((targets >= first) & (targets < last)).flatten()
            read, column = torch.unique(sources[here], return_inverse=True)
            places[here] = size + (targets[here] - first) * len(read) + column
            reads.append(read)
            size += (last - first) * len(read)
        self._buffer("_places", places)
        self._buffer("_reads", torch.cat(reads))
        self._read_sizes = [len(read) for read in reads]
        self._matrix_sizes = [
            (last - first) * size for (first, last), size in zip(pairwise(self._bounds), self._read_sizes, strict=True)
        ]

    def _buffer(self, name: str, value: torch.Tensor) -> None:
        self.register_buffer(name, value, persistent=False)

    def edge_weights(self) -> torch.Tensor:
        """Return the weight of every edge `[edges]`, in the order of the network's `edges`."""
        return self.weight if self.shared_weight is None else self.shared_weight.expand(self._edges)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the outputs `[cases, outputs]` for `inputs` `[cases, inputs]`; recurrent edges read 0."""
        return self.step(inputs, None)[0]

    def step(self, inputs: torch.Tensor, state: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the outputs `[cases, outputs]` and the state after this step.

        Args:
            inputs: `[cases, inputs]`.
            state: what the step before returned, `[cases, nodes]`: the values of the network's nodes, in their order;
                None for a state of rest.
        """
        if inputs.dim() != 2 or inputs.shape[1] != self.inputs:
            raise ValueError(f"inputs: expected shape [cases, {self.inputs}], got {list(inputs.shape)}")
        nodes = len(self._order)
        if state is not None and state.shape != (len(inputs), nodes):
            raise ValueError(
                f"state: expected shape [{len(inputs)}, {nodes}], as the step before returned it, "
                f"got {list(state.shape)}"
            )
        values = self._values(inputs, state)
        return values[self._output_rows].T, values[self._number].T

    def _values(self, inputs: torch.Tensor, state: torch.Tensor | None) -> torch.Tensor:
        """Return the values of the renumbered nodes `[nodes, cases]`."""
        weights = self.edge_weights()
        matrices = weights.new_zeros(sum(self._matrix_sizes)).scatter(0, self._places, weights)
        bias = weights.new_ones(1, len(inputs))
        known = _activate(torch.cat((bias, inputs.to(weights.dtype).T)), self._runs[0])
        if self.recurrent:
            known = torch.cat((self._previous(known, state), known))
        products = zip(
            torch.split(matrices, self._matrix_sizes),
            torch.split(self._reads, self._read_sizes),
            self._runs[1:],
            strict=True,
        )
        for matrix, read, kinds in products:
            nodes = sum(count for _, count in kinds)
            sums = matrix.view(nodes, len(read)) @ known.index_select(0, read)
            known = torch.cat((known, _activate(sums, kinds)))
        return known[self._offset :]

    def _previous(self, like: torch.Tensor, state: torch.Tensor | None) -> torch.Tensor:
        """Return the previous step's values of the renumbered nodes `[nodes, cases]`; from rest, 0."""
        if state is None:
            return like.new_zeros(self._offset, like.shape[1])
        return state.to(like.dtype).T[self._order]


def _activate(sums: torch.Tensor, kinds: list[tuple[str, int]]) -> torch.Tensor:
    """Return the activations of `sums` `[nodes, cases]`, where `kinds` are (name, how many nodes in a row)."""
    parts = torch.split(sums, [count for _, count in kinds])
    return torch.cat([FUNCTIONS[IDS[name] - 1][1](part) for (name, _), part in zip(kinds, parts, strict=True)])
