"""What became of tasks in the runs of a campaign: the tasks.json of every run, read and checked, by condition."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from evo.inspect.text import finite, plain
from evo.run import CampaignError
from evo.study_parts import BegunRun, begun_runs, read_book

FORMAT = "evo.tasks/1"
MOST, MOST_TASKS = 10**8, 10**4
"""Replicates or generations, and tasks, that a file is believed to tell of: pictures have a place for each task."""


@final
@dataclass(frozen=True)
class RecordedTask:
    """One task of one replicate of one run.

    Attributes:
        run: the run's seed and the replicate's number.
        task: which, from 0.
        ended: whether it is over.
        generations: how many it took to pass the threshold; None where it did not.
        best: the best score of each generation, `[generations]`; NaN where all failed.
        modules: the distinct `(layer, module)` of the pathway that was kept; None of genomes that are none.
        available: how many modules there are; 0 where that is not known.
    """

    run: tuple[int, int]
    task: int
    ended: bool
    generations: int | None
    best: np.ndarray
    modules: frozenset[tuple[int, int]] | None
    available: int = 0


@final
@dataclass(frozen=True)
class TaskRecord:
    """All tasks of a campaign.

    Attributes:
        problem: its name, or their names.
        objective, maximize: what was scored.
        thresholds: for each condition the score that ends a task; None where nothing but time does.
        conditions: for each variant of the campaign its tasks, all runs and replicates together.
    """

    problem: str
    objective: str
    maximize: bool
    thresholds: dict[str, float | None]
    conditions: dict[str, list[RecordedTask]]


def task_record(folder: Path) -> TaskRecord | None:
    """Return what a campaign's folder, or a run's, holds of tasks; None where no run left any.

    Raises:
        CampaignError: the folder holds no campaign and no run, or a tasks.json that is damaged.
    """
    _, runs = begun_runs(folder)
    with_tasks = [run for run in runs if (run.folder / "tasks.json").is_file()]
    if not with_tasks:
        return None
    conditions: dict[str, list[RecordedTask]] = {}
    thresholds: dict[str, float | None] = {}
    book: dict[str, Any] = {}
    for run in with_tasks:
        path = run.folder / "tasks.json"
        book = read_book(path, FORMAT)
        variant = plain(run.variant)
        thresholds[variant] = finite(book.get("threshold"))
        conditions.setdefault(variant, []).extend(_tasks(path, book, run))
    problems = dict.fromkeys(plain(run.described.get("problem", {}).get("name", "a problem")) for run in with_tasks)
    return TaskRecord(
        ", ".join(problems), plain(book["objective"]), bool(book.get("maximize", True)), thresholds, conditions
    )


def courses_of(run: BegunRun) -> list[RecordedTask]:
    """Return the tasks of one run, which left tasks.json; CampaignError where that is damaged."""
    path = run.folder / "tasks.json"
    return _tasks(path, read_book(path, FORMAT), run)


def _tasks(path: Path, book: dict[str, Any], run: BegunRun) -> list[RecordedTask]:
    """Return the tasks of one run's book; CampaignError where they are not as they should be."""
    if not isinstance(book.get("courses"), list) or not isinstance(book.get("objective"), str):
        raise CampaignError(f"{path}: expected a list of courses and an objective; was the file changed?")
    counts = run.described.get("genome", {}).get("settings", {}).get("counts")
    available = sum(counts) if isinstance(counts, list) and all(type(count) is int for count in counts) else 0
    try:
        return [
            RecordedTask(
                run=(run.seed, _within(one["replicate"], MOST)),
                task=_within(one["task"], MOST_TASKS),
                ended=bool(one["ended"]),
                generations=None if one["generations"] is None else _within(one["generations"], MOST),
                best=_numbers(one["best"]),
                modules=_modules(one["kept"]),
                available=available,
            )
            for one in book["courses"]
        ]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise CampaignError(f"{path}: a course is not as it should be ({error!r}); was the file changed?") from None


def _within(value: Any, most: int) -> int:
    number = int(value)
    if not 0 <= number < most:
        raise ValueError(f"expected a number from 0 up to {most}, got {number}")
    return number


def _numbers(values: Any) -> np.ndarray:
    """Return scores `[generations]`; None becomes NaN."""
    numbers = np.array(values, dtype=np.float64)
    if numbers.ndim != 1:
        raise ValueError(f"expected a list of scores, got one of {numbers.ndim} dimensions")
    return numbers


def _modules(kept: Any) -> frozenset[tuple[int, int]] | None:
    if not isinstance(kept, dict) or "modules" not in kept:
        return None
    return frozenset((layer, int(module)) for layer, chosen in enumerate(kept["modules"]) for module in chosen)
