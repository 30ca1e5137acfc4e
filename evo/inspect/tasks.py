"""The sections of a page about tasks in sequence: paths, the use of modules, scores, what is known, what overlaps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from evo.inspect.curves import Line, curve_svg
from evo.inspect.heat_map import heat_map_svg
from evo.inspect.module_use import MOST_ROWS, module_use_svg
from evo.inspect.path_film import film_svg, moving_data, moving_html
from evo.inspect.text import escape, finite
from evo.learning.consolidation.importance import Importance
from evo.path_record import PathRecord
from evo.quantity import quantity, words
from evo.task_accuracy import TaskAccuracy
from evo.task_curves import TaskCurve, overlaps, task_curves
from evo.task_record import TaskRecord

MOST_CHARTS = 6
"""Tasks with a chart of their own, where conditions are compared."""
MOST_MATRICES = 6
"""Lines of learners with a matrix."""
LARGEST_MATRIX = 40
"""Tasks of a matrix; of more, the first are shown."""
NUMBERED = 12
"""Tasks up to which a matrix has numbers in its cells."""


@final
@dataclass(frozen=True)
class TaskPictures:
    """What there is to show of a run's tasks.

    Attributes:
        record: the tasks of all runs; None of learners without pathways.
        condition: whose overlap is shown.
        paths: one run's, over generations; None where none were recorded.
        accuracies: on all tasks, after each.
        unknown: why accuracies of a state are not known; empty where they are, or there are none.
    """

    record: TaskRecord | None = None
    condition: str = ""
    paths: PathRecord | None = None
    accuracies: list[TaskAccuracy] = field(default_factory=list)
    unknown: str = ""

    def __bool__(self) -> bool:
        """Whether there is anything to show."""
        return self.record is not None or self.paths is not None or bool(self.accuracies)


def task_sections(pictures: TaskPictures) -> list[str]:
    """Return the sections, in the order of the page."""
    sections = [] if pictures.paths is None else [_film(pictures.paths)]
    halves = [] if pictures.paths is None else [_use(pictures.paths)]
    if pictures.record is not None:
        halves += _curves(pictures.record)
    halves += _accuracies(pictures)
    if pictures.record is not None:
        halves += _overlap(pictures.record, pictures.condition)
    return [*sections, f'<div class="pair">{"".join(halves)}</div>'] if halves else sections


def task_data(pictures: TaskPictures) -> dict[str, Any]:
    """Return what the page's script reads: plain JSON."""
    return {} if pictures.paths is None else {"paths": moving_data(pictures.paths)}


def _section(title: str, said: str, *figures: str) -> str:
    drawn = "\n".join(f'<div class="figure">{one}</div>' for one in figures)
    return f"<section>\n<h2>{escape(title)}</h2>\n<p>{escape(said, 1000)}</p>\n{drawn}\n</section>"


def _whose(paths: PathRecord) -> str:
    named = [] if paths.variant == "default" else [words(paths.variant)]
    return ", ".join([*named, f"seed {paths.seed}", f"replicate {paths.replicate + 1}"])


def _film(paths: PathRecord) -> str:
    said = f"Modules of each layer, and the population's paths through them ({_whose(paths)})."
    rare = "" if paths.complete else " Of populations with very many paths, the rarest are left out."
    return (
        f'<section class="wide">\n<h2>Paths over generations</h2>\n<p>{escape(said + rare, 1000)}</p>\n'
        f'<div class="figure">{film_svg(paths)}</div>\n{moving_html(paths)}\n</section>'
    )


def _use(paths: PathRecord) -> str:
    said = "The share of the population with each module on its path: the stronger, the more."
    if sum(paths.counts) > MOST_ROWS:
        said += f" Of {sum(paths.counts)} modules, those that are used most."
    return _section("Use of modules", said, module_use_svg(paths))


