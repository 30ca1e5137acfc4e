"""Small line and bar charts as SVG documents, drawn without any library."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from evo.inspect.figure import LETTER, figure, label
from evo.inspect.text import finite

WIDTH, HEIGHT = 450.0, 250.0
"""Of the plotting region."""
LEFT, RIGHT, TOP, BOTTOM = 62.0, 22.0, 40.0, 58.0
BUCKETS = 280
"""A line with more points is drawn through the least and the greatest value of so many stretches."""
COLOURS = 6
MOST_BARS = 140
LARGEST, SMALLEST = 1e100, 1e-100
"""Numbers beyond are not drawn, and differences below are none."""

Point = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """One line of a chart.

    Attributes:
        name: what the legend calls it; lines of one name share an entry, and without one there is none.
        x, y: the points, in order; where y is not finite the line is interrupted.
        deviation: half of the height of a band around the line, per point; empty for no band.
        colour: which of the six colours.
        kind: "line", "faint", "strong" or "dashed", or several; "dots" for points with nothing between them.
        marked: whether each point gets a dot.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    deviation: Sequence[float] = ()
    colour: int = 0
    kind: str = "line"
    marked: bool = False


@dataclass(frozen=True)
class _Axes:
    """Where numbers are: `x` and `y` are the ends of the two scales."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> Point:
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return LEFT + WIDTH * across, TOP + HEIGHT * (1.0 - up)


def curve_svg(lines: Sequence[Line], x_label: str, y_label: str, title: str, marker: int | None = None) -> str:
    """Return a line chart as an SVG document called `title`; numbers that are not finite are left out.

    Args:
        lines: what is drawn, in this order.
        x_label, y_label: what the scales mean.
        title: what the chart is called.
        marker: the place of a point of the first line that is marked; the page's script moves the marker.
    """
    runs = [_runs(line) for line in lines]
    points = [point for parts in runs for part in parts for point in part]
    edges = [(x, y + sign * spread) for x, y, spread in points for sign in (-1.0, 1.0)]
    axes = _Axes(_ends([x for x, _ in edges], 0.0), _ends([y for _, y in edges], 0.05))
    body = [_scales(axes, x_label, y_label)]
    for line, parts in zip(lines, runs, strict=True):
        body += [_band(part, axes, line.colour) for part in parts if line.deviation]
    body += [_path(part, axes, line) for line, parts in zip(lines, runs, strict=True) for part in parts]
    if not points:
        body.append(label(LEFT + WIDTH / 2, TOP + HEIGHT / 2, "nothing was recorded", "soft middle"))
    if marker is not None:
        body.append(_marker(lines[0], axes, marker))
    legend, rows = _legend(lines)
    height = TOP + HEIGHT + BOTTOM + 22 * rows
    return figure(0, 0, LEFT + WIDTH + RIGHT, height, title, "\n".join([*body, legend]))


def bars_svg(values: Sequence[float], title: str) -> str:
    """Return a bar chart of a vector of genes as an SVG document: place 0 to the left; long vectors are cut."""
    drawn = [max(-LARGEST, min(LARGEST, finite(value) or 0.0)) for value in values[:MOST_BARS]]
    axes = _Axes((-0.6, max(1, len(drawn)) - 0.4), _ends([0.0, *drawn], 0.05))
    zero = axes.at(0.0, 0.0)[1]
    wide = 0.76 * (axes.at(1.0, 0.0)[0] - axes.at(0.0, 0.0)[0])
    bars = []
    for place, value in enumerate(drawn):
        x, y = axes.at(place, value)
        fill = "fill0" if value >= 0 else "fill1"
        bars.append(
            f'<rect class="{fill}" x="{x - wide / 2:.1f}" y="{min(y, zero):.1f}" width="{wide:.1f}" '
            f'height="{abs(y - zero):.1f}"><title>{place}: {value:.6g}</title></rect>'
        )
    name = f"{title} (the first {MOST_BARS} of {len(values)})" if len(values) > MOST_BARS else title
    body = [_scales(axes, "place in the vector", name, whole=True), *bars]
    return figure(0, 0, LEFT + WIDTH + RIGHT, TOP + HEIGHT + BOTTOM, name, "\n".join(body))


def _runs(line: Line) -> list[list[tuple[float, float, float]]]:
    """Return the line's uninterrupted parts: lists of (x, y, deviation)."""
    runs: list[list[tuple[float, float, float]]] = [[]]
    spreads = line.deviation or [0.0] * len(line.x)
    for raw in zip(line.x, line.y, spreads, strict=True):
        x, y, spread = (finite(value) for value in raw)
        if x is None or y is None or max(abs(x), abs(y)) > LARGEST:
            runs.append([])
        else:
            runs[-1].append((x, y, min(LARGEST, abs(spread or 0.0))))
    return [_thinned(run) for run in runs if run]


