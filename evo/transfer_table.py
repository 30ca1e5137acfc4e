"""What `evo table` says of tasks: how soon each is learned under each condition, and what is gained over a control."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from evo.quantity import quantity, words
from evo.study_table import NOTHING, StudyTable
from evo.task_record import TaskRecord, task_record
from evo.transfer import Estimate, Transfer, transfers


def tables(folder: Path, control: str = "", as_json: bool = False) -> Any | None:
    """Return a folder's table as Markdown, or as plain JSON; None where no run of it left any tasks.

    Raises:
        CampaignError: the folder holds no campaign and no run, or a tasks.json that is damaged.
        ValueError: there is no condition of the control's name.
    """
    record = task_record(folder)
    if record is None:
        return None
    return transfer_json(record, control) if as_json else transfer_table(record, control).markdown()


def transfer_table(record: TaskRecord, control: str = "") -> StudyTable:
    """Return the table, and what has to be said of it."""
    found = transfers(record, control)
    heads = ["task", "condition", "runs", "reached", "generations to threshold", "area under the curve"]
    heads += [f"gain over {words(control)}, {what}" for what in ("generations", "area")] if control else []
    heads += [f"forward transfer against {words(control)}"] if control else []
    heads += ["modules kept", "of them kept in the task before", "capacity used"]
    return StudyTable(sentences(record, found, control), heads, [_cells(one, bool(control)) for one in found])


def transfer_json(record: TaskRecord, control: str = "") -> dict[str, Any]:
    """Return the same as plain JSON; null for what is not known. Tasks count from 0."""
    found = transfers(record, control)
    numbers: list[Any] = [_plain(asdict(one)) for one in found]
    return {"control": control or None, "said": sentences(record, found, control), "tasks": numbers}


def sentences(record: TaskRecord, found: list[Transfer], control: str) -> list[str]:
    """Return what was done, what the numbers are, and which control a gain is against."""
    what = quantity(record.objective).title.lower()
    better = "above" if record.maximize else "below"
    thresholds = list(dict.fromkeys(record.thresholds.values()))
    passed = [f"{better} {one:g}" for one in thresholds if one is not None]
    said = [f"{record.problem}: {_many(len(record.conditions), 'condition')}; a task's score is its {what}."]
    said.append(f"A task ends with a score {' or '.join(passed)}." if passed else "No threshold ends a task.")
    if len(thresholds) > 1:
        said.append("Conditions have different thresholds, so their generations do not compare.")
    said.append("Means over runs and replicates, with 95 % bootstrap intervals in brackets.")
    if any(one.reached < 1 for one in found):
        said.append(
            "Who did not reach the threshold counts with the generations it had: means after > are too small, and "
            "gains in generations that rest on them are no more than hints."
        )
    if control:
        said.append(
            f"Gains are over the control {words(control)!r}, task by task: above 1 is sooner, or better, than with it. "
            f"Forward transfer, (A - B) / (1 - B) of the areas, is above 0 where it is better. They say nothing of any "
            f"other control."
        )
    else:
        said.append("No control is named (--control), so nothing is said of gains.")
    if unfinished := sum(one.unfinished for one in found):
        verb = "is" if unfinished == 1 else "are"
        said.append(f"{_many(unfinished, 'task')} had begun and not ended, and {verb} left out.")
    return said


def _cells(one: Transfer, controlled: bool) -> list[str]:
    reached = NOTHING if math.isnan(one.reached) else f"{one.reached:.0%}"
    gains = [_estimate(gain) for gain in (one.gain_in_generations, one.gain_in_area, one.forward_transfer)]
    return [
        str(one.task + 1),
        words(one.condition),
        str(one.runs),
        reached,
        f"{'> ' if one.reached < 1 else ''}{_estimate(one.generations)}",
        _estimate(one.area),
        *(gains if controlled else []),
        _estimate(one.modules),
        _estimate(one.overlap),
        _estimate(one.capacity),
    ]


def _estimate(one: Estimate | None) -> str:
    if one is None or math.isnan(one.value):
        return NOTHING
    return f"{one.value:.4g}" + (f" ({one.low:.4g} to {one.high:.4g})" if math.isfinite(one.low) else "")


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
