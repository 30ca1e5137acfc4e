"""How well each task is known after each, on its test cases: measured by problems, or asked of the state they left."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from evo import problem_state
from evo.champion import load
from evo.cohort_record import CohortRecord
from evo.forgetting import MEASURED
from evo.inspect.text import plain
from evo.interval import mean
from evo.problem import Problem
from evo.recorded import campaign_folder, campaigns
from evo.run import CampaignError
from evo.settings import describe
from evo.stateful import State

MOST_REPLICATES = 20
"""That are asked: data sets may be large."""
MOST_SEGMENTS = 24
"""Of learners, after which accuracies are shown."""


@final
@dataclass(frozen=True)
class TaskAccuracy:
    """Accuracies on all tasks, after each.

    Attributes:
        label: whose they are; empty where there is one line only.
        after: `[rows]`, after which task, or segment, from 1.
        values: `[rows, tasks]`, means; NaN where it is not known.
        said: what they are means of, and what is not known.
    """

    label: str
    after: list[int]
    values: np.ndarray
    said: str


def measured_accuracy(record: CohortRecord) -> list[TaskAccuracy]:
    """Return what learners measured after each segment, a matrix for each line; none where they did not."""
    values = record.values.get(MEASURED)
    if values is None or values.ndim != 4 or not values.shape[0]:
        return []
    rows = sorted({round(place) for place in np.linspace(0, len(values) - 1, min(MOST_SEGMENTS, len(values)))})
    means = mean(values[rows], 2)
    said = f"Mean over {len(record.streams)} streams." if len(record.streams) > 1 else ""
    labels = record.labels if len(record.labels) > 1 else [""]
    return [TaskAccuracy(name, [row + 1 for row in rows], means[:, line], said) for line, name in enumerate(labels)]


def state_accuracy(run: Path) -> TaskAccuracy | None:
    """Return what a run's replicates know in the end; None where its problem has no state to ask.

    Where paths are frozen after their task, outputs stay the same to the bit, so what is known of a task in the end was
    known after all tasks since. Otherwise only the last row is known.

    Args:
        run: the run's folder, with a champion.

    Raises:
        Exception: its problem cannot be made here, or its state has gone, or does not fit it.
    """
    if not any(run.glob("problem-*.state")):
        return None
    problem: Any = _problem(run / "champion.json")
    return _asked(problem, problem_state.read(run)) if hasattr(problem, "accuracy") else None


def _problem(champion: Path) -> Problem:
    """Return the problem of a run, as its campaign's source makes it."""
    own, folder = load(champion), campaign_folder(champion)
    for campaign in campaigns(folder) if folder is not None else ():
        for run in campaign.runs():
            if run.variant == own.variant and json.loads(json.dumps(describe(run.problem))) == own.problem:
                return run.problem
    raise CampaignError(
        f"{champion.parent}: no campaign's file around it makes the problem {plain(own.problem['name'])!r} of variant "
        f"{plain(own.variant)!r} as it was"
    )


def _asked(problem: Any, state: State) -> TaskAccuracy:
    replicates, current = min(MOST_REPLICATES, len(state["task"])), state["task"]
    begun = [int(current[replicate]) + bool(state["best"][replicate].any()) for replicate in range(replicates)]
    tasks, frozen = max(begun), problem.after == "freeze"
    values = np.full((tasks, tasks, replicates), np.nan)
    for replicate, count in enumerate(begun):
        for task in range(count):
            known = problem.accuracy(state, replicate=replicate, task=task)
            values[task if frozen else count - 1 : count, task, replicate] = known
    said = ["On test cases."] if replicates == 1 else [f"On test cases, mean over {replicates} replicates."]
    if len(current) > replicates:
        said.append(f"The run has {len(current)}.")
    said.append(
        "Paths are frozen after their task: what is known of it stays the same to the bit."
        if frozen
        else "Nothing is frozen, so only what is known in the end is at hand."
    )
    return TaskAccuracy("", [*range(1, tasks + 1)], mean(values), " ".join(said))