def _thinned(run: list[tuple[float, float, float]]) -> list[tuple[float, float, float]]:
    """Return the run, or where it is long the least and the greatest of each of its stretches, and its ends."""
    if len(run) <= 2 * BUCKETS:
        return run
    kept = {0, len(run) - 1}
    for bucket in range(BUCKETS):
        stretch = range(bucket * len(run) // BUCKETS, (bucket + 1) * len(run) // BUCKETS)
        kept |= {min(stretch, key=lambda place: run[place][1]), max(stretch, key=lambda place: run[place][1])}
    return [run[place] for place in sorted(kept)]


def _ends(values: list[float], margin: float) -> tuple[float, float]:
    """Return the ends of a scale that holds all values."""
    low, high = min(values, default=0.0), max(values, default=1.0)
    size = max(abs(low), abs(high))
    if high - low <= max(SMALLEST, 1e-12 * size):
        room = size / 10 if size > SMALLEST else 0.5
        return low - room, high + room
    return low - margin * (high - low), high + margin * (high - low)


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Return round numbers from `low` to `high`, a step of 1, 2 or 5 times a power of ten apart."""
    rough = (high - low) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * 0.999999)
    return [number * step for number in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _scales(axes: _Axes, x_label: str, y_label: str, whole: bool = False) -> str:
    """Return both scales: lines across at round heights, numbers at the left and below, and what they mean."""
    left, bottom = LEFT, TOP + HEIGHT
    parts = []
    for value in ticks(*axes.y):
        y = axes.at(axes.x[0], value)[1]
        parts.append(f'<line class="grid" x1="{left:.1f}" y1="{y:.1f}" x2="{left + WIDTH:.1f}" y2="{y:.1f}"/>')
        parts.append(label(left - 9, y + 4, f"{value:.5g}", "soft end"))
    for value in ticks(*axes.x, 8):
        if whole and value != round(value):
            continue
        x = axes.at(value, axes.y[0])[0]
        parts.append(f'<line class="axis" x1="{x:.1f}" y1="{bottom:.1f}" x2="{x:.1f}" y2="{bottom + 5:.1f}"/>')
        parts.append(label(x, bottom + 20, f"{value:.6g}", "soft middle"))
    parts.append(f'<line class="axis" x1="{left:.1f}" y1="{bottom:.1f}" x2="{left + WIDTH:.1f}" y2="{bottom:.1f}"/>')
    parts.append(label(left + WIDTH / 2, bottom + 42, x_label, "soft middle"))
    parts.append(label(left, 22, y_label, "heading", 60))
    return "\n".join(parts)


def _band(part: list[tuple[float, float, float]], axes: _Axes, colour: int) -> str:
    upper = [axes.at(x, y + spread) for x, y, spread in part]
    lower = [axes.at(x, y - spread) for x, y, spread in reversed(part)]
    return f'<polygon class="band fill{colour % COLOURS}" points="{_pairs(upper + lower, " ")}"/>'


def _path(part: list[tuple[float, float, float]], axes: _Axes, line: Line) -> str:
    places = [axes.at(x, y) for x, y, _ in part]
    drawn = f'<path class="line {line.kind} hue{line.colour % COLOURS}" d="M{_pairs(places, "L")}"/>'
    if not line.marked:
        return drawn
    parts = [] if line.kind == "dots" else [drawn]
    dots = [
        f'<circle class="fill{line.colour % COLOURS}" cx="{px:.1f}" cy="{py:.1f}" r="4"><title>{x:.6g}: {y:.6g}'
        f"{f' ± {spread:.4g}' if line.deviation else ''}</title></circle>"
        for (px, py), (x, y, spread) in zip(places, part, strict=True)
    ]
    return "\n".join([*parts, *dots])


def _marker(line: Line, axes: _Axes, place: int) -> str:
    """Return a marker at one point of a line, which knows where the others are; at the bottom without a height."""
    places = []
    for x, raw in zip(line.x, line.y, strict=True):
        y = finite(raw)
        across, up = axes.at(x, axes.y[0] if y is None or abs(y) > LARGEST else y)
        places.append(f"{across:.1f},{up:.1f}")
    here, height = places[place].split(",")
    return (
        f'<g class="marker" data-places="{" ".join(places)}" transform="translate({here} 0)">'
        f'<line x1="0" x2="0" y1="{TOP:.0f}" y2="{TOP + HEIGHT:.0f}"/><circle cx="0" cy="{height}" r="6.5"/></g>'
    )


def _pairs(points: list[Point], between: str) -> str:
    return between.join(f"{x:.1f} {y:.1f}" for x, y in points)


def _legend(lines: Sequence[Line]) -> tuple[str, int]:
    """Return an entry for each name, the topmost line's first, and how many rows below the chart that takes."""
    named = {line.name: line for line in reversed(lines) if line.name}
    parts, rows, x, y = [], 1 if named else 0, LEFT, TOP + HEIGHT + BOTTOM + 4
    for line in named.values():
        wide = 36 + LETTER * min(40, len(line.name)) + 18
        if x + wide > LEFT + WIDTH and x > LEFT:
            x, y, rows = LEFT, y + 22, rows + 1
        colour = line.colour % COLOURS
        if line.kind == "dots":
            parts.append(f'<circle class="fill{colour}" cx="{x + 13:.1f}" cy="{y:.1f}" r="4"/>')
        else:
            parts.append(f'<path class="line {line.kind} hue{colour}" d="M{x:.1f} {y:.1f}h26"/>')
        parts.append(label(x + 34, y + 4, line.name, "soft"))
        x += wide
    return "\n".join(parts), rows
