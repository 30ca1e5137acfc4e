"""Tasks in sequence as printed figures: scores, what is known of each, and how paths overlap (matplotlib).

matplotlib is imported when a figure is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from evo.files import check_output
from evo.inspect.tasks import LARGEST_MATRIX, MOST_CHARTS, NUMBERED
from evo.path_figure import draw_film, draw_use
from evo.path_record import path_records
from evo.print_style import CAPTION, COLOURS, DASHES, DOTS, INK, LETTERS, MILLIMETRE, caption_below, shades, styled
from evo.quantity import quantity, words
from evo.study_parts import begun_runs
from evo.task_accuracy import TaskAccuracy, state_accuracy
from evo.task_curves import TaskCurve, overlaps, task_curves
from evo.task_record import TaskRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANEL, HIGH = 58.0, 46.0
"""Millimetres: a panel's least width, and its height."""
MOST_MATRICES = 6
"""Conditions, or settings, with a matrix."""
MOST_NAMES = 24
"""Lines of a panel that differ in colour or dashes."""


@final
@dataclass(frozen=True)
class Matrix:
    """A number for each two tasks.

    Attributes:
        values: `[rows, tasks]`, NaN where there is none.
        rows: what the rows are called.
        x_title, y_title, title: what columns, rows and numbers are.
        full: the number with the fullest colour; 0 has none.
    """

    values: np.ndarray
    rows: list[int]
    x_title: str
    y_title: str
    title: str
    full: float


def task_figures(folder: Path, record: TaskRecord, out: Path, width: float) -> list[Path]:
    """Draw tasks: scores with matrices, and of the first run with paths its film and use of modules; return where.

    Args:
        folder: of a campaign or a run.
        record: its tasks.
        out: of the scores; the others' names end in -film and -use.
        width: millimetres.
    """
    check_output("--out", out)
    drawn = {"": draw_tasks(record, matrices(folder, record), width)}
    paths = path_records(folder)
    if paths:
        drawn |= {"-film": draw_film(paths[0], width), "-use": draw_use(paths[0], width)}
    targets = [out.with_name(f"{out.stem}{ending}{out.suffix}") for ending in drawn]
    for target, made in zip(targets, drawn.values(), strict=True):
        made.savefig(target, dpi=DOTS)
    return targets


def matrices(folder: Path, record: TaskRecord) -> list[Matrix]:
    """Return what is known of tasks, asked of the first run of each condition that can be, and how paths overlap."""
    several = len(record.conditions) > 1
    made = []
    firsts = {run.variant: run for run in reversed(begun_runs(folder)[1]) if (run.folder / "tasks.json").is_file()}
    for name, run in [*reversed(firsts.items())][:MOST_MATRICES]:
        try:
            found = state_accuracy(run.folder)
        except Exception:  # noqa: S112  a campaign's own code can fail in any way; its page says how
            continue
        if found is not None:
            made.append(accuracy_matrix(found, words(name) if several else ""))
    for name, courses in [*record.conditions.items()][:MOST_MATRICES]:
        shared = overlaps(courses)[:LARGEST_MATRIX, :LARGEST_MATRIX]
        if np.isfinite(shared).sum() > 1:
            title = f"Modules shared{f', {words(name)}' if several else ''}"
            made.append(Matrix(shared, [*range(1, len(shared) + 1)], "Task", "Task", title, float(np.nanmax(shared))))
    return made


def accuracy_matrix(one: TaskAccuracy, label: str = "") -> Matrix:
    """Return accuracies as a matrix to draw."""
    label = label or one.label
    title = f"Test accuracy{f', {label}' if label else ''}"
    values = one.values[:LARGEST_MATRIX, :LARGEST_MATRIX]
    return Matrix(values, one.after[:LARGEST_MATRIX], "On task", "After task", title, 1.0)


