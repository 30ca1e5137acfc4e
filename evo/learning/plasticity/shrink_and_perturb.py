"""Noise on all weights at every step: the perturbing half of shrink and perturb (Ash & Adams 2020).

With weight decay as the shrinking half it is what Dohare et al. 2024 compare with: small and at every step, where the
original is large and between tasks.
"""

from __future__ import annotations

import torch

from evo.learners import Architecture
from evo.learning import draws


def perturb(weights: torch.Tensor, noise: torch.Tensor, start: torch.Tensor, architecture: Architecture) -> None:
    """Add normal noise to weights and biases, in place.

    In each layer two rows, which are weights from one feature or the biases, have their noise from one draw.

    Args:
        weights: `[n, parameters]`.
        noise: `[n, 1]`, standard deviations.
        start: `[n]` int64, of `draws.moment`.
        architecture: the learners'.
    """
    for layer in architecture.layers:
        rows, outputs = layer.fan_in + 1, layer.outputs
        places = layer.begin + torch.arange((rows + 1) // 2 * outputs, device=weights.device)
        pairs = [drawn.view(len(weights), -1, outputs) for drawn in draws.normals(start, places)]
        drawn = torch.stack(pairs, 2).flatten(1)[:, : rows * outputs]
        weights[:, layer.begin : layer.end] += drawn * noise
