"""A lifetime of an optimiser: it descends a task's function for some steps, and is scored by the losses on its way.

Score, to be minimised: the mean over tasks of the logarithm of the area, the mean loss over steps 0 to the last. Losses
are counted up to 10,000, so that one that flies off spoils a score no further.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, final

import torch

from evo.learning.lifetimes.base import Lifetime, Lives
from evo.optimisees import Optimisees
from evo.optimisers import LearnedOptimisers
from evo.policies import Matrices, RecurrentPolicies, step
from evo.tasks import Tasks

LARGEST = 1e4
"""Loss beyond which none is counted."""
LIMIT = 1e6
"""How far from 0 coordinates may go; beyond, numbers would stop being finite."""
Move = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]
"""From gradients and places `[n, tasks, coordinates]`, and the number of the step from 0, to moves of the same shape;
it may keep a state from step to step."""


@final
@dataclass(frozen=True)
class Optimise(Lifetime):
    """Descend each task's function with the optimiser that the individual is."""

    lives_on: ClassVar[type[Tasks]] = Optimisees

    def live_together(self, phenotypes: LearnedOptimisers, tasks: Optimisees, *, seed: int) -> Lives:
        """Return the logarithm of each descent's area; measured: `area`, and the `final` loss."""
        losses = descend(mover(phenotypes), tasks, len(phenotypes))
        area = losses.mean(2)
        return Lives(area.log()[..., None], measured={"area": area, "final": losses[..., -1]})


def descend(move: Move, tasks: Optimisees, count: int = 1) -> torch.Tensor:
    """Return the losses on the way, `[count, tasks, steps + 1]` float64, of optimisers that move together."""
    places = tasks.start.repeat(count, 1, 1)
    losses = []
    for number in range(tasks.steps + 1):
        loss, gradients = tasks.slope(places, number)
        losses.append(loss.nan_to_num(nan=LARGEST).clamp(max=LARGEST))
        if number < tasks.steps:
            places = (places + move(gradients, places, number)).nan_to_num(nan=LIMIT).clamp(-LIMIT, LIMIT)
    return torch.stack(losses, 2).to(torch.float64)


def mover(optimisers: LearnedOptimisers) -> Move:
    """Return how n optimisers move, with states that begin anew."""
    makers: dict[str, Callable[[LearnedOptimisers], Move]] = {
        "features": _Features,
        "momenta": _Momenta,
        "recurrent": _Recurrent,
    }
    return makers[optimisers.form](optimisers)


class _Features:
    """Sizes and momenta of each coordinate; moves have the gradients' size where that is small."""

    DECAYS = (0.5, 0.9, 0.99)

    def __init__(self, optimisers: LearnedOptimisers) -> None:
        self.optimisers = optimisers
        self.square: torch.Tensor | float = 0.0
        self.momenta: list[torch.Tensor | float] = [0.0] * len(self.DECAYS)

    def __call__(self, gradients: torch.Tensor, places: torch.Tensor, number: int) -> torch.Tensor:
        self.square = 0.95 * self.square + 0.05 * gradients.square()
        size = (self.square / (1.0 - 0.95 ** (number + 1))).sqrt() + 1e-12
        momenta = []
        for place, decay in enumerate(self.DECAYS):
            kept = decay * self.momenta[place] + (1.0 - decay) * gradients
            self.momenta[place] = kept
            momenta.append(kept / (1.0 - decay ** (number + 1)))
        logarithms = [(momentum.abs() + 1e-12).log() / 10 for momentum in momenta]
        time = torch.full_like(size, torch.tensor(number / 50 - 1.0).tanh().item())
        shown = [gradients / size, size.log() / 5, *(momentum / size for momentum in momenta), *logarithms, time]
        answers = _answers(self.optimisers, torch.stack(shown, -1))
        factor = (0.5 * answers[..., 1]).exp().clamp(max=20.0)
        return -0.1 * answers[..., 0] * factor * size.tanh()


class _Momenta:
    """Momenta of six time scales, and eleven of time itself (Metz et al. 2018)."""

    DECAYS = (0.1, 0.5, 0.9, 0.99, 0.999, 0.9999)
    TIMES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10_000.0, 30_000.0, 100_000.0)

    def __init__(self, optimisers: LearnedOptimisers) -> None:
        self.optimisers = optimisers
        self.momenta: list[torch.Tensor | float] = [0.0] * len(self.DECAYS)

    def __call__(self, gradients: torch.Tensor, places: torch.Tensor, number: int) -> torch.Tensor:
        self.momenta = [
            decay * kept + (1.0 - decay) * gradients for decay, kept in zip(self.DECAYS, self.momenta, strict=True)
        ]
        seen = torch.stack([gradients, places, *(torch.as_tensor(kept) for kept in self.momenta)], -1)
        seen = seen * (seen.square().mean(2, keepdim=True) + 1e-5).rsqrt()  # over the task's coordinates
        times = (number / torch.tensor(self.TIMES, device=seen.device) - 1.0).tanh()
        answers = _answers(self.optimisers, torch.cat((seen, times.expand(*seen.shape[:3], -1)), -1))
        return answers[..., 0] * (answers[..., 1] * 1e-3).exp() * 1e-3


class _Recurrent:
    """Gated recurrent units that see a gradient's logarithm and sign (Andrychowicz et al. 2016, appendix A)."""

    SHARPNESS = 10.0

    def __init__(self, optimisers: LearnedOptimisers) -> None:
        self.hidden = optimisers.hidden[0]
        self.matrices = RecurrentPolicies(2, self.hidden, 1, optimisers.parameters).matrices()
        self.memory: torch.Tensor | None = None

    def __call__(self, gradients: torch.Tensor, places: torch.Tensor, number: int) -> torch.Tensor:
        large = gradients.abs() >= 2.718281828459045**-self.SHARPNESS
        logarithm = torch.where(large, gradients.abs().clamp(min=1e-30).log() / self.SHARPNESS, -1.0)
        sign = torch.where(large, gradients.sign(), gradients * 2.718281828459045**self.SHARPNESS)
        shown = torch.stack((logarithm, sign), -1).flatten(1, 2)
        memory = shown.new_zeros(*shown.shape[:2], self.hidden) if self.memory is None else self.memory
        steps = [  # one by one: products of a batch have other last bits in another batch
            step(
                Matrices(*(each[one : one + 1] for each in self.matrices)), shown[one : one + 1], memory[one : one + 1]
            )
            for one in range(len(shown))
        ]
        self.memory, answers = (torch.cat(parts) for parts in zip(*steps, strict=True))
        return -0.1 * answers.view(gradients.shape)


def _answers(optimisers: LearnedOptimisers, shown: torch.Tensor) -> torch.Tensor:
    """Return the networks' answers `[n, tasks, coordinates, 2]` to what coordinates show them."""
    return optimisers.answer(shown.flatten(1, 2)).view(*shown.shape[:3], 2)
