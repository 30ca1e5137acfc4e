"""Connect two nodes that are not connected yet (Stanley & Miikkulainen 2002; Gaier & Ha 2019, section 3.2)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.indexing import Index, choose, index, layers


def add_connection(
    fields: Fields,
    inputs: int,
    outputs: int,
    weight_range: float,
    recurrent: bool,
    rng: np.random.Generator,
    deeper_only: bool = False,
) -> None:
    """Add one enabled connection to each genome; a genome that is fully connected stays as it is.

    The source is drawn uniformly from nodes that have anywhere to lead to, then the target uniformly from where it
    does not lead yet; disabled connections count as leading there. Without recurrence a target lies behind its
    source, so no cycle can close; with it, targets are all hidden and output nodes. Needs room for one connection.

    Args:
        fields: views of the genomes' rows, changed in place.
        inputs, outputs: how many of each, the bias not counted.
        weight_range: new weights are uniform from -weight_range to weight_range.
        recurrent: whether connections may lead backward, and to their own source.
        rng: where all draws come from.
        deeper_only: without recurrence, lead to any node that lies deeper than the source, whatever their identities,
            as the published weight agnostic networks code does: a node's depth is the longest path to it.
    """
    where = index(fields.node, fields.edge_source, fields.edge_target, inputs, outputs, deeper_only)
    draws = seeds.uniform(rng, (3, len(fields.node)), fields.node)
    order = layers(where, inputs, outputs) if deeper_only else _places(where, inputs, outputs)
    ways = _ways_back(where, inputs) if recurrent else _deeper(where, order)
    free = ways - _out_degree(where)
    source, _ = choose(free > 0, draws[0])
    lowest = torch.full_like(source, -1) if recurrent else order.gather(1, source[:, None])[:, 0]
    target, possible = choose(_free_targets(where, source, order, lowest, inputs), draws[1])
    possible &= (free > 0).any(1)
    row = torch.arange(len(source), device=source.device)[possible]
    ends = [where.identities[row, place[row]] for place in (source, target)]
    fields.connect(row, fields.edges()[row], ends[0], ends[1], (2.0 * draws[2][row] - 1.0) * weight_range)


def _places(where: Index, inputs: int, outputs: int) -> torch.Tensor:
    """Return each node's place `[n, nodes]` in the order of computation: bias and inputs share one, outputs another."""
    place = torch.arange(where.identities.shape[1], device=where.sizes.device)
    return torch.minimum(place.clamp(min=inputs), where.sizes[:, None] - outputs)


def _deeper(where: Index, order: torch.Tensor) -> torch.Tensor:
    """Return how many nodes of its genome lie behind each node `[n, nodes]`; 0 in empty slots."""
    place = torch.arange(order.shape[1], device=order.device)
    exists = place < where.sizes[:, None]
    counts = torch.zeros(len(order), order.shape[1] + 4, dtype=torch.int64, device=order.device)
    counts.scatter_add_(1, order + 1, exists.to(torch.int64))
    up_to = counts.cumsum(1).gather(1, order + 1)
    return torch.where(exists, where.sizes[:, None] - up_to, 0)


def _ways_back(where: Index, inputs: int) -> torch.Tensor:
    """Return how many targets each node `[n, nodes]` could have where connections may lead anywhere."""
    place = torch.arange(where.identities.shape[1], device=where.sizes.device)
    return torch.where(place < where.sizes[:, None], where.sizes[:, None] - (inputs + 1), 0)


def _out_degree(where: Index) -> torch.Tensor:
    degree = torch.zeros_like(where.identities, dtype=torch.int64)
    return degree.scatter_add_(1, where.sources, where.used.to(torch.int64))


def _free_targets(
    where: Index, source: torch.Tensor, order: torch.Tensor, lowest: torch.Tensor, inputs: int
) -> torch.Tensor:
    """Return which nodes `[n, nodes]` each source `[n]` may be connected to and is not: those behind `lowest` `[n]`."""
    place = torch.arange(where.identities.shape[1], device=source.device)
    allowed = (order > lowest[:, None]) & (place > inputs) & (place < where.sizes[:, None])
    taken = torch.zeros_like(where.identities, dtype=torch.int8)
    mine = where.used & (where.sources == source[:, None])
    taken.scatter_reduce_(1, where.targets, mine.to(torch.int8), "amax")
    return allowed & (taken == 0)
