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
    """Add normal noise to each connection's weight with probability `rate`, else draw it anew with another, in place.

    Args:
        fields: views of the genomes' rows, changed in place.
        rate: the probability that a weight moves.
        deviation: the noise's standard deviation.
        rng: where all draws come from.
        replacement_rate: the probability that a weight is drawn anew and does not move; at most 1 - rate.
        weight_range: such a weight is uniform from -weight_range to weight_range.
    """
    weights = fields.edge_weight
    shape = tuple(weights.shape)
    used = ~fields.edge_source.isnan()
    draws = seeds.uniform(rng, shape, weights)
    weights += torch.where((draws < rate) & used, deviation * seeds.normal(rng, shape, weights), 0.0)
    if replacement_rate:
        anew = (draws >= rate) & (draws < rate + replacement_rate) & used
        fresh = (2.0 * seeds.uniform(rng, shape, weights) - 1.0) * weight_range
        weights[...] = torch.where(anew, fresh, weights)
