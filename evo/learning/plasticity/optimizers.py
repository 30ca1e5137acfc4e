"""Steps of gradient descent on the weights of n learners, each with settings of its own; everything changes in place.

Momentum (Polyak 1964) as torch.optim.SGD has it, Adam (Kingma & Ba 2015, algorithm 1) as torch.optim.Adam has it, but
with a step counted for every weight, so that a replaced weight starts anew (Dohare et al. 2024, Methods).
"""

from __future__ import annotations

import torch

EPSILON = 1e-8


def sgd(
    weights: torch.Tensor,
    gradient: torch.Tensor,
    first_moment: torch.Tensor,
    *,
    step_size: torch.Tensor,
    momentum: torch.Tensor,
) -> None:
    """Make one step of gradient descent.

    Args:
        weights: `[n, parameters]`.
        gradient: `[n, parameters]`.
        first_moment: `[n, parameters]`, or `[n, 0]` where no learner has momentum.
        step_size, momentum: `[n, 1]`.
    """
    if first_moment.shape[1]:
        gradient = first_moment.mul_(momentum).add_(gradient)
    weights.addcmul_(gradient, -step_size)


def adam(
    weights: torch.Tensor,
    gradient: torch.Tensor,
    moments: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    *,
    step_size: torch.Tensor,
    decays: tuple[torch.Tensor, torch.Tensor],
    together: bool = False,
    released: bool = False,
) -> None:
    """Make one step of Adam.

    Args:
        weights: `[n, parameters]`.
        gradient: `[n, parameters]`; overwritten.
        moments: first, second, and the steps that each weight has made, `[n, parameters]` each.
        step_size: `[n, 1]`.
        decays: of the first and of the second moment, `[n, 1]` each.
        together: whether all weights of a learner have made as many steps, which saves time.
        released: the update of the released code of Dohare et al. 2024, which lacks most of the bias correction.
    """
    first, second, steps = moments
    steps.add_(1)
    first.mul_(decays[0]).addcmul_(gradient, 1 - decays[0])
    second.mul_(decays[1]).addcmul_(gradient.square_(), 1 - decays[1])
    made = steps[:, :1] if together else steps
    if released:
        weights.sub_(first * (step_size * started(decays[1], made)) / (second.sqrt().add_(EPSILON)))
        return
    size = second.sqrt().div_(started(decays[1], made).sqrt()).add_(EPSILON)
    weights.sub_(first * (step_size / started(decays[0], made)) / size)


def started(decay: torch.Tensor, steps: torch.Tensor) -> torch.Tensor:
    """Return 1 - decay^steps, by which a running mean that began at 0 falls short, for steps of at least 1."""
    return -torch.expm1(steps * torch.log(decay))
