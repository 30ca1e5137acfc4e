"""Where a point walks while it looks for the goal, and where it walks when it has learned."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.inspect.curves import Line
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.walks import Act, Walks, walk
from evo.points import PointTasks
from evo.tasks import TaskDistribution

SHOWN = 4
"""Test tasks that are drawn."""


def ways(tasks: TaskDistribution, lifetime: Lifetime, phenotypes: Any) -> list[Chart]:
    """Return the chart of the first individual's first and last episode with each of some goals."""
    if not isinstance(lifetime, Walks):
        return []
    some = replace(tasks, split="test").sample(SHOWN, np.random.default_rng(0)).to(phenotypes.device)
    episodes = followed(lifetime.act(phenotypes[:1], some, seed=0), some)
    lines = []
    for number, goal in enumerate(some.goals.tolist()):
        for place, (name, kind) in {
            0: ("first episode", "dashed"),
            len(episodes) - 1: ("last episode", "strong"),
        }.items():
            across, up = episodes[place][number].T.tolist()
            lines.append(Line(name, across, up, colour=number, kind=kind))
        lines.append(Line("goals", [goal[0]], [goal[1]], colour=number, kind="dots", marked=True))
    said = f"The champion's first episode and its last with each of {SHOWN} goals, which it is not told."
    return [Chart("Ways to the goal", said, "x", "y", tuple(lines))]


def followed(act: Act, tasks: PointTasks) -> list[list[torch.Tensor]]:
    """Return the places `[steps, 2]` of one individual in each episode, for each task; asleep it stands still."""
    seen: list[torch.Tensor] = []

    def watched(observed: torch.Tensor, awake: torch.Tensor) -> torch.Tensor:
        seen.append(
            torch.cat((observed[0, :, :2] * tasks.size, observed[0, :, -1:], awake[0, :, None].to(observed)), 1)
        )
        return act(observed, awake)

    with torch.no_grad():
        walk(watched, tasks, 1)
    whole = torch.stack(seen)
    begins = [*torch.nonzero(whole[:, 0, 2] > 0)[:, 0].tolist(), len(whole)]
    episodes = [whole[begin:end] for begin, end in itertools.pairwise(begins)]
    return [[one[one[:, task, 3] > 0, task, :2] for task in range(len(tasks))] for one in episodes]
