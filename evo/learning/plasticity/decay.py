"""Pulls on weights: to zero as a part of the gradient (L2) or apart from it, and to the weights of birth.

Weight decay: Krogh & Hertz 1992. Apart from the gradient: Loshchilov & Hutter 2019 (AdamW), algorithm 2 line 12.
L2 Init: Kumar, Marklund & Van Roy 2023. All pull on weights and biases alike.
"""

from __future__ import annotations

import torch


def add_decay(gradient: torch.Tensor, weights: torch.Tensor, weight_decay: torch.Tensor) -> None:
    """Add the gradient of weight_decay / 2 * |weights|^2, in place.

    Args:
        gradient, weights: `[n, parameters]`.
        weight_decay: `[n, 1]`.
    """
    gradient.add_(weights * weight_decay)


def add_initial_decay(
    gradient: torch.Tensor, weights: torch.Tensor, initial_weights: torch.Tensor, initial_decay: torch.Tensor
) -> None:
    """Add the gradient of initial_decay * |weights - initial_weights|^2, in place.

    Args:
        gradient, weights, initial_weights: `[n, parameters]`.
        initial_decay: `[n, 1]`.
    """
    gradient.add_((weights - initial_weights).mul_(2 * initial_decay))


def shrink(weights: torch.Tensor, step_size: torch.Tensor, decoupled_decay: torch.Tensor) -> None:
    """Shrink weights `[n, parameters]` in place, by shares of step sizes `[n, 1]`."""
    weights.mul_(1 - step_size * decoupled_decay)
