"""A panel of a study as a small SVG document: lines with bands over generations, drawn without any library.

Marks of one line are a group with its number, so that a page's script can show one line alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from evo.inspect.curves import COLOURS
from evo.inspect.figure import figure, label
from evo.panel import Panel, moments

WIDTH, HEIGHT = 272.0, 138.0
"""Of the plotting region."""
LEFT, RIGHT, TOP, BOTTOM = 50.0, 16.0, 44.0, 44.0
DASHES = 4
"""Kinds of lines: after all colours, they come again with the next."""
MOST_LINES = COLOURS * DASHES
"""That differ in colour or dashes."""


def panel_svg(panel: Panel, generations: int, moment: str, styled: bool) -> str:
    """Return a panel as an SVG document.

    Args:
        panel: what is drawn.
        generations: the end of the horizontal scale.
        moment: what a generation is called.
        styled: whether it carries the style sheet of all figures; one on a page must.
    """
    groups = "\n".join(_line(panel, line, generations) for line in range(panel.centre.shape[1]))
    body = [
        label(10, 20, panel.title, "heading", 60),
        _scales(panel, generations, moment),
        groups,
        f'<line class="cursor" x1="0" x2="0" y1="{TOP:.0f}" y2="{TOP + HEIGHT:.0f}"/>',
        f'<text class="readout end" x="{LEFT + WIDTH:.0f}" y="37"></text>',
    ]
    size = LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM
    return figure(0, 0, *size, f"{panel.title} per {moment}", "\n".join(body), styled)


def swatch(line: int) -> str:
    """Return a short piece of a line, for a legend; it needs a figure on the same page for its style."""
    return (
        f'<svg class="evo" viewBox="0 0 26 8" width="26" height="8" aria-hidden="true">'
        f'<path class="{kind(line)}" d="M2 4h22"/></svg>'
    )


def kind(line: int) -> str:
    """Return the classes of a line: its colour, and how it is dashed."""
    return f"line strong hue{line % COLOURS} dash{line // COLOURS % DASHES}"


def across(x: float, generations: int) -> float:
    """Return where a generation, counted from 1, stands on the horizontal scale."""
    return LEFT + WIDTH * (0.5 if generations < 2 else (x - 1.0) / (generations - 1.0))


def _up(panel: Panel, value: float) -> float:
    return TOP + HEIGHT * (1.0 - panel.place(value))


def _line(panel: Panel, line: int, generations: int) -> str:
    """Return a line's marks: its band, and the line itself, interrupted where there is no number; or dots."""
    centre, low, high = (values[:, line] for values in (panel.centre, *panel.band()))
    xs = [across(x, generations) for x in panel.x.tolist()]
    parts = []
    for run in _runs(np.isfinite(low) & np.isfinite(high)):
        edge = [(xs[place], _up(panel, high[place])) for place in run]
        edge += [(xs[place], _up(panel, low[place])) for place in reversed(run)]
        if len(run) > 1:
            parts.append(f'<polygon class="band fill{line % COLOURS}" points="{_pairs(edge, " ")}"/>')
        else:
            parts.append(f'<path class="line hue{line % COLOURS}" d="M{_pairs([edge[0], edge[1]], "L")}"/>')
    for run in _runs(np.isfinite(centre)):
        places = [(xs[place], _up(panel, centre[place])) for place in run]
        if len(run) > 1:
            parts.append(f'<path class="{kind(line)}" d="M{_pairs(places, "L")}"/>')
        else:
            x, y = places[0]
            parts.append(f'<circle class="fill{line % COLOURS}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
    return f'<g data-line="{line}">{"".join(parts)}</g>'


def _runs(there: np.ndarray) -> Iterator[list[int]]:
    """Yield the uninterrupted stretches of places that are there."""
    run: list[int] = []
    for place, one in enumerate(there.tolist()):
        if one:
            run.append(place)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _scales(panel: Panel, generations: int, moment: str) -> str:
    """Return both scales: lines across at round heights, numbers at the left and below, and what these are."""
    bottom, right = TOP + HEIGHT, LEFT + WIDTH
    parts = []
    for value, text in panel.ticks():
        y = _up(panel, value)
        parts.append(f'<line class="grid" x1="{LEFT:.0f}" y1="{y:.1f}" x2="{right:.0f}" y2="{y:.1f}"/>')
        parts.append(label(LEFT - 7, y + 4, text, "soft end"))
    for value in moments(generations):
        x = across(value, generations)
        parts.append(f'<line class="axis" x1="{x:.1f}" y1="{bottom:.0f}" x2="{x:.1f}" y2="{bottom + 4:.0f}"/>')
        parts.append(label(x, bottom + 17, str(value), "soft middle"))
    parts.append(f'<line class="axis" x1="{LEFT:.0f}" y1="{bottom:.0f}" x2="{right:.0f}" y2="{bottom:.0f}"/>')
    parts.append(label(LEFT + WIDTH / 2, bottom + 34, moment, "soft middle"))
    return "\n".join(parts)


def _pairs(points: Sequence[tuple[float, float]], between: str) -> str:
    return between.join(f"{x:.1f} {y:.1f}" for x, y in points)