def draw_tasks(record: TaskRecord, shown: Sequence[Matrix], width: float) -> Figure:
    """Return a figure with a panel of scores per task, and the matrices."""
    curves = task_curves(record)
    tasks = list(dict.fromkeys(one.task for one in curves))
    alone = len(record.conditions) == 1
    groups = [curves] if alone else [[one for one in curves if one.task == task] for task in tasks[:MOST_CHARTS]]
    runs = max((one.runs for one in curves), default=1)
    caption = "Best score of each generation of a task."
    if runs > 1:
        caption += (
            f" Lines: mean over up to {runs} runs and replicates; who has ended counts with the last. "
            f"Bands: 95 % interval of the mean (Student's t)."
        )
    with styled():
        drawn, places = _grid(len(groups) + len(shown), width, caption)
        for group, place in zip(groups, places, strict=False):
            names = [f"task {one.task + 1}" if alone else words(one.condition) for one in group]
            what = quantity(record.objective).title
            _curves(place, group, names, what if alone else f"{what}, task {group[0].task + 1}")
        for one, place in zip(shown, places[len(groups) :], strict=True):
            _matrix(place, one)
        _letters(places)
    return drawn


def draw_matrices(shown: Sequence[Matrix], width: float) -> Figure:
    """Return a figure with a panel for each matrix."""
    with styled():
        drawn, places = _grid(len(shown), width, "What is known of each task, on test cases, after each.")
        for one, place in zip(shown, places, strict=True):
            _matrix(place, one)
        _letters(places)
    return drawn


def _grid(panels: int, width: float, caption: str) -> tuple[Figure, list[Axes]]:
    """Return a figure with so many panels in balanced rows, and a caption."""
    from matplotlib.figure import Figure

    down = math.ceil(panels / max(1, int(width // PANEL)))
    across = math.ceil(panels / down)
    high = HIGH * down + CAPTION
    drawn = Figure(figsize=(width * MILLIMETRE, high * MILLIMETRE), layout="constrained")
    grid: Any = drawn.subplots(down, across, squeeze=False)
    places = list(grid.flat)
    for place in places[panels:]:
        place.set_visible(False)
    caption_below(drawn, caption, width)
    drawn.get_layout_engine().set(rect=(0.0, CAPTION / high, 1.0, 1.0 - CAPTION / high))  # type: ignore[union-attr, call-arg]
    return drawn, places[:panels]


def _letters(places: Sequence[Axes]) -> None:
    for number, place in enumerate(places if len(places) > 1 else []):
        place.set_title(chr(ord("a") + number % 26), loc="left", fontweight="bold", fontsize=LETTERS + 1)


def _curves(axes: Axes, curves: Sequence[TaskCurve], names: Sequence[str], what: str) -> None:
    for number, (one, name) in enumerate(zip(curves[:MOST_NAMES], names, strict=False)):
        colour, dashes = COLOURS[number % len(COLOURS)], DASHES[number // len(COLOURS) % len(DASHES)]
        axes.fill_between(one.x, one.mean - one.half, one.mean + one.half, color=colour, alpha=0.18, linewidth=0)
        marker = "o" if len(one.x) == 1 else ""
        axes.plot(one.x, one.mean, color=colour, linestyle=dashes, marker=marker, markersize=3, label=name)
    axes.set_xlabel("Generation of the task")
    axes.set_ylabel(what)
    axes.legend(frameon=False, loc="best", handlelength=2.0, labelspacing=0.25)


def _matrix(axes: Axes, one: Matrix) -> None:
    axes.imshow(np.ma.masked_invalid(one.values), cmap=shades(), vmin=0.0, vmax=one.full or 1.0, aspect="auto")
    if one.values.shape[1] <= NUMBERED:
        for (row, column), value in np.ndenumerate(one.values):
            if math.isfinite(value):
                colour = "white" if value > 0.55 * one.full else INK
                axes.text(column, row, f"{value:.3g}", ha="center", va="center", color=colour)
    columns = range(one.values.shape[1])
    step = math.ceil(max(len(columns), len(one.rows), 1) / 12)
    axes.set_xticks([*columns][::step], [str(column + 1) for column in columns][::step])
    axes.set_yticks([*range(len(one.rows))][::step], [str(row) for row in one.rows][::step])
    axes.set_xlabel(one.x_title)
    axes.set_ylabel(one.y_title)
    axes.set_title(one.title, fontsize=LETTERS)
