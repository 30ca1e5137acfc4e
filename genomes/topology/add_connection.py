"""Connect two nodes that are not connected yet (Stanley & Miikkulainen 2002; Gaier & Ha 2019, section 3.2)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.indexing import Index, choose, index


def add_connection(
    fields: Fields, inputs: int, outputs: int, weight_range: float, recurrent: bool, rng: np.random.Generator
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
    """
    where = index(fields.node, fields.edge_source, fields.edge_target, inputs, outputs)
    draws = seeds.uniform(rng, (3, len(fields.node)), fields.node)
    free = _ways_out(where, inputs, outputs, recurrent) - _out_degree(where)
    source, _ = choose(free > 0, draws[0])
    target, possible = choose(_free_targets(where, source, inputs, recurrent), draws[1])
    possible &= (free > 0).any(1)
    row = torch.arange(len(source), device=source.device)[possible]
    ends = [where.identities[row, place[row]] for place in (source, target)]
    fields.connect(row, fields.edges()[row], ends[0], ends[1], (2.0 * draws[2][row] - 1.0) * weight_range)


def _ways_out(where: Index, inputs: int, outputs: int, recurrent: bool) -> torch.Tensor:
    """Return how many targets each node `[n, nodes]` could have."""
    place = torch.arange(where.identities.shape[1], device=where.sizes.device)
    size = where.sizes[:, None]
    if recurrent:
        return torch.where(place < size, size - (inputs + 1), 0)
    return torch.where(place < size - outputs, size - 1 - place.clamp(min=inputs), 0)


def _out_degree(where: Index) -> torch.Tensor:
    degree = torch.zeros_like(where.identities, dtype=torch.int64)
    return degree.scatter_add_(1, where.sources, where.used.to(torch.int64))


def _free_targets(where: Index, source: torch.Tensor, inputs: int, recurrent: bool) -> torch.Tensor:
    """Return which nodes `[n, nodes]` each source `[n]` may be connected to and is not."""
    place = torch.arange(where.identities.shape[1], device=source.device)
    lowest = torch.full_like(source, inputs) if recurrent else source.clamp(min=inputs)
    allowed = (place > lowest[:, None]) & (place < where.sizes[:, None])
    taken = torch.zeros_like(where.identities, dtype=torch.int8)
    mine = where.used & (where.sources == source[:, None])
    taken.scatter_reduce_(1, where.targets, mine.to(torch.int8), "amax")
    return allowed & (taken == 0)
