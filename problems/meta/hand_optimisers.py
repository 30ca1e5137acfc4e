"""Optimisers that people wrote, as what learned ones are compared with, each with its best step size.

The step size is chosen on tasks other than those it is judged on, from powers of 10 in quarters, 0.0001 to 31.6.
Formulas are those of `torch.optim`: momentum and Nesterov's without dampening; RMSprop with 0.99; Adam with 0.9 and
0.999 (Kingma & Ba 2015).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch

from evo.learning.lifetimes.learned_optimiser import Move, descend
from evo.optimisees import Optimisees

STEP_SIZES = tuple(10 ** (-quarter / 4) for quarter in range(-6, 17))


def plain(rate: float) -> Move:
    """Return gradient descent."""
    return lambda gradients, places, number: -rate * gradients


def momentum(rate: float, kept: float = 0.9, nesterov: bool = False) -> Move:
    """Return gradient descent with momentum; with Nesterov's, which looks a step ahead."""
    velocity: torch.Tensor | float = 0.0

    def move(gradients: torch.Tensor, places: torch.Tensor, number: int) -> torch.Tensor:
        nonlocal velocity
        velocity = kept * velocity + gradients
        return -rate * (gradients + kept * velocity if nesterov else velocity)

    return move


def nesterov(rate: float) -> Move:
    """Return gradient descent with Nesterov's momentum."""
    return momentum(rate, nesterov=True)


def rmsprop(rate: float, kept: float = 0.99) -> Move:
    """Return RMSprop (Tieleman & Hinton 2012)."""
    square: torch.Tensor | float = 0.0

    def move(gradients: torch.Tensor, places: torch.Tensor, number: int) -> torch.Tensor:
        nonlocal square
        square = kept * square + (1.0 - kept) * gradients.square()
        return -rate * gradients / (square.sqrt() + 1e-8)

    return move


def adam(rate: float) -> Move:
    """Return Adam (Kingma & Ba 2015, algorithm 1)."""
    mean: torch.Tensor | float = 0.0
    square: torch.Tensor | float = 0.0

    def move(gradients: torch.Tensor, places: torch.Tensor, number: int) -> torch.Tensor:
        nonlocal mean, square
        mean = 0.9 * mean + 0.1 * gradients
        square = 0.999 * square + 0.001 * gradients.square()
        size = (square / (1.0 - 0.999 ** (number + 1))).sqrt() + 1e-8
        return -rate * mean / (1.0 - 0.9 ** (number + 1)) / size

    return move


OPTIMISERS: dict[str, Callable[[float], Move]] = {
    "SGD": plain,
    "momentum": momentum,
    "NAG": nesterov,
    "RMSprop": rmsprop,
    "Adam": adam,
}


class Baseline(NamedTuple):
    """An optimiser's step size, best on other tasks, and its losses on the way, `[tasks, steps + 1]`.

    Where the step size is an `end` of those tried, a better one may lie beyond.
    """

    step_size: float
    losses: torch.Tensor
    end: bool


def baselines(tasks: Optimisees, others: Optimisees, step_sizes: Sequence[float] = STEP_SIZES) -> dict[str, Baseline]:
    """Return each optimiser's descents of `tasks`, with the step size that is best on the tasks `others`."""
    found = {}
    for name, make in OPTIMISERS.items():
        areas = {rate: float(descend(make(rate), others).mean()) for rate in step_sizes}
        rate = min(areas, key=lambda each: areas[each])
        found[name] = Baseline(rate, descend(make(rate), tasks)[0], rate in (min(step_sizes), max(step_sizes)))
    return found
