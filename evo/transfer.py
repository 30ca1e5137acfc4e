"""How soon tasks are learned under each condition, and what is gained over a control.

Numbers are over runs and their replicates together. The gain in generations is the control's mean divided by the
condition's; the gain in area is the ratio of areas under the score's curve over the same number of generations, the
condition's divided by the control's, as PathNet's transfer ratio is (Fernando et al. 2017, section 3.4); the other way
round where less is better. Above 1 is better than the control. Forward transfer is what of the area above the control's
curve the condition gains, (A - B) / (1 - B) (Wolczyk et al. 2021, Continual World, section 3): of shares only, 0 with
the control, 1 at most, below 0 where what was learned before is in the way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np

from evo.bootstrap import mean_interval, ratio_interval
from evo.catalogue import did_you_mean
from evo.task_record import RecordedTask, TaskRecord

SEED = 0
"""Of all resamples, so that the same folder gives the same numbers."""


@final
@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % bootstrap interval; NaN for what is not known.

    Attributes:
        value: the mean, or the ratio of means.
        low, high: the ends.
    """

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan


@final
@dataclass(frozen=True)
class Transfer:
    """How one task went under one condition.

    Attributes:
        condition, task: which.
        runs: how many ended it.
        unfinished: how many more had begun it, and are left out.
        reached: the share that passed the threshold; NaN where there is none.
        generations: to the threshold; who did not reach it counts with the generations it had.
        area: the mean score over as many generations as the longest run of the task took; a curve that has ended goes
            on with its last score.
        gain_in_generations, gain_in_area, forward_transfer: over the control; None for itself, and without one.
        overlap: how many modules the pathway kept has in common with that of the task before.
        modules: how many it has.
        capacity: which share of all modules the pathways of the tasks so far take together.
    """

    condition: str
    task: int
    runs: int
    unfinished: int
    reached: float
    generations: Estimate
    area: Estimate
    gain_in_generations: Estimate | None
    gain_in_area: Estimate | None
    forward_transfer: Estimate | None
    overlap: Estimate
    modules: Estimate
    capacity: Estimate


def transfers(record: TaskRecord, control: str = "") -> list[Transfer]:
    """Return how every task went under every condition, task by task.

    Raises:
        ValueError: there is no condition of the control's name.
    """
    if control and control not in record.conditions:
        guess = did_you_mean(control, record.conditions)
        raise ValueError(f"control: expected one of {', '.join(record.conditions)}, got {control!r}{guess}")
    numbers = sorted({one.task for tasks in record.conditions.values() for one in tasks})
    return [one for number in numbers for one in _of_task(record, number, control)]


def _of_task(record: TaskRecord, number: int, control: str) -> list[Transfer]:
    """Return how one task went, condition by condition."""
    begun = {name: [one for one in tasks if one.task == number] for name, tasks in record.conditions.items()}
    ended = {name: [one for one in tasks if one.ended and len(one.best)] for name, tasks in begun.items()}
    longest = max((len(one.best) for tasks in ended.values() for one in tasks), default=0)
    areas = {name: _known([area(one.best, longest) for one in tasks]) for name, tasks in ended.items()}
    times = {name: _times(tasks, record.thresholds[name]) for name, tasks in ended.items()}
    found = []
    for name, tasks in ended.items():
        if not begun[name]:
            continue
        timed = record.thresholds[name] == record.thresholds.get(control)
        gained = (control and name != control) or None
        found.append(
            Transfer(
                condition=name,
                task=number,
                runs=len(tasks),
                unfinished=len(begun[name]) - len(tasks),
                reached=_share(tasks, record.thresholds[name]),
                generations=_mean(times[name]),
                area=_mean(areas[name]),
                gain_in_generations=gained and (_ratio(times[control], times[name]) if timed else Estimate()),
                gain_in_area=gained and _gain(areas[name], areas[control], record.maximize),
                forward_transfer=gained and _forward_transfer(areas[name], areas[control], record.maximize),
                overlap=_mean(_overlaps(record.conditions[name], tasks)),
                modules=_mean(_known([math.nan if one.modules is None else len(one.modules) for one in tasks])),
                capacity=_mean(_known([_capacity(record.conditions[name], one) for one in tasks])),
            )
        )
    return found


def area(best: np.ndarray, length: int) -> float:
    """Return the mean of a curve over so many generations; its last score holds where all failed, and after its end."""
    known = np.flatnonzero(~np.isnan(best))
    if not len(known):
        return math.nan
    latest = np.searchsorted(known, np.arange(length), side="right") - 1
    return float(best[known[np.maximum(latest, 0)]].mean())


def _times(tasks: list[RecordedTask], threshold: float | None) -> np.ndarray:
    """Return how many generations each took, or had; none where no threshold says when a task is learned."""
    return np.array([] if threshold is None else [len(one.best) for one in tasks], dtype=np.float64)


def _share(tasks: list[RecordedTask], threshold: float | None) -> float:
    if threshold is None or not tasks:
        return math.nan
    return sum(one.generations is not None for one in tasks) / len(tasks)


def _gain(condition: np.ndarray, control: np.ndarray, maximize: bool) -> Estimate:
    return _ratio(condition, control) if maximize else _ratio(control, condition)


def _forward_transfer(condition: np.ndarray, control: np.ndarray, maximize: bool) -> Estimate:
    """Return (A - B) / (1 - B) = 1 - (1 - A) / (1 - B), of areas that are shares."""
    both = np.concatenate((condition, control))
    if not maximize or not len(both) or both.min() < 0 or both.max() > 1:
        return Estimate()
    missed = _ratio(1.0 - condition, 1.0 - control)
    return Estimate(1.0 - missed.value, 1.0 - missed.high, 1.0 - missed.low)


def _capacity(tasks: list[RecordedTask], this: RecordedTask) -> float:
    """Return which share of all modules the pathways of a task and those before it in the same run take together."""
    mine = [one.modules for one in tasks if one.run == this.run and one.task <= this.task and one.modules is not None]
    return len(frozenset().union(*mine)) / this.available if mine and this.available else math.nan


def _ratio(above: np.ndarray, below: np.ndarray) -> Estimate:
    if not len(above) or not len(below) or below.mean() == 0:
        return Estimate()
    return Estimate(float(above.mean() / below.mean()), *ratio_interval(above, below, seed=SEED))


def _overlaps(tasks: list[RecordedTask], these: list[RecordedTask]) -> np.ndarray:
    """Return for each of these tasks how many modules it has in common with the one before it in the same run."""
    kept = {(one.run, one.task): one.modules for one in tasks}
    found = [
        len(one.modules & before)
        for one in these
        if one.modules is not None and (before := kept.get((one.run, one.task - 1))) is not None
    ]
    return np.array(found, dtype=np.float64)


def _known(values: list[float]) -> np.ndarray:
    array = np.array(values, dtype=np.float64)
    return array[~np.isnan(array)]


def _mean(values: np.ndarray) -> Estimate:
    return Estimate(float(values.mean()), *mean_interval(values, seed=SEED)) if len(values) else Estimate()
