"""The section of a page about a study: small panels with one horizontal scale, a legend that shows one line alone.

Its script (study.js) reads numbers off the panels; without it, all lines and the table of numbers are there.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from evo.best_lines import best_lines
from evo.cohort_record import CohortRecord
from evo.inspect.panel_svg import HEIGHT, LEFT, MOST_LINES, TOP, WIDTH, across, panel_svg, swatch
from evo.inspect.text import escape
from evo.panel import MOST_POINTS, Panel, panel, stretched
from evo.quantity import KNOWN, quantity
from evo.study_table import StudyTable, sentences, study_table

MOST_PANELS = 24
LAYERED = [name for name, known in KNOWN.items() if known.joined in ("share", "rank")]
"""Quantities of hidden layers."""


def study_sections(records: Sequence[CohortRecord], styled: bool = True) -> list[str]:
    """Return a section for each study.

    Args:
        records: the studies.
        styled: whether the first panel carries the style sheet of all figures; one figure on a page must.
    """
    return [_section(record, number, styled and not number) for number, record in enumerate(records)]


def study_data(records: Sequence[CohortRecord]) -> list[dict[str, Any]]:
    """Return what the script reads of each study: plain JSON."""
    return [
        {
            "moment": record.moment,
            "when": _when(record),
            "interval": not record.evolving,
            "scale": [LEFT, WIDTH, TOP, HEIGHT],
            "panels": [_numbers(one, record.generations) for one in _panels(record)],
        }
        for record in (best_lines(every, MOST_LINES)[0] for every in records)
    ]


def _section(every: CohortRecord, number: int, styled: bool) -> str:
    record, chosen = best_lines(every, MOST_LINES)
    title = "Settings that evolve" if record.evolving else "Settings over time"
    said = " ".join(sentences(every))
    panels = _panels(record)
    if not panels:
        nothing = "No finite number was recorded."
        return f"<section>\n<h2>{title}</h2>\n<p>{escape(said, 2000)} {nothing}</p>\n</section>"
    drawn = "\n".join(
        f'<div class="panel">{panel_svg(one, record.generations, record.moment, styled and not place)}</div>'
        for place, one in enumerate(panels)
    )
    return (
        f'<section class="study" data-study="{number}">\n<h2>{title}</h2>\n'
        f"<p>{escape(said, 2000)} {' '.join([_bands(record), *(escape(one, 500) for one in chosen)])}</p>\n"
        f"{_legend(record)}\n{_slider(record, panels[0], number)}\n"
        f'<div class="panels">\n{drawn}\n</div>\n{_left_out(record)}'
        f"<h3>In numbers</h3>\n{_table(study_table(every))}\n</section>"
    )


def _panels(record: CohortRecord) -> list[Panel]:
    return [panel(record, name) for name in record.names()[:MOST_PANELS]]


def _bands(record: CohortRecord) -> str:
    """Return what lines and bands are, and what layers are joined to."""
    lines = (
        "Lines are medians, bands go from quartile to quartile." if record.evolving else "Bands are these intervals."
    )
    layers = max((record.values[name].shape[-1] for name in LAYERED if name in record.values), default=0)
    said = [lines] if record.evolving or len(record.streams) > 1 else []
    said += stretched(record)
    return " ".join([*said, "Hidden layers are averaged."] if layers > 1 else said)


def _legend(record: CohortRecord) -> str:
    """Return a button per line, with a piece of it."""
    entries = "".join(
        f'<button type="button" data-entry="{number}" aria-pressed="false">{swatch(number)}'
        f"{escape(label, 120)}</button>"
        for number, label in enumerate(record.labels)
    )
    what = "runs" if record.evolving else "settings"
    return (
        f'<div class="legend" role="group" aria-label="Show one of the {what} alone">{entries}</div>\n'
        '<p class="scripted hint">Point at a line or its name to see it alone, with its numbers; click to keep it, '
        "Escape to let it go.</p>"
    )


def _slider(record: CohortRecord, first: Panel, number: int) -> str:
    """Return the slider of the moment whose numbers are shown."""
    last = len(first.x) - 1
    if not last:
        return ""
    return (
        f'<div class="line scripted"><label for="moment{number}">Numbers at {record.moment}</label>'
        f'<output id="at{number}" for="moment{number}">{_when(record)[-1]}</output></div>\n'
        f'<div class="scripted"><input type="range" id="moment{number}" min="0" max="{last}" value="{last}"></div>'
    )


def _when(record: CohortRecord) -> list[str]:
    """Return which generations each point of a line stands for."""
    count = record.generations
    points = min(count, MOST_POINTS)
    ends = [place * count // points for place in range(points + 1)]
    return [
        str(first + 1) if last == first + 1 else f"{first + 1} to {last}" for first, last in itertools.pairwise(ends)
    ]


def _left_out(record: CohortRecord) -> str:
    """Return a sentence about what has no panel."""
    still = ", ".join(quantity(name).title.lower() for name in record.still())
    said = [f"0 throughout, and not drawn: {still}."] if still else []
    if len(record.names()) > MOST_PANELS:
        said.append(f"The first {MOST_PANELS} of {len(record.names())} quantities are drawn.")
    if any(one.zero for one in _panels(record)):
        said.append("Where a setting is 0, its operator is off.")
    return f'<p class="hint">{escape(" ".join(said), 2000)}</p>\n' if said else ""


def _table(table: StudyTable) -> str:
    heads = "".join(f"<th>{escape(head, 80)}</th>" for head in table.heads)
    rows = "".join("<tr>" + "".join(f"<td>{escape(text, 200)}</td>" for text in row) + "</tr>\n" for row in table.rows)
    return f'<div class="figure"><table class="numbers">\n<tr>{heads}</tr>\n{rows}</table></div>'


def _numbers(one: Panel, generations: int) -> dict[str, Any]:
    """Return a panel's numbers, line by line, and where they stand; null where there is none."""
    return {
        "across": [round(across(x, generations), 1) for x in one.x.tolist()],
        "up": _rounded(one.centre, one.place),
        **{name: _rounded(getattr(one, name)) for name in ("centre", "low", "high")},
    }


def _rounded(values: np.ndarray, change: Callable[[float], float] = float) -> list[list[float | None]]:
    """Return numbers, changed, to four digits, `[lines][points]`; None for what is not finite."""
    return [
        [float(f"{change(value):.4g}") if math.isfinite(value) else None for value in line]
        for line in values.T.tolist()
    ]
