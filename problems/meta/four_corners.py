"""Find out which of four corners pays, and go there: `four-corners-v1`.

Inputs, outputs, phenotypes, objective: see `problems.meta.walking`. A step pays -4 + max(0, 4 - squared distance): far
from the goal all places pay alike, so who does not explore learns nothing. Standing still earns -400 in an episode,
walking straight to the goal -40.3.
Tasks: the goal is one of (+-2, +-2); of any four tasks in a row from the first, each has another. All splits have the
same four goals: nothing is held out, and to know the four places is part of what evolves.
Start and end: an episode begins at the origin and has 100 steps; velocities are up to 0.1, and places up to 5, along
each axis. A trial is three episodes with one goal, of which the last is scored.
Data: none. Version: 1.

Source: Song et al. 2020 (ES-MAML, arXiv:1910.01215), section 4.1, after Rothfuss et al. 2019 (ProMP); its published
code has the numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, final

import numpy as np
import torch

from evo.points import PointTasks
from evo.tasks import TaskDistribution
from problems.meta.walking import Walking

PLACES = ((2.0, 2.0), (2.0, -2.0), (-2.0, 2.0), (-2.0, -2.0))


@final
@dataclass(frozen=True)
class Corners(TaskDistribution):
    """Goals in four corners, in random order, over and over.

    Attributes:
        episodes: of a trial.
        horizon: steps of an episode.

    Raises:
        ValueError: there are no episodes or steps.
    """

    episodes: int = 3
    horizon: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        if min(self.episodes, self.horizon) < 1:
            raise ValueError(f"Corners: expected 1 episode and step or more, got {self.episodes}, {self.horizon}")

    def draw(self, count: int, rng: np.random.Generator) -> PointTasks:
        """Return `count` goals, `[count, 2]`."""
        rounds = [rng.permutation(len(PLACES)) for _ in range(-(-count // len(PLACES)))]
        goals = torch.tensor(PLACES)[torch.from_numpy(np.concatenate(rounds)[:count])]
        return PointTasks(goals, size=2.0, sight=2.0, bound=5.0, horizon=self.horizon, episodes=self.episodes)


@final
@dataclass(frozen=True)
class FourCorners(Walking):
    """Find out which of four corners pays, and go there (Song et al. 2020)."""

    name: ClassVar[str] = "four-corners-v1"

    tasks: TaskDistribution = field(default_factory=Corners)
    count: int = 4
