"""What `evo table` says: a study in numbers, a row for everything that is compared.

Of cohorts: means over streams, each with half the width of its 95 % interval (Student's t), and the difference of each
setting to the first, stream by stream (paired), which is far narrower than that of two means. Of populations: medians
over individuals, with quartiles. The first and the last tenth of the generations are looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evo.cohort_record import CohortRecord, studies
from evo.forgetting import MEASURED, forgetting
from evo.interval import mean, mean_interval, quartiles, usable
from evo.quantity import quantity, words

STATE = ("dead", "effective_rank", "weight_magnitude")
"""What is said of learners' state in the last tenth, where it was measured."""
NOTHING = "-"


@dataclass(frozen=True)
class StudyTable:
    """A study in numbers.

    Attributes:
        said: sentences about it.
        heads: of the columns.
        rows: texts, one per column.
    """

    said: list[str]
    heads: list[str]
    rows: list[list[str]]

    def markdown(self) -> str:
        """Return sentences and table as Markdown."""
        cells = [[text.replace("|", "\\|") for text in row] for row in (self.heads, *self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "| " + " | ".join(text.ljust(wide) for text, wide in zip(row, widths, strict=True)) + " |" for row in cells
        ]
        rule = "|" + "|".join("-" * (wide + 2) for wide in widths) + "|"
        return "\n".join([" ".join(self.said), "", lines[0], rule, *lines[1:]])


def tables(folder: Path) -> str:
    """Return the tables of all studies that a folder holds, as Markdown; a sentence where there is none."""
    found = studies(folder)
    if not found:
        return (
            f"{folder}: nothing to compare is recorded yet; a cohort's run says who is who in cohort.json, when its "
            f"first generation has ended"
        )
    return "\n\n".join(study_table(record).markdown() for record in found)


def study_table(record: CohortRecord) -> StudyTable:
    """Return a study in numbers."""
    columns = _population_columns(record) if record.evolving else _cohort_columns(record)
    rows = [
        [str(number + 1), label, *(cells[number] for _, cells in columns)] for number, label in enumerate(record.labels)
    ]
    heads = ["#", "run" if record.evolving else "setting", *(head for head, _ in columns)]
    return StudyTable(sentences(record), heads, rows)


def sentences(record: CohortRecord) -> list[str]:
    """Return what is compared, on how much, and what its numbers are."""
    lines, streams, count = len(record.labels), len(record.streams), record.generations
    better = "more" if record.maximize else "less"
    what = quantity(record.objective)
    score = f"Score: {what.title.lower()}{f', {what.unit}' if what.unit else ''}, {better} is better."
    moments = _many(count, record.moment)
    if record.evolving:
        said = [f"{record.problem}: {_many(lines, 'population')} of up to {streams}, {moments}.", score]
        said.append("Medians over individuals, with quartiles in brackets.")
    else:
        said = [f"{record.problem}: {_many(lines, 'setting')} on {_many(streams, 'stream')}, {moments}.", score]
        said.append(
            "Means over streams ± half of their 95 % interval (Student's t)."
            if streams > 1
            else "There is one stream, so nothing can be said of chance."
        )
        if lines > 1 and streams > 1:
            said.append("Differences are paired, stream by stream; intervals are not corrected for their number.")
    return said + warnings(record)


def warnings(record: CohortRecord) -> list[str]:
    """Return what a reader must know before believing the numbers."""
    said = []
    if record.longest > record.generations:
        said.append(
            f"Cut at {_many(record.generations, record.moment)}, which all runs have; the longest has {record.longest}."
        )
    if record.generations == 1:
        said.append(f"One {record.moment} is recorded, so there is nothing to see over time yet.")
    failed, there = int(record.failed().sum()), int(record.last.sum())
    if failed and record.evolving:
        said.append(
            f"{failed} of the {there} individuals of the last {record.moment} failed (their numbers stopped being "
            f"finite); medians and quartiles of scores are of the others, which flatters their populations."
        )
    elif failed == there:
        said.append("All learners failed: their numbers stopped being finite.")
    elif failed:
        said.append(
            f"{failed} of {there} learners failed (their numbers stopped being finite) and are left out from there on, "
            f"which flatters their settings."
        )
    return said


def tenth_of(record: CohortRecord) -> int:
    """Return how many generations a tenth is: one at least."""
    return math.ceil(record.generations / 10)


def last_tenth(record: CohortRecord) -> str:
    """Return in words what the last tenth is, such as "the last 3 segments"."""
    count = tenth_of(record)
    return f"the last {record.moment if count == 1 else _many(count, record.moment)}"


def tenth(record: CohortRecord, name: str, last: bool) -> np.ndarray:
    """Return each learner's mean over the first or the last tenth of the generations, `[settings, streams]`."""
    count = tenth_of(record)
    values = record.curves[name]
    return mean(values[-count:] if last else values[:count], axis=0)


def plus_minus(centre: float, half: float) -> str:
    """Return a mean with its uncertainty, to the uncertainty's second digit."""
    if not math.isfinite(centre):
        return NOTHING
    if not math.isfinite(half) or half == 0.0 or not 1e-4 <= half < 1e6:
        return f"{centre:.4g}" + (f" ± {half:.2g}" if math.isfinite(half) else "")
    digits = max(0, 1 - math.floor(math.log10(half)))
    return f"{centre:.{digits}f} ± {half:.{digits}f}"


def _many(count: int, word: str) -> str:
    return f"{count} {word}{'s' * (count != 1)}"


Column = tuple[str, list[str]]


def _cohort_columns(record: CohortRecord) -> list[Column]:
    def interval(values: np.ndarray) -> list[str]:
        return [plus_minus(*pair) for pair in zip(*map(np.ndarray.tolist, mean_interval(values)), strict=True)]

    columns = _both_tenths(record, interval)
    if len(record.labels) > 1:
        last = tenth(record, "score", True)
        difference = last - last[:1]
        columns.append(("difference to 1", ["", *interval(difference[1:])]))
    columns += _forgetting(record, interval)
    columns += _state(record, interval)
    if record.failed().any():
        columns.append(("failed", [str(count) for count in record.failed().tolist()]))
    return columns


def _population_columns(record: CohortRecord) -> list[Column]:
    def spread(values: np.ndarray) -> list[str]:
        return [_median(*three) for three in zip(*map(np.ndarray.tolist, quartiles(values)), strict=True)]

    columns = _both_tenths(record, spread)
    columns += [(f"{words(name)}, last", spread(tenth(record, name, True))) for name in record.genes]
    columns += _state(record, spread)
    if record.failed().any():
        columns.append(("failed, last", [str(count) for count in record.failed().tolist()]))
    return columns


def _median(lower: float, middle: float, upper: float) -> str:
    return f"{middle:.3g} ({lower:.3g} to {upper:.3g})" if math.isfinite(middle) else NOTHING


def _both_tenths(record: CohortRecord, shown: Callable[[np.ndarray], list[str]]) -> list[Column]:
    count = tenth_of(record)
    which = record.moment if count == 1 else f"{count} {record.moment}s"
    return [(f"score, {word} {which}", shown(tenth(record, "score", word == "last"))) for word in ("first", "last")]


def _forgetting(record: CohortRecord, shown: Callable[[np.ndarray], list[str]]) -> list[Column]:
    """Return what is left of tasks after the last segment, where the accuracy on each of them was measured."""
    if MEASURED not in record.values or record.values[MEASURED].ndim != 4:  # of whole lives there are segments too
        return []
    left = forgetting(record.values[MEASURED])
    heads = ("first task, %", "last task, %", "forgetting, %", "backward transfer, %")
    parts = (left.first, left.last, left.forgetting, left.backward_transfer)
    return [(head, shown(100.0 * part)) for head, part in zip(heads, parts, strict=True)]


def _state(record: CohortRecord, shown: Callable[[np.ndarray], list[str]]) -> list[Column]:
    """Return what learners are like in the last tenth, and how many units were replaced in all."""
    columns = []
    for name in (name for name in STATE if name in record.curves and usable(record.curves[name]).any()):
        known = quantity(name, record.relative)
        unit = f", {known.unit}" if known.unit else ""
        columns.append((f"{known.title.lower()}{unit}", shown(tenth(record, name, True))))
    replaced = record.curves.get("replaced")
    if replaced is not None:
        columns.append(("replaced, total", _totals(replaced, record.lived)))
    return columns


def _totals(replaced: np.ndarray, lived: np.ndarray) -> list[str]:
    """Return the mean over learners of how many units were replaced in all, for each line."""
    totals = np.where(usable(replaced), replaced, 0.0).sum(0)
    return [f"{totals[line][there].mean():.0f}" if there.any() else NOTHING for line, there in enumerate(lived)]
