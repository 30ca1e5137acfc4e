"""Points in a plane that walk to a goal which nobody tells them, as tasks: only what they earn says where it is.

A trial is some episodes with one goal, one after the other; who lives through it may remember all of it. The plane is
that of Finn, Abbeel & Levine 2017 (arXiv:1703.03400), section 5.3; goals that are seen from near alone are those of
Song et al. 2020 (ES-MAML, arXiv:1910.01215), section 4.1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch

from evo.tasks import Tasks

OBSERVED = ("x", "y", "last x velocity", "last y velocity", "last reward", "episode begins")
"""What a point sees at each step: places in units of `size`, velocities of `speed`, rewards of `size` squared."""
MOVES = ("x velocity", "y velocity")


@final
@dataclass(frozen=True)
class PointTasks(Tasks):
    """Goals in a plane, and how a trial with each goes. A point begins each episode at the origin.

    A step moves a point by `speed` times its answer, which is cut to [-1, 1] along each axis, and then pays minus the
    squared distance to the goal.

    Attributes:
        goals: `[tasks, 2]` float32.
        size: half the side of the square that goals lie in, the unit of what is observed.
        speed: the longest way along an axis in one step.
        sight: how far away a goal is noticed; beyond, every place pays as much as one at that distance.
        bound: how far points may go from the origin along each axis.
        nearness: an episode ends where the goal is nearer than this; 0 for never.
        horizon: steps of an episode at most.
        episodes: of a trial.
    """

    goals: torch.Tensor
    size: float = 0.5
    speed: float = 0.1
    sight: float = math.inf
    bound: float = math.inf
    nearness: float = 0.0
    horizon: int = 100
    episodes: int = 1

    def moved(self, places: torch.Tensor, moves: torch.Tensor) -> torch.Tensor:
        """Return where points `[n, tasks, 2]` are after moves `[n, tasks, 2]`, which are within [-1, 1]."""
        return (places + self.speed * moves).clamp(-self.bound, self.bound)

    def squared_distances(self, places: torch.Tensor) -> torch.Tensor:
        """Return the squared distances `[n, tasks]` of places `[n, tasks, 2]` to the goals."""
        return (places - self.goals).square().sum(-1)

    def observed(
        self, places: torch.Tensor, moves: torch.Tensor, rewards: torch.Tensor, *, begins: bool
    ) -> torch.Tensor:
        """Return what points see, `[n, tasks, 6]`; see `OBSERVED`.

        Args:
            places: `[n, tasks, 2]`.
            moves: the last ones, `[n, tasks, 2]`.
            rewards: the last ones, `[n, tasks]`.
            begins: whether this is the first step of an episode.
        """
        begin = torch.full_like(rewards, float(begins))
        paid = rewards / self.size**2
        return torch.cat((places / self.size, moves, torch.stack((paid, begin), -1)), -1)
