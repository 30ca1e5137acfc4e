"""Dropout (Srivastava et al. 2014): units are left out of a step at random, the others count for more.

A convolution's channel is left out as a whole (Tompson et al. 2015), and so is a unit with both its copies where ReLU
is concatenated.
"""

from __future__ import annotations

import torch

from evo.learning import draws


def left_in(start: torch.Tensor, batch: int, units: int, dropout: torch.Tensor) -> torch.Tensor:
    """Return which units take part, `[n, batch, units]` bool.

    Args:
        start: `[n]` int64, of `draws.moment`.
        batch: how many cases; each has draws of its own.
        units: of all layers.
        dropout: `[n, 1]`, the probability that a unit is left out.
    """
    places = torch.arange(batch * units, device=start.device)
    return (draws.uniform(start, places) >= dropout).view(-1, batch, units)


def thinned(features: torch.Tensor, taking_part: torch.Tensor, dropout: torch.Tensor) -> torch.Tensor:
    """Return features with units left out.

    Args:
        features: `[n, batch, copies * units]`, or `[n, batch, copies * units, height, width]`.
        taking_part: `[n, batch, units]` bool.
        dropout: `[n, 1]`.
    """
    copies = features.shape[2] // taking_part.shape[2]
    factors = (taking_part / (1 - dropout[..., None])).repeat(1, 1, copies)
    return features * factors[(...,) + (None,) * (features.dim() - 3)]
