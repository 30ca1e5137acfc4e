"""How different two topologies are: NEAT's compatibility distance (Stanley & Miikkulainen 2002, section 3.3).

Genes are aligned by identity: a connection by its two ends. Identities are coordinates and have no age, so the
paper's excess genes (newer than all of the other genome's) are not told from its disjoint ones: both count alike.
"""

from __future__ import annotations

import torch

from genomes.topology.fields import Fields
from genomes.topology.identity import mix

BLOCK = 2**17
"""Numbers that are looked up at once; so many stay in the cache."""


def compatibility(
    fields: Fields,
    others: Fields,
    structure_coefficient: float = 1.0,
    weight_coefficient: float = 0.4,
    normalize_above: int = 20,
    activation_coefficient: float = 0.0,
) -> torch.Tensor:
    """Return the distance `[n, m]` (float64) of each of n genomes to each of m others, NEAT's equation 1.

    Enabled and disabled connections are genes alike. All work is in proportion to the connections of the n genomes,
    times m: let the others be the few.

    Args:
        fields: views of n genomes' rows.
        others: views of m genomes' rows, possibly of another capacity.
        structure_coefficient: c1 = c2, what a connection counts that only one of two genomes has.
        weight_coefficient: c3, what the mean difference of common connections' weights counts.
        normalize_above: N, which the first term is divided by, is the larger genome's number of connections where
            that is at least this, else 1 (the paper: 1 for genomes of fewer than 20 genes).
        activation_coefficient: what the share of common hidden nodes counts whose activations differ; not in the
            paper, which has one activation, but for genomes that have several.
    """
    fields, others = fields.trimmed(), others.trimmed()
    mine, theirs = connection_keys(fields), connection_keys(others)
    common, weights_apart = _compare(mine, fields.edge_weight, theirs, others.edge_weight)
    sizes = fields.edges()[:, None], others.edges()[None, :]
    unshared = sizes[0] + sizes[1] - 2 * common  # E + D
    larger = torch.maximum(*sizes)
    genes = torch.where((larger >= normalize_above) & (larger > 0), larger, 1)  # N
    weight = weights_apart / common.clamp(min=1)  # W
    delta = structure_coefficient * unshared / genes + weight_coefficient * weight  # equation 1
    if activation_coefficient:
        shared, apart = _compare(fields.node, fields.node_activation, others.node, others.node_activation, count=True)
        delta = delta + activation_coefficient * apart / shared.clamp(min=1)
    return delta


def connection_keys(fields: Fields) -> torch.Tensor:
    """Return a number per connection that tells it from all others: 53 bits, as float64; NaN in empty slots."""
    key = mix(fields.edge_source, fields.edge_target).to(torch.float64)
    return torch.where(fields.edge_source.isnan(), torch.nan, key)


def _compare(
    keys: torch.Tensor, values: torch.Tensor, other_keys: torch.Tensor, other_values: torch.Tensor, count: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return how many keys rows have in common, and the sum of their values' absolute differences, `[n, m]` each.

    Args:
        keys, values: `[n, k]`; keys are NaN in empty slots.
        other_keys, other_values: `[m, l]`, likewise.
        count: add up 1 for values that differ at all, in place of their difference.
    """
    known = other_keys[~other_keys.isnan()].sort().values
    known = known[torch.cat((known[:1] == known[:1], known[1:] != known[:-1]))]  # each once
    column = _columns(keys, known)
    table = torch.full((len(other_keys), len(known) + 1), torch.nan, dtype=torch.float64, device=keys.device)
    table.scatter_(1, _columns(other_keys, known), other_values.to(torch.float64))
    table[:, -1] = torch.nan  # where every key ends that none of the others has
    table = table.T.contiguous()
    common = torch.nn.functional.embedding_bag(column, (~table.isnan()).to(torch.float32), mode="sum")
    apart = []
    step = max(1, BLOCK // max(1, column.shape[1] * table.shape[1]))
    for first in range(0, len(column), step):
        places, mine = column[first : first + step], values[first : first + step]
        gap = table.index_select(0, places.flatten()).sub_(mine.reshape(-1, 1)).abs_()
        gap = (gap > 0).to(gap) if count else gap.nan_to_num_(nan=0.0)
        apart.append(gap.view(*places.shape, -1).sum(1))
    return common.to(torch.float64), torch.cat(apart)


def _columns(keys: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """Return the place `[n, k]` of each key in `known`, which is sorted; its length where a key is not there."""
    if not len(known):
        return torch.zeros_like(keys, dtype=torch.int64)
    place = torch.searchsorted(known, keys.nan_to_num(nan=-1.0).contiguous()).clamp(max=len(known) - 1)
    return torch.where(known[place] == keys, place, len(known))
