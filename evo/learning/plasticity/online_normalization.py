"""Online normalization (Chiley et al. 2019), without gain and bias.

What a unit sums is brought to mean 0 and variance 1 over time, with running means; and gradients are kept, over time,
from pointing where normalization has no say, with two running errors. Then each case is divided by its layer's root
mean square (layer scaling), which bounds what a late running variance lets through. A step's cases and pixels are one
moment: they are normalized with the state before it.

State per unit: running mean, running variance, and the accumulated errors of the gradient's mean and of its share along
the normalized sums.
"""

from __future__ import annotations

from typing import Any

import torch

FORWARD_DECAY, BACKWARD_DECAY = 0.999, 0.99
EPSILON = 1e-5
NEWBORN = (0.0, 1.0, 0.0, 0.0)
"""A new unit's mean, variance, and two errors."""


def newborn(count: int, units: int, device: torch.device) -> torch.Tensor:
    """Return the state of new learners, `[n, 4, units]`."""
    return torch.tensor(NEWBORN, device=device)[:, None].repeat(count, 1, units)


def online_normalized(sums: torch.Tensor, state: torch.Tensor, after: torch.Tensor | None = None) -> torch.Tensor:
    """Return sums `[n, batch, units]` or `[n, batch, channels, height, width]`, normalized.

    Args:
        sums: what the layer's units sum.
        state: `[n, 4, units]`, as before this step.
        after: where the state after this step is put, by the forward and the backward pass; None to learn nothing.
    """
    controlled = after is not None
    normalized = _Controlled.apply(sums, state, after) if controlled else _normalized(sums, state)[0]  # type: ignore[no-untyped-call]
    over = list(range(2, sums.dim()))
    return normalized / (normalized.square().mean(over, keepdim=True) + EPSILON).sqrt()


def _normalized(sums: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return sums normalized with a state, and what they were divided by."""
    deviation = (_broadcast(state[:, 1], sums) + EPSILON).sqrt()
    return (sums - _broadcast(state[:, 0], sums)) / deviation, deviation


def _broadcast(values: torch.Tensor, sums: torch.Tensor) -> torch.Tensor:
    """Return units' values `[n, units]` in the shape of sums."""
    return values[(slice(None), None, slice(None)) + (None,) * (sums.dim() - 3)]


def _moment(values: torch.Tensor) -> torch.Tensor:
    """Return the means over cases and pixels, `[n, units]`."""
    return values.mean([1, *range(3, values.dim())])


class _Controlled(torch.autograd.Function):
    """Normalization whose gradients are controlled over time."""

    @staticmethod
    def forward(ctx: Any, sums: torch.Tensor, state: torch.Tensor, after: torch.Tensor) -> torch.Tensor:
        normalized, deviation = _normalized(sums, state)
        mean = _moment(sums)
        variance = _moment((sums - _broadcast(mean, sums)).square())
        step = mean - state[:, 0]
        after[:, 0] = state[:, 0] + (1 - FORWARD_DECAY) * step
        after[:, 1] = FORWARD_DECAY * state[:, 1] + (1 - FORWARD_DECAY) * (variance + FORWARD_DECAY * step.square())
        ctx.save_for_backward(normalized, deviation)
        ctx.state, ctx.after = state, after
        return normalized

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        normalized, deviation = ctx.saved_tensors
        state, after = ctx.state, ctx.after
        gradient = gradients[0] - (1 - BACKWARD_DECAY) * _broadcast(state[:, 3], normalized) * normalized
        after[:, 3] = state[:, 3] + _moment(gradient * normalized)
        gradient = gradient / deviation - (1 - BACKWARD_DECAY) * _broadcast(state[:, 2], normalized)
        after[:, 2] = state[:, 2] + _moment(gradient)
        return gradient, None, None
