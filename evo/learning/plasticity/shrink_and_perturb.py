"""Noise on all weights at every step: the perturbing half of shrink and perturb (Ash & Adams 2020).

With weight decay as the shrinking half it is what Dohare et al. 2024 compare with: small and at every step, where the
original is large and between tasks.
"""

from __future__ import annotations

import torch

from evo.learning import draws


def perturb(weights: torch.Tensor, noise: torch.Tensor, start: torch.Tensor) -> None:
    """Add normal noise to weights and biases, in place.

    Args:
        weights: `[n, parameters]`.
        noise: `[n, 1]`, standard deviations.
        start: `[n]` int64, of `draws.moment`.
    """
    places = torch.arange(weights.shape[1], device=weights.device)
    weights.add_(draws.normal(start, places).mul_(noise))
