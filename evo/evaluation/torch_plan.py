"""How torch computes a whole population of different networks: depth by depth, activations in slices.

Nodes of all networks are renumbered by depth, then by activation. A depth is a few gathers and sums (nodes of similar
in-degree together, so that padding stays small) and one call per activation on a contiguous slice. All shapes are
fixed by the plan, so a step can be captured as a CUDA graph; sums run in a fixed order, so bits are repeatable.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch

from evo.activations import FUNCTIONS
from evo.networks import Networks


@dataclass(frozen=True)
class Gather:
    """Nodes of similar in-degree: `values[first + places] = (values[sources] * weights).sum(1)`."""

    places: torch.Tensor
    sources: torch.Tensor
    weights: torch.Tensor


@dataclass(frozen=True)
class Depth:
    """The nodes `first:last`, their sums, and their activations as slices `(id, first, last)`."""

    first: int
    last: int
    gathers: tuple[Gather, ...]
    activations: tuple[tuple[int, int, int], ...]


class Plan:
    """The order of computation for a population of networks.

    Attributes:
        nodes: how many nodes all networks have together; `values` is `[2 * nodes, lanes]`, the second half holding
            the previous step.
        recurrent: whether any edge reads the previous step.
        bias, inputs, outputs: the renumbered nodes, `[n]`, `[n, inputs]`, `[n, outputs]`.
        input_activations: the inputs' activations, as slices `(id, first, last)`.
        depths: what to compute, in order.
    """

    def __init__(self, networks: Networks) -> None:
        device = networks.device
        self.nodes = len(networks.activations)
        sizes = networks.node_offsets.diff()
        begin = networks.node_offsets[:-1]
        local = torch.arange(self.nodes, device=device) - begin.repeat_interleave(sizes)
        targets = torch.arange(self.nodes, device=device).repeat_interleave(networks.edge_offsets.diff())
        sources = networks.edge_sources + begin.repeat_interleave(sizes)[targets]
        backward = sources >= targets
        fixed = local <= networks.inputs
        depth = _depths(sources[~backward], targets[~backward], fixed)
        kinds = networks.activations.to(torch.int64).index_fill(0, begin, 1)  # the bias is 1, whatever it is said to do
        order = torch.argsort(depth * 256 + kinds, stable=True)
        number = torch.empty_like(order)
        number[order] = torch.arange(self.nodes, device=device)
        self.recurrent = bool(backward.any())
        self.bias = number[begin]
        self.inputs = number[begin[:, None] + 1 + torch.arange(networks.inputs, device=device)]
        last = networks.node_offsets[1:, None] - networks.outputs
        self.outputs = number[last + torch.arange(networks.outputs, device=device)]
        edges = (number[sources] + backward * self.nodes, number[targets], networks.edge_weights)
        self.input_activations = _slices(kinds[order][: int(fixed.sum())], 0)
        self.depths = _plan_depths(depth[order], kinds[order], edges)

    def compute(self, values: torch.Tensor, scale: torch.Tensor) -> None:
        """Compute all nodes from the inputs, in place.

        Args:
            values: `[2 * nodes, lanes]`, with bias, inputs and the previous step filled in.
            scale: `[lanes]` what weighted sums are multiplied with.
        """
        for kind, first, last in self.input_activations:
            values[first:last] = FUNCTIONS[kind - 1][1](values[first:last])
        for depth in self.depths:
            block = values[depth.first : depth.last]
            block.zero_()
            for gather in depth.gathers:
                sums = torch.einsum("kdl,kd->kl", values[gather.sources], gather.weights)
                block.index_copy_(0, gather.places, sums * scale)
            for kind, first, last in depth.activations:
                values[first:last] = FUNCTIONS[kind - 1][1](values[first:last])


def _depths(sources: torch.Tensor, targets: torch.Tensor, fixed: torch.Tensor) -> torch.Tensor:
    """Return each node's depth: the longest path to it; 0 for bias and inputs, at least 1 for all others."""
    depth = (~fixed).to(torch.int64)
    for _ in range(len(fixed) + 1):
        deeper = depth.scatter_reduce(0, targets, depth[sources] + 1, "amax")
        if torch.equal(deeper, depth):
            return depth
        depth = deeper
    raise ValueError("Networks: edges from earlier to later nodes close a cycle, so node numbers are not as documented")


def _plan_depths(
    depth: torch.Tensor, kinds: torch.Tensor, edges: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
) -> tuple[Depth, ...]:
    sources, targets, weights = edges
    by_target = torch.argsort(targets, stable=True)
    sources, targets, weights = sources[by_target], targets[by_target], weights[by_target]
    degree = torch.bincount(targets, minlength=len(depth))
    starts = degree.cumsum(0) - degree
    bounds = torch.searchsorted(depth, torch.arange(1, int(depth.max()) + 2, device=depth.device)).tolist()
    depths = []
    for first, last in pairwise(bounds):
        gathers = []
        size = 1
        while size // 4 < int(degree[first:last].max()):
            here = degree[first:last]
            places = torch.nonzero((here > size // 4) & (here <= size)).flatten()
            if len(places):
                gathers.append(_gather(places, places + first, starts, degree, sources, weights))
            size *= 4
        depths.append(Depth(first, last, tuple(gathers), _slices(kinds[first:last], first)))
    return tuple(depths)


def _gather(
    places: torch.Tensor,
    nodes: torch.Tensor,
    starts: torch.Tensor,
    degree: torch.Tensor,
    sources: torch.Tensor,
    weights: torch.Tensor,
) -> Gather:
    slots = torch.arange(int(degree[nodes].max()), device=nodes.device)
    used = slots < degree[nodes, None]
    edges = torch.where(used, starts[nodes, None] + slots, 0)
    return Gather(places, sources[edges], torch.where(used, weights[edges], 0.0))


def _slices(kinds: torch.Tensor, start: int) -> tuple[tuple[int, int, int], ...]:
    present, counts = torch.unique_consecutive(kinds, return_counts=True)
    slices = []
    for kind, count in zip(present.tolist(), counts.tolist(), strict=True):
        if kind != 1:
            slices.append((kind, start, start + count))
        start += count
    return tuple(slices)
