"""Layer normalization (Ba, Kiros & Hinton 2016, equation 3), without gain and bias.

What a layer's units sum is brought to mean 0 and variance 1 over the layer, case by case; over channels and pixels
where they are maps. To replace one unit moves the mean and the variance of its layer, and so all units of it a little.
"""

from __future__ import annotations

import torch

EPSILON = 1e-5


def layer_normalized(sums: torch.Tensor) -> torch.Tensor:
    """Return sums `[n, batch, units]` or `[n, batch, channels, height, width]`, normalized."""
    over = list(range(2, sums.dim()))
    centred = sums - sums.mean(over, keepdim=True)
    return centred / (centred.square().mean(over, keepdim=True) + EPSILON).sqrt()
