"""A study as a printed figure, as journals have it: panels side by side, small letters, one legend (matplotlib).

matplotlib is imported when a figure is drawn, and none of its global state is touched.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from evo.best_lines import best_lines
from evo.cohort_record import CohortRecord, studies
from evo.files import check_output
from evo.panel import Panel, moments, panel, stretched
from evo.print_style import COLOURS, DASHES, DOTS, LETTERS, MILLIMETRE, style
from evo.run import CampaignError
from evo.task_accuracy import measured_accuracy
from evo.task_figure import MOST_MATRICES, accuracy_matrix, draw_matrices, task_figures
from evo.task_record import task_record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

USUAL = ("score", "dead", "effective_rank", "weight_magnitude")
"""Panels of a figure for which none are named."""
MOST_LINES = len(COLOURS) * len(DASHES)
"""That differ in colour or dashes."""
WIDTH = 183.0
"""Millimetres: two columns of Nature; one is 89."""
NARROWEST, LOWEST, HIGHEST = 58.0, 36.0, 56.0
"""Of a panel, in millimetres."""
CAPTION_LINE, LEGEND_LINE = 2.6, 3.0
"""Millimetres."""
CAPTION_LETTER = 1.05
"""Mean width of a caption's letter, in millimetres."""
LONGEST = 22
"""Letters of a vertical scale's title on one line; of longer ones, the unit stands on a second."""
FORMATS = (".png", ".pdf", ".svg")


def figure(
    folder: Path,
    out: Path | None = None,
    panels: Sequence[str] = (),
    settings: Sequence[int] = (),
    width: float = WIDTH,
) -> list[Path]:
    """Draw the tasks or the studies that a folder holds; return where the figures are.

    Where runs left tasks and neither panels nor settings are named, these are drawn: see `evo.task_figure`. Otherwise
    there is a figure for each study.

    Args:
        folder: of a campaign, finished or not, or of a run.
        out: the file; its suffix is the format (png, pdf, svg); by default study.png in the folder, or tasks.png.
            Where there are two studies, a cohort and populations, the second's name ends in -2.
        panels: names of what was measured, "score" among them; by default what papers show.
        settings: numbers of lines, from 1, as `evo table` has them, at most 24; by default all, or the 24 best.
        width: millimetres.

    Raises:
        CampaignError: there is nothing to draw.
        ValueError: there is no such panel or setting, there are too many, or the file or the width cannot be.
    """
    if not NARROWEST <= width <= 2000.0:
        raise ValueError(f"width: expected millimetres from {NARROWEST:.0f} to 2000, got {width:g}")
    if len(settings) > MOST_LINES:
        raise ValueError(
            f"--settings: {len(settings)} lines cannot be told apart by {len(COLOURS)} colours and {len(DASHES)} kinds "
            f"of lines; name at most {MOST_LINES}, or none for the best {MOST_LINES}"
        )
    if out is not None and out.suffix not in FORMATS:
        raise ValueError(f"--out: expected a file whose name ends in {', '.join(FORMATS)}, got {out.name!r}")
    tasks = None if panels or settings else task_record(folder)
    if tasks is not None:
        return task_figures(folder, tasks, out or folder / "tasks.png", width)
    first, found = out or folder / "study.png", studies(folder)
    if not found:
        raise CampaignError(f"{folder}: nothing to draw is recorded yet; see what there is with: evo table {folder}")
    check_output("--out", first)
    targets = [first, first.with_name(f"{first.stem}-2{first.suffix}")][: len(found)]
    for record, target in zip(found, targets, strict=True):
        chosen = record.only(settings) if settings else record
        draw(chosen, panels or usual(chosen), width).savefig(target, dpi=DOTS)
    return [*targets, *_known(found, first, width)]


def _known(found: Sequence[CohortRecord], first: Path, width: float) -> list[Path]:
    """Draw what learners know of each task after each, where they measured it; return where."""
    matrices = [one for record in found for one in measured_accuracy(record)]
    if not matrices:
        return []
    target = first.with_name(f"{first.stem}-accuracy{first.suffix}")
    draw_matrices([accuracy_matrix(one) for one in matrices[:MOST_MATRICES]], width).savefig(target, dpi=DOTS)
    return [target]


def usual(record: CohortRecord) -> list[str]:
    """Return the panels for a study where none are named: the score, settings that evolve, and learners' state."""
    names = best_lines(record, MOST_LINES)[0].names()
    if not names:
        raise CampaignError(f"{record.problem}: no finite number was recorded, so there is nothing to draw")
    return [name for name in names if name in USUAL or name in record.genes]


