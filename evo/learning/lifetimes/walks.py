"""Lifetimes of points that walk in a plane: a trial of episodes on each task, and what every episode earned.

What is kept from step to step and from episode to episode is the walker's own affair: a memory, weights that change, or
nothing at all.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from evo.learning.lifetimes.base import Lifetime, Lives
from evo.points import PointTasks
from evo.tasks import Tasks

Act = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From what is observed `[n, tasks, 6]`, and who is awake `[n, tasks]`, to answers `[n, tasks, 2]`. It may keep a state
from step to step, which stays as it is for those who are not awake."""


@dataclass(frozen=True)
class Walks(Lifetime):
    """A trial on each task; what is learned on the way is kept, and the last episodes are scored.

    Subclasses give `act`. `before` is the return of the first episode; measured: `returns` of every episode.

    Attributes:
        counted: how many episodes, from the last back, make the score, which is their mean return.

    Class attributes:
        accepts: the type of phenotypes that walk so.

    Raises:
        ValueError: no episode counts, or, when lived, more than a trial has.
    """

    lives_on: ClassVar[type[Tasks]] = PointTasks
    accepts: ClassVar[type]

    counted: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.counted < 1:
            raise ValueError(f"{type(self).__name__}: counted: expected 1 episode or more, got {self.counted}")

    @abstractmethod
    def act(self, phenotypes: Any, tasks: PointTasks, *, seed: int) -> Act:
        """Return how n individuals answer, at the beginning of their trials."""

    def live_together(self, phenotypes: Any, tasks: PointTasks, *, seed: int) -> Lives:
        """Return what trials earned; see `Lifetime.live_together`."""
        if self.counted > tasks.episodes:
            raise ValueError(
                f"{type(self).__name__}: counted: a trial of these tasks has {tasks.episodes} episodes, got "
                f"{self.counted}; let fewer count, or give the tasks more episodes"
            )
        with torch.no_grad():
            returns = walk(self.act(phenotypes, tasks, seed=seed), tasks, len(phenotypes))
        scores = returns[..., -self.counted :].mean(-1, keepdim=True)
        return Lives(scores, returns[..., 0], measured={"returns": returns})


def walk(act: Act, tasks: PointTasks, count: int) -> torch.Tensor:
    """Return what each episode earns, `[count, tasks, episodes]` float64.

    Who has come near the goal sleeps until the next episode begins: earns nothing, sees nothing and learns nothing.
    """
    start = tasks.goals.new_zeros(count, *tasks.goals.shape)
    moves, rewards = start, start[..., 0]
    returns = torch.zeros(*rewards.shape, tasks.episodes, dtype=torch.float64, device=start.device)
    for episode in range(tasks.episodes):
        places, awake = start, torch.ones_like(rewards, dtype=torch.bool)
        for number in range(tasks.horizon):
            if not awake.any():
                break
            answers = act(tasks.observed(places, moves, rewards, begins=number == 0), awake)
            moves = torch.where(awake[..., None], answers.clamp(-1.0, 1.0), moves)
            places = torch.where(awake[..., None], tasks.moved(places, moves), places)
            distances = tasks.squared_distances(places)
            rewards = -distances.clamp(max=tasks.sight**2)  # who sleeps stays where the last one was paid
            returns[..., episode] += torch.where(awake, rewards, 0.0)
            awake = awake & (distances >= tasks.nearness**2)
    return returns


def fits(inputs: int, outputs: int, kind: str) -> None:
    """Check that networks see what points see, and answer with a velocity; raises ValueError."""
    if (inputs, outputs) != (6, 2):
        raise ValueError(
            f"phenotypes: points see 6 numbers and answer with 2, got {kind} with {inputs} inputs and {outputs} "
            f"outputs; make the genome with its for_problem"
        )
