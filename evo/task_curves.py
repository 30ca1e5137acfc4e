"""Tasks one after another as numbers for pictures: the best score over generations, and how far kept paths overlap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from evo.interval import mean_interval, stretches
from evo.task_record import RecordedTask, TaskRecord

MOST_POINTS = 200
"""Of a curve; longer ones are drawn through means over stretches."""


@final
@dataclass(frozen=True)
class TaskCurve:
    """The best score of a task's generations, under one condition.

    Attributes:
        task: which, from 0.
        condition: under which.
        x: `[points]`, generations of the task, counted from 1.
        mean, half: `[points]`, over runs and replicates, and half of its 95 % interval; NaN where there is none.
        runs: how many runs and replicates there are.
    """

    task: int
    condition: str
    x: np.ndarray
    mean: np.ndarray
    half: np.ndarray
    runs: int


def task_curves(record: TaskRecord) -> list[TaskCurve]:
    """Return the curves of all conditions, task by task.

    Who has ended a task counts with its last score, so that a mean is always over the same runs; who has begun a task
    and not ended it counts as far as it went.
    """
    tasks = sorted({one.task for courses in record.conditions.values() for one in courses})
    return [
        _curve(task, name, mine)
        for task in tasks
        for name, courses in record.conditions.items()
        if (mine := [one for one in courses if one.task == task])
    ]


def _curve(task: int, condition: str, courses: list[RecordedTask]) -> TaskCurve:
    longest = max(len(one.best) for one in courses)
    scores = np.full((longest, len(courses)), np.nan)
    for column, one in enumerate(courses):
        scores[: len(one.best), column] = one.best
        if one.ended and len(one.best):
            scores[len(one.best) :, column] = one.best[-1]
    mean, half = mean_interval(stretches(scores, MOST_POINTS))
    return TaskCurve(task, condition, stretches(1.0 + np.arange(longest), MOST_POINTS), mean, half, len(courses))


def overlaps(courses: list[RecordedTask]) -> np.ndarray:
    """Return how many modules the kept paths of two tasks share, `[tasks, tasks]`, the mean over runs and replicates.

    On the diagonal is how many a path has. NaN where no run has kept a path of both.
    """
    tasks = 1 + max((one.task for one in courses), default=-1)
    total, count = np.zeros((2, tasks, tasks))
    for run in dict.fromkeys(one.run for one in courses):
        kept = [one for one in courses if one.run == run and one.ended and one.modules is not None]
        for one in kept:
            for other in kept:
                total[one.task, other.task] += len((one.modules or frozenset()) & (other.modules or frozenset()))
                count[one.task, other.task] += 1
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
