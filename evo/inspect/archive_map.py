"""A map of elites as a picture: cells by their features, coloured by fitness, as an SVG document (Mouret & Clune 2015).

    write_text(path, map_svg(json.loads((run / "map.json").read_text())))

A map of one feature is a single row. Of more than two features the first two are drawn, and each cell shows the best
of all elites that share them. Empty cells stay blank.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from evo.inspect.curves import ticks
from evo.inspect.figure import figure, label
from evo.inspect.text import escape, finite

WIDTH, HEIGHT = 450.0, 300.0
"""Of the map."""
LEFT, TOP, BOTTOM = 62.0, 40.0, 58.0
LEGEND, RIGHT = 16.0, 84.0
"""Width of the scale of colours, and of the room for its numbers."""
MOST_CELLS = 1000
"""Per feature; more could not be told apart."""
COLOURS = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""From the worst to the best: anchors of viridis, which gets lighter evenly (van der Walt & Smith 2015)."""


@dataclass(frozen=True)
class _Axis:
    """A feature: its name, its range, and how many cells the range is divided into."""

    name: str
    low: float
    high: float
    cells: int

    @staticmethod
    def of(described: Any) -> _Axis:
        low, high, cells = (finite(described.get(key)) for key in ("low", "high", "cells"))
        if low is None or high is None or cells is None or low >= high or not 1 <= cells <= MOST_CELLS:
            raise ValueError(
                f"map: expected features with low < high and 1 to {MOST_CELLS} cells, got {escape(described)}"
            )
        return _Axis(str(described.get("name")), low, high, int(cells))


def map_svg(described: dict[str, Any], title: str = "", objective: int = 0) -> str:
    """Return the map that a run left in map.json as an SVG document.

    Args:
        described: what map.json holds, format `evo.map/1`.
        title: what the figure is called; by default by its objective.
        objective: the number of the objective that colours show.

    Raises:
        ValueError: it describes no map.
    """
    if not isinstance(described, dict) or described.get("format") != "evo.map/1":
        raise ValueError("map: not of the format evo.map/1; give what the file map.json of a run holds")
    try:
        features = [_Axis.of(each) for each in described["features"]]
        goal = described["objectives"][objective]
        name, maximize = str(goal["name"]), bool(goal["maximize"])
        cells = _best_cells(described["elites"], features, objective, maximize)
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise ValueError(f"map: it is described wrongly: {escape(repr(error))}") from None
    if not features:
        raise ValueError("map: it has no features")
    across, up = features[0], features[1] if len(features) > 1 else _Axis("", 0.0, 1.0, 1)
    fitness = [score for score, _ in cells.values()]
    worst, best = sorted((min(fitness, default=0.0), max(fitness, default=1.0)), reverse=not maximize)
    body = [_scale(across, up)]
    body += [_cell(cell, across, up, _place(one[0], worst, best), one, features, name) for cell, one in cells.items()]
    body.append(_legend(worst, best))
    if not cells:
        body.append(label(LEFT + WIDTH / 2, TOP + HEIGHT / 2, "no cell is filled", "soft middle"))
    body.append(label(LEFT, 22, title or f"{name} of the best of each cell", "heading", 60))
    size = LEFT + WIDTH + 22 + LEGEND + RIGHT, TOP + HEIGHT + BOTTOM
    return figure(0, 0, *size, title or f"map of {name}", "\n".join(body))


Best = tuple[float, list[float | None]]


def _best_cells(
    elites: list[Any], features: list[_Axis], objective: int, maximize: bool
) -> dict[tuple[int, int], Best]:
    """Return the fitness and features of the best elite of each cell of the first two features."""
    cells: dict[tuple[int, int], Best] = {}
    for elite in elites:
        score = finite(elite["fitness"][objective])
        place = [int(number) for number in elite["cell"]]
        inside = len(place) == len(features) and all(
            0 <= number < axis.cells for number, axis in zip(place, features, strict=True)
        )
        if score is None or not inside:
            continue
        cell = (place[0], place[1] if len(place) > 1 else 0)
        if cell not in cells or (score > cells[cell][0]) == maximize:
            cells[cell] = (score, [finite(value) for value in elite["features"]])
    return cells