def draw(record: CohortRecord, names: Sequence[str], width: float = WIDTH) -> Figure:
    """Return a matplotlib figure with the panels named, in millimetres as wide as asked for.

    Of more lines than can be told apart, the best are drawn, and the caption says so.
    """
    import matplotlib
    from matplotlib.figure import Figure

    record, chosen = best_lines(record, MOST_LINES)
    made = [panel(record, name) for name in names]
    caption = textwrap.wrap(" ".join([_said(record), *chosen]), int((width - 4.0) / CAPTION_LETTER))
    captioned = 1.6 + CAPTION_LINE * len(caption)
    down = math.ceil(len(made) / int(width // NARROWEST))
    across = math.ceil(len(made) / down)
    high = min(HIGHEST, max(LOWEST, 0.6 * width / across))
    legend = _legend_rows(record.labels, width) if len(record.labels) > 1 else 0
    height = high * down + captioned + LEGEND_LINE * legend + 2.0
    with matplotlib.rc_context(rc=style()):  # restored at once
        drawn = Figure(figsize=(width * MILLIMETRE, height * MILLIMETRE))
        grid: Any = drawn.subplots(down, across, sharex=True, squeeze=False)
        axes = list(grid.flat)
        for number, (one, place) in enumerate(zip(made, axes, strict=False)):
            _panel(place, one, record, letter=chr(ord("a") + number % 26) if len(made) > 1 else "")
        for place in axes[len(made) :]:
            place.set_visible(False)
        for place in axes[max(0, len(made) - across) : len(made)]:
            place.set_xlabel(record.moment.capitalize())
            place.tick_params(labelbottom=True)
        below = (captioned + LEGEND_LINE * legend + 1.0) / height
        if legend:
            _legend(drawn, axes[0], record.labels, legend, captioned / height)
        small: dict[str, Any] = {"fontsize": LETTERS - 1.5, "color": "#57606a"}
        drawn.text(0.5, 1.0 / height, "\n".join(caption), ha="center", va="bottom", **small)
        drawn.tight_layout(rect=(0.0, below, 1.0, 1.0), pad=0.3, w_pad=1.4, h_pad=1.2)
    return drawn


def _panel(axes: Axes, one: Panel, record: CohortRecord, letter: str) -> None:
    """Draw one panel."""
    if one.log:
        axes.set_yscale("log")
    floor = one.zero or one.ends[0]
    lows, highs = one.band()
    for line in range(one.centre.shape[1]):
        colour, dashes = COLOURS[line % len(COLOURS)], DASHES[line // len(COLOURS) % len(DASHES)]
        low, centre, high = (
            np.where(values[:, line] > 0.0, values[:, line], np.where(np.isnan(values[:, line]), np.nan, floor))
            if one.log
            else values[:, line]
            for values in (lows, one.centre, highs)
        )
        axes.fill_between(one.x, low, high, color=colour, alpha=0.18, linewidth=0)
        alone = "o" if len(one.x) == 1 else ""
        axes.plot(one.x, centre, color=colour, linestyle=dashes, marker=alone, markersize=3, label=record.labels[line])
    axes.set_ylim(*one.ends)
    axes.set_ylabel(one.title if len(one.title) <= LONGEST else one.title.replace(" (", "\n("))
    values, texts = zip(*one.ticks(), strict=True)
    axes.set_yticks(values, texts)
    axes.minorticks_off()
    axes.set_xticks(moments(record.generations))
    if record.generations > 1:
        axes.set_xlim(1.0, float(record.generations))
    if letter:
        axes.text(-0.02, 1.04, letter, transform=axes.transAxes, ha="right", fontweight="bold", fontsize=LETTERS + 1)


def _legend_columns(labels: Sequence[str], width: float) -> int:
    """Return how many entries stand side by side, by a letter's mean width."""
    wide = 9.0 + 1.15 * max(map(len, labels))
    return max(1, min(len(labels), int((width - 4.0) // wide)))


def _legend_rows(labels: Sequence[str], width: float) -> int:
    return math.ceil(len(labels) / _legend_columns(labels, width))


def _legend(drawn: Figure, axes: Axes, labels: Sequence[str], rows: int, bottom: float) -> None:
    handles, names = axes.get_legend_handles_labels()
    drawn.legend(
        handles,
        names,
        loc="lower center",
        bbox_to_anchor=(0.5, bottom),
        ncols=math.ceil(len(labels) / rows),
        frameon=False,
        handlelength=2.2,
        columnspacing=1.6,
        labelspacing=0.25,
        borderaxespad=0.0,
        borderpad=0.0,
    )


def _said(record: CohortRecord) -> str:
    """Return what lines and bands are."""
    count = len(record.streams)
    if record.evolving:
        said = ["Lines: median over the population. Bands: quartiles."]
    elif count > 1:
        said = [f"Lines: mean over {count} streams. Bands: 95 % interval of the mean (Student's t)."]
    else:
        said = ["One stream."]
    return " ".join([*said, *stretched(record)])
