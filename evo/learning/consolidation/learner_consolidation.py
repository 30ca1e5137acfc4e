"""Learners that hold on to what they know: elastic weight consolidation, learner by learner, as settings of their own.

When a task has ended, a learner adds a quadratic around its weights theta* to what it minimises from there on, with
lambda its `consolidation`, F the Fisher information of the task, and alpha its `anchoring`, which is alike for all
weights (the control of Kirkpatrick et al. 2017, Fig. 2A, "L2"):

    sum_i (lambda F_i + alpha) / 2 (theta_i - theta*_i)^2                       (equation 3 there, and the control)

All quadratics are one, with `precision` P and `pull` p = P * its centre, which are all that is kept. "separate" adds
every task's around where that task ended; "online" moves the centre of the sum to where the last one ended (Huszar
2018, equation 7; Schwarz et al. 2018, equation 9). Before, what was there is multiplied by `consolidation_decay`.
Lambdas are in P and p: one that evolves counts for tasks that end later.

A step of size s goes from where the optimiser came to, theta', to the minimum of the quadratic and of the distance to
theta' (an implicit, or proximal, step), so that no lambda makes weights diverge, as s * P > 2 does in an explicit one:

    argmin_theta P/2 theta^2 - p theta + (theta - theta')^2 / (2 s)  =  (theta' + s p) / (1 + s P)

After gradient descent that is the minimum of the loss's linear approximation and of the quadratic together, near the
old weights. After Adam it is the same step, of the step size, which is not divided by a gradient's size as Adam's own
is: a lambda for one optimiser is none for another. Moments know nothing of the pull, as with decoupled decay.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from evo.learners import CONSOLIDATING, Learners
from evo.stream import Segment


def consolidating(learners: Learners) -> bool:
    """Return whether any of the learners holds on to anything, or will."""
    held = learners.precision is not None and bool(learners.precision.any())
    return held or bool(_willing(learners).any())


def with_room(learners: Learners) -> Learners:
    """Return learners with a precision and a pull, zeros, where any of them needs them and they had none."""
    if learners.precision is not None or not _willing(learners).any():
        return learners
    return replace(learners, precision=torch.zeros_like(learners.weights), pull=torch.zeros_like(learners.weights))


def consolidated(learners: Learners, segment: Segment) -> Learners:
    """Return learners that hold on to what they are now, each by its own settings; the others stay as they are.

    Args:
        learners: n of them, as they are when a task has ended.
        segment: the last one of the task, with their streams among its own.
    """
    willing = _willing(learners)[:, None]
    learners = with_room(learners)
    if learners.precision is None or learners.pull is None or not willing.any():
        return learners
    decay = learners.settings["consolidation_decay"][:, None]
    added = _added(learners, segment)
    precision = decay * learners.precision + added
    if learners.rules.consolidate == "online":
        pull = precision * learners.weights
    else:
        pull = decay * learners.pull + added * learners.weights
    return replace(
        learners,
        precision=torch.where(willing, precision, learners.precision),
        pull=torch.where(willing, pull, learners.pull),
    )


def hold(learners: Learners) -> tuple[torch.Tensor, torch.Tensor] | None:
    """Return what `approach` needs while weights are held and step sizes stay the same; None where nothing is held.

    `[n, parameters]` each: the share s P / (1 + s P) of the way back, and s p / (1 + s P).
    """
    if learners.precision is None or learners.pull is None or not learners.precision.any():
        return None
    size = learners.settings["step_size"][:, None]
    whole = 1 + size * learners.precision
    return size * learners.precision / whole, size * learners.pull / whole


def approach(weights: torch.Tensor, held: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Make the proximal step on weights `[n, parameters]`, in place.

    theta' - share theta' + s p / (1 + s P): so a share too small to be told from 0 beside 1 is not lost.
    """
    share, towards = held
    weights.add_(torch.addcmul(towards, weights, share, value=-1))


def let_go(learners: Learners, columns: slice) -> None:
    """Hold some of the weights no more, in place."""
    for values in (learners.precision, learners.pull):
        if values is not None:
            values[:, columns] = 0


def _willing(learners: Learners) -> torch.Tensor:
    """Return which learners hold on to the tasks that end, `[n]` bool."""
    return torch.stack([learners.settings[name] > 0 for name in CONSOLIDATING]).any(0)


def _added(learners: Learners, segment: Segment) -> torch.Tensor:
    """Return the precision of the task that has ended, `[n, parameters]`."""
    from evo.learning.consolidation.learner_fisher import learner_fisher

    strength = learners.settings["consolidation"]
    added = learners.settings["anchoring"][:, None].repeat(1, learners.architecture.parameters)
    weighed = (strength > 0).nonzero()[:, 0]
    if len(weighed):
        added[weighed] += strength[weighed, None] * learner_fisher(learners[weighed], segment)
    return added
