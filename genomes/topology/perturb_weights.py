"""Move the weights of a topology's connections, for weighted use (Stanley & Miikkulainen 2002, section 3.1)."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields


def perturb_weights(fields: Fields, rate: float, deviation: float, rng: np.random.Generator) -> None:
    """Add normal noise to each connection's weight with probability `rate`, in place.

    Args:
        fields: views of the genomes' rows, changed in place.
        rate: the probability that a weight moves.
        deviation: the noise's standard deviation.
        rng: where all draws come from.
    """
    weights = fields.edge_weight
    shape = tuple(weights.shape)
    moved = (seeds.uniform(rng, shape, weights) < rate) & ~fields.edge_source.isnan()
    weights += torch.where(moved, deviation * seeds.normal(rng, shape, weights), 0.0)
