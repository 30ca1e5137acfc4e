"""What learners lose on a batch, and the slope of it, learner by learner."""

from __future__ import annotations

import torch


def squared(outputs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the mean squared error `[n]`, and its gradient by the outputs.

    Args:
        outputs, targets: `[n, batch, outputs]`.
    """
    error = outputs - targets
    return error.square().mean((1, 2)), error * (2 / (error.shape[1] * error.shape[2]))


def cross_entropy(
    outputs: torch.Tensor, targets: torch.Tensor, classes: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the mean cross-entropy `[n]`, its gradient by the outputs, and the share of right answers `[n]`.

    Args:
        outputs: `[n, batch, outputs]`.
        targets: `[n, batch]` int64, classes.
        classes: how many outputs take part, from the first.
    """
    used = outputs[..., :classes]
    logarithms = used.log_softmax(2)
    places = targets[..., None]
    loss = -logarithms.gather(2, places)[..., 0].mean(1)
    slope = torch.zeros_like(outputs)
    slope[..., :classes] = logarithms.exp().scatter_add(2, places, -torch.ones_like(used[..., :1])) / used.shape[1]
    return loss, slope, (used.argmax(2) == targets).to(torch.float32).mean(1)
