"""Walk to an unknown goal in the plane, by what each step pays: `navigation-v1`.

Inputs, outputs, phenotypes, objective: see `problems.meta.walking`. A step pays minus the squared distance to the goal;
standing still earns -16.7 in an episode, walking straight to the goal -0.13.
Tasks: goals uniform in the square from -0.5 to 0.5. Train and validation goals are drawn; those of the split "test" are
frozen.
Start and end: an episode begins at the origin, and ends within 0.01 of the goal or after 100 steps; velocities are up
to 0.1 along each axis. A trial is three episodes with one goal, of which the last is scored.
Data: drawn. Version: 1.

Unlike in the article, policies that learn within a trial see the last reward and velocity, as in RL2, and answers are
in units of 0.1. It trains a network of 100 and 100 units on 20 tasks per update, 20 episodes each, and shows curves.

Source: Finn, Abbeel & Levine 2017 (MAML, arXiv:1703.03400), section 5.3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
import torch

from evo.points import PointTasks
from evo.tasks import TaskDistribution
from problems.meta.walking import Walking


@final
@dataclass(frozen=True)
class UniformGoals(TaskDistribution):
    """Goals uniform in a square around the origin.

    Attributes:
        episodes: of a trial.
        horizon: steps of an episode at most.

    Raises:
        ValueError: there are no episodes or steps.
    """

    episodes: int = 3
    horizon: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.episodes, self.horizon) < 1:
            raise ValueError(f"UniformGoals: expected 1 episode and step or more, got {self.episodes}, {self.horizon}")

    def draw(self, count: int, rng: np.random.Generator) -> PointTasks:
        """Return `count` goals, `[count, 2]`."""
        goals = rng.uniform(-0.5, 0.5, (count, 2)).astype(np.float32)
        return PointTasks(torch.from_numpy(goals), nearness=0.01, horizon=self.horizon, episodes=self.episodes)


@final
@dataclass(frozen=True)
class Navigation(Walking):
    """Walk to an unknown goal in the plane (Finn, Abbeel & Levine 2017)."""

    name: ClassVar[str] = "navigation-v1"

    tasks: TaskDistribution = field(default_factory=UniformGoals)
