"""Move the weights of a topology's connections, for weighted use (Stanley & Miikkulainen 2002, section 3.1)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields


def perturb_weights(
    fields: Fields,
    rate: float,
    deviation: float,
    rng: np.random.Generator,
    replacement_rate: float = 0.0,
    weight_range: float = 0.0,
) -> None:
    """Add normal noise to each connection's weight with probability `rate`, and draw some anew, in place.

    Args:
        fields: views of the genomes' rows, changed in place.
        rate: the probability that a weight moves.
        deviation: the noise's standard deviation.
        rng: where all draws come from.
        replacement_rate: the probability that a weight is drawn anew, in place of any move.
        weight_range: such a weight is uniform from -weight_range to weight_range.
    """
    weights = fields.edge_weight
    shape = tuple(weights.shape)
    used = ~fields.edge_source.isnan()
    moved = (seeds.uniform(rng, shape, weights) < rate) & used
    weights += torch.where(moved, deviation * seeds.normal(rng, shape, weights), 0.0)
    if replacement_rate:
        draws = seeds.uniform(rng, (2, *shape), weights)
        fresh = (2.0 * draws[1] - 1.0) * weight_range
        weights[...] = torch.where((draws[0] < replacement_rate) & used, fresh, weights)
