"""Cross two topologies, their genes aligned by identity (Stanley & Miikkulainen 2002, section 3.2)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.distance import connection_keys
from genomes.topology.fields import Fields


def cross(child: Fields, other: Fields, rng: np.random.Generator) -> None:
    """Mix into copies of first parents what second parents have in common with them, in place.

    Nodes and connections are aligned by identity. Structure, and genes that only the first (the fitter) parent has,
    are the first parent's. A matching connection takes its weight from either parent, evenly, and a matching node, an
    input and an output its activation; a matching connection's enabled flag comes along with its weight.

    Args:
        child: views of copies of the first parents' rows.
        other: views of the second parents' rows.
        rng: where all draws come from.
    """
    place, match = _align(connection_keys(child), connection_keys(other))
    take = match & (seeds.uniform(rng, tuple(match.shape), child.node) < 0.5)
    for name in ("edge_weight", "edge_enabled"):
        mine, theirs = getattr(child, name), getattr(other, name)
        mine[...] = torch.where(take, theirs.gather(1, place), mine)
    place, match = _align(child.node, other.node)
    take = match & (seeds.uniform(rng, tuple(match.shape), child.node) < 0.5)
    child.node_activation[...] = torch.where(take, other.node_activation.gather(1, place), child.node_activation)
    take = seeds.uniform(rng, tuple(child.interface_activation.shape), child.node) < 0.5
    child.interface_activation[...] = torch.where(take, other.interface_activation, child.interface_activation)


def _align(mine: torch.Tensor, theirs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each of `mine` `[n, k]` its place among `theirs` `[n, m]`, and whether it is there; NaN never is."""
    order = theirs.nan_to_num(nan=torch.inf).sort(dim=1)
    last = theirs.shape[1] - 1
    spot = torch.searchsorted(order.values, mine.nan_to_num(nan=0.0).contiguous()).clamp(max=last)
    return order.indices.gather(1, spot), order.values.gather(1, spot) == mine