def _place(score: float, worst: float, best: float) -> float:
    """Return where a score is between the worst, 0, and the best, 1."""
    return 1.0 if best == worst else min(1.0, max(0.0, (score - worst) / (best - worst)))


def colour(place: float) -> str:
    """Return the colour of a place between 0 and 1, between the anchors by straight lines."""
    number = min(int(place * (len(COLOURS) - 1)), len(COLOURS) - 2)
    share = place * (len(COLOURS) - 1) - number
    mixed = (round(one + share * (other - one)) for one, other in zip(*COLOURS[number : number + 2], strict=True))
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _cell(
    cell: tuple[int, int], across: _Axis, up: _Axis, place: float, one: Best, features: list[_Axis], name: str
) -> str:
    """Return a filled cell with its tooltip."""
    wide, high = WIDTH / across.cells, HEIGHT / up.cells
    x, y = LEFT + cell[0] * wide, TOP + HEIGHT - (cell[1] + 1) * high
    values = [f"{axis.name} {value:.5g}" for axis, value in zip(features, one[1], strict=False) if value is not None]
    told = escape(", ".join([f"{name} {one[0]:.6g}", *values]))
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{wide:.2f}" height="{high:.2f}" fill="{colour(place)}" '
        f'data-cell="{cell[0]},{cell[1]}"><title>{told}</title></rect>'
    )


def _scale(across: _Axis, up: _Axis) -> str:
    """Return the frame, round numbers below and at the left, and what they mean."""
    left, bottom = LEFT, TOP + HEIGHT
    parts = [f'<path class="axis" d="M{left:.1f} {TOP:.1f}v{HEIGHT:.1f}h{WIDTH:.1f}v{-HEIGHT:.1f}z"/>']
    for value in ticks(across.low, across.high, 8):
        x = left + WIDTH * (value - across.low) / (across.high - across.low)
        parts.append(f'<line class="axis" x1="{x:.1f}" y1="{bottom:.1f}" x2="{x:.1f}" y2="{bottom + 5:.1f}"/>')
        parts.append(label(x, bottom + 20, f"{value:.5g}", "soft middle"))
    parts.append(label(left + WIDTH / 2, bottom + 42, across.name, "soft middle", 60))
    if up.name:
        for value in ticks(up.low, up.high):
            y = bottom - HEIGHT * (value - up.low) / (up.high - up.low)
            parts.append(f'<line class="axis" x1="{left - 5:.1f}" y1="{y:.1f}" x2="{left:.1f}" y2="{y:.1f}"/>')
            parts.append(label(left - 9, y + 4, f"{value:.5g}", "soft end"))
        parts.append(
            f'<g transform="translate(16 {TOP + HEIGHT / 2:.1f}) rotate(-90)">{label(0, 0, up.name, "soft middle")}</g>'
        )
    return "\n".join(parts)


def _legend(worst: float, best: float) -> str:
    """Return the scale of colours, the best on top, with the numbers of its ends and middle."""
    left, steps = LEFT + WIDTH + 22, 32
    parts = []
    for step in range(steps):
        y = TOP + HEIGHT * (steps - 1 - step) / steps
        parts.append(
            f'<rect x="{left:.1f}" y="{y:.2f}" width="{LEGEND:.1f}" height="{HEIGHT / steps + 0.5:.2f}" '
            f'fill="{colour(step / (steps - 1))}"/>'
        )
    for place in (0.0, 0.5, 1.0):
        y = TOP + HEIGHT * (1.0 - place)
        parts.append(label(left + LEGEND + 8, y + 4, f"{worst + place * (best - worst):.5g}", "soft"))
    return "\n".join(parts)
