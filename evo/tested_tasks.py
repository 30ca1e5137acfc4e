"""How well conditions know their tasks in the end: test cases that are right, from the last state of each run.

The problem is made again by the campaign's own file, and asked with the state that the run stored last.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evo import problem_state
from evo.interval import mean_interval
from evo.quantity import words
from evo.recorded import recorded_campaign
from evo.run import CampaignError
from evo.study_parts import read_book
from evo.study_table import StudyTable, plus_minus
from evo.task_record import FORMAT

HEADS = ["condition", "runs", "average, %", "first task, %", "last task, %", "worst task, %"]


def accuracies(folder: Path) -> dict[str, np.ndarray]:
    """Return shares by condition, `[runs and replicates, tasks]`; NaN for tasks that have not ended.

    Raises:
        CampaignError: the folder holds no campaign, or none whose tasks can be tested.
    """
    campaign, _ = recorded_campaign(folder)
    found: dict[str, list[np.ndarray]] = {}
    for run in campaign.runs():
        book = run.folder(folder) / "tasks.json"
        if book.is_file():
            _check(run.problem, book)
            shares = _of_run(run.problem, book)
            found.setdefault(run.variant, []).append(shares)
    if not found:
        raise CampaignError(f"{folder}: no run has left a tasks.json, so there is no task to test")
    return {name: np.concatenate(parts) for name, parts in found.items()}


def accuracy_table(folder: Path) -> StudyTable:
    """Return means over runs and replicates, with half the width of their 95 % intervals (Student's t)."""
    rows = []
    for name, shares in accuracies(folder).items():
        whole = shares[~np.isnan(shares).any(1)]  # an average over fewer tasks is another quantity
        parts = (whole.mean(1), whole[:, 0], whole[:, -1], whole.min(1, initial=np.inf))
        cells = [plus_minus(*map(float, mean_interval(100.0 * part))) for part in parts]
        rows.append([words(name), f"{len(whole)} of {len(shares)}", *cells])
    said = [
        "Test cases that are right when all tasks have ended, each asked for by its number (the task is known).",
        "Means over runs and replicates that ended all tasks, ± half of their 95 % interval (Student's t).",
    ]
    return StudyTable(said, HEADS, rows)


def _of_run(problem: Any, path: Path) -> np.ndarray:
    """Return the shares of one run, `[replicates, tasks]`, given its tasks.json."""
    book = read_book(path, FORMAT)
    size, most = (book["replicates"], book["tasks"]), (problem.replicates, problem.tasks)
    ended = [one for one in book["courses"] if one["ended"] and one["kept"] is not None]
    places = [(one["replicate"], one["task"]) for one in ended]
    if not _below(size, most) or not all(_below(place, [end - 1 for end in size]) for place in places):
        raise CampaignError(
            f"{path}: expected tasks of at most {most[0]} replicates and {most[1]} tasks, as the problem has; was the "
            f"file changed?"
        )
    shares = np.full(size, np.nan)
    state = problem_state.read(path.parent) if ended else {}
    for replicate, task in places:
        if task <= int(state["task"][replicate]):  # while a run goes on, its state may be stored later than its book
            shares[replicate, task] = problem.accuracy(state, replicate, task)
    return shares


def _below(numbers: Sequence[Any], most: Sequence[int]) -> bool:
    """Return whether all are whole numbers from 0 to the most."""
    return all(type(number) is int and 0 <= number <= last for number, last in zip(numbers, most, strict=True))


def _check(problem: Any, book: Path) -> None:
    if not hasattr(problem, "accuracy"):
        raise CampaignError(
            f"{book}: {problem.name} cannot test what was learned: expected a problem with accuracy(state, replicate, "
            f"task), as those of problems.transfer have"
        )
