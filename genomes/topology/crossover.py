"""Cross two topologies, their genes aligned by identity (Stanley & Miikkulainen 2002, section 3.2)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.distance import connection_keys
from genomes.topology.fields import Fields


def cross(child: Fields, other: Fields, rng: np.random.Generator, disabled_inheritance_rate: float = 0.5) -> None:
    """Mix into copies of first parents what second parents have in common with them, in place.

    Nodes and connections are aligned by identity. Structure, and genes that only the first (the fitter) parent has,
    are the first parent's. A matching connection takes its weight from either parent, evenly, and a matching node, an
    input and an output its activation. A matching connection that both have disabled stays so.

    Args:
        child: views of copies of the first parents' rows.
        other: views of the second parents' rows.
        rng: where all draws come from.
        disabled_inheritance_rate: the probability that a matching connection which one parent has disabled is disabled
            in the child (the paper: 0.75). With 0.5 its flag is that of the parent whose weight it takes.
    """
    draws = seeds.uniform(rng, tuple(child.edge_source.shape), child.node)
    node_draws = seeds.uniform(rng, tuple(child.node.shape), child.node)  # before trimming: as many as ever
    child, other = child.trimmed(), other.trimmed()
    place, match = _align(connection_keys(child), connection_keys(other))
    draws = draws[:, : match.shape[1]]
    child.edge_weight[...] = torch.where(match & (draws < 0.5), other.edge_weight.gather(1, place), child.edge_weight)
    # the weight's draw decides here too, so that with 0.5 the flag comes with the weight
    mine, theirs = child.edge_enabled, other.edge_enabled.gather(1, place)
    take = torch.where(theirs < mine, draws < disabled_inheritance_rate, draws < 1.0 - disabled_inheritance_rate)
    mine[...] = torch.where(match & take, theirs, mine)
    place, match = _align(child.node, other.node)
    take = match & (node_draws[:, : match.shape[1]] < 0.5)
    child.node_activation[...] = torch.where(take, other.node_activation.gather(1, place), child.node_activation)
    take = seeds.uniform(rng, tuple(child.interface_activation.shape), child.node) < 0.5
    child.interface_activation[...] = torch.where(take, other.interface_activation, child.interface_activation)


def _align(mine: torch.Tensor, theirs: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return for each of `mine` `[n, k]` its place among `theirs` `[n, m]`, and whether it is there; NaN never is."""
    order = theirs.nan_to_num(nan=torch.inf).sort(dim=1)
    last = theirs.shape[1] - 1
    spot = torch.searchsorted(order.values, mine.nan_to_num(nan=0.0).contiguous()).clamp(max=last)
    return order.indices.gather(1, spot), order.values.gather(1, spot) == mine