def _curves(record: TaskRecord) -> list[str]:
    """Return the section with the best score of each generation, by task, or by task and condition."""
    curves = task_curves(record)
    if not curves:
        return []
    what = quantity(record.objective).title
    tasks = list(dict.fromkeys(one.task for one in curves))
    if len(record.conditions) == 1:
        charts = [_chart(curves, [f"task {one.task + 1}" for one in curves], what, "Best score per task")]
    else:
        charts = [
            _chart(mine, [words(one.condition) for one in mine], f"{what}, task {task + 1}", f"Task {task + 1}")
            for task in tasks[:MOST_CHARTS]
            if (mine := [one for one in curves if one.task == task])
        ]
    runs = max(one.runs for one in curves)
    said = "The best of each generation of a task."
    if runs > 1:
        said += f" Mean over {runs} runs and replicates with its 95 % interval; who has ended counts with the last."
    if len(record.conditions) > 1 and len(tasks) > MOST_CHARTS:
        said += f" The first {MOST_CHARTS} of {len(tasks)} tasks."
    return [_section("Score per task", said, *charts)]


def _chart(curves: Sequence[TaskCurve], names: Sequence[str], what: str, title: str) -> str:
    lines = [
        Line(
            name,
            one.x.tolist(),
            one.mean.tolist(),
            [finite(half) or 0.0 for half in one.half.tolist()] if np.isfinite(one.half).any() else (),
            number,
            "strong" if number < 6 else "strong dashed",
        )
        for number, (one, name) in enumerate(zip(curves, names, strict=True))
    ]
    return curve_svg(lines, "generation of the task", what, title)


def _accuracies(pictures: TaskPictures) -> list[str]:
    shown = pictures.accuracies[:MOST_MATRICES]
    if not shown:
        why = f"It cannot be asked here: {pictures.unknown}." if pictures.unknown else ""
        return [_section("What is known of each task", why)] if why else []
    said = shown[0].said
    if len(pictures.accuracies) > MOST_MATRICES:
        said += f" The first {MOST_MATRICES} of {len(pictures.accuracies)} settings."
    return [_section("What is known of each task", said, *map(accuracy_svg, shown))]


def accuracy_svg(one: TaskAccuracy) -> str:
    """Return a matrix of accuracies: rows are after which task, columns on which."""
    title = f"Accuracy: {one.label}" if one.label else "Accuracy on each task, after each"
    return _matrix(one.values, "on task", "after task", title, (0.0, 1.0), one.after)


def _overlap(record: TaskRecord, condition: str) -> list[str]:
    courses = record.conditions.get(condition) or next(iter(record.conditions.values()), [])
    shared = overlaps(courses)
    if np.isfinite(shared).sum() < 2:
        return []
    name = "" if len(record.conditions) == 1 else f" Of {words(condition)}."
    runs = len({one.run for one in courses})
    means = f" Mean over {runs} runs and replicates." if runs > 1 else ""
    said = f"How many modules the kept paths of two tasks share; on the diagonal, how many a path has.{means}{name}"
    return [_section("Overlap of tasks", said, _matrix(shared, "task", "task", "Modules shared", (0.0, None)))]


def fisher_overlap(importances: Sequence[Importance]) -> np.ndarray:
    """Return how far the same weights matter for each two tasks, `[tasks, tasks]`: from 0 to 1, alike.

    Args:
        importances: one per task, of the same weights.
    """
    return np.array([[float(one.overlap(other).mean()) for other in importances] for one in importances])


def fisher_overlap_svg(importances: Sequence[Importance]) -> str:
    """Return the overlap of tasks' Fisher information as a matrix, an SVG document."""
    return _matrix(fisher_overlap(importances), "task", "task", "Overlap of Fisher information", (0.0, 1.0))


def _matrix(
    values: np.ndarray,
    x_title: str,
    y_title: str,
    title: str,
    ends: tuple[float, float | None],
    after: Sequence[int] | None = None,
) -> str:
    """Return a matrix over tasks as an SVG document; of very many tasks, the first."""
    cut = values[:LARGEST_MATRIX, :LARGEST_MATRIX]
    rows = [[finite(value) for value in row] for row in cut.tolist()]
    known = [value for row in rows for value in row if value is not None]
    low, high = ends
    labels = list(after or range(1, len(rows) + 1))[:LARGEST_MATRIX]
    across = range(1, cut.shape[1] + 1)
    numbers = cut.shape[1] <= NUMBERED
    full = max(known, default=1.0) if high is None else high
    return heat_map_svg(rows, across, labels, x_title, y_title, title, numbers, (low, full))
