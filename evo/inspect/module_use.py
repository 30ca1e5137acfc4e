"""How often each module is on a path, over generations: a heat map as an SVG document, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from evo.inspect.figure import figure, label
from evo.inspect.path_film import opacity
from evo.path_record import PathRecord

WIDTH, TALLEST, HIGHEST = 470.0, 300.0, 14.0
"""Of all columns; of all rows; of a row at most."""
LEFT, TOP, RIGHT, BOTTOM, GAP = 62.0, 40.0, 22.0, 66.0, 8.0
MOST_ROWS = 120
"""Modules; of more, those are drawn that are used most."""


def module_use(record: PathRecord, layer: int) -> np.ndarray:
    """Return which share of the individuals has each module of a layer, `[snapshots, modules]`."""
    return np.stack([one.use(layer, record.counts[layer]) for one in record.snapshots])


def rows_drawn(record: PathRecord) -> list[list[int]]:
    """Return which modules of each layer are drawn: all, or of very many the most used."""
    most = max(1, MOST_ROWS // len(record.counts))
    chosen = []
    for layer in range(len(record.counts)):
        total = module_use(record, layer).sum(0)
        chosen.append(sorted(np.argsort(-total, kind="stable")[:most].tolist()))
    return chosen


def edges(generations: Sequence[int]) -> list[float]:
    """Return where columns begin and end, in generations from 0: half way to their neighbours."""
    middles = [(one + other) / 2 for one, other in pairwise(generations)]
    return [generations[0] - 0.5, *middles, generations[-1] + 0.5]


def module_use_svg(record: PathRecord, title: str = "Share of the population with each module") -> str:
    """Return the heat map; columns are snapshots, modules count from 1."""
    rows = rows_drawn(record)
    high = max(2.0, min(HIGHEST, TALLEST / sum(map(len, rows))))
    ends = edges([one.generation for one in record.snapshots])
    places = [LEFT + WIDTH * (one - ends[0]) / (ends[-1] - ends[0]) for one in ends]
    body, y = [label(LEFT, 22, title, "heading", 80)], TOP
    for layer, modules in enumerate(rows):
        use = module_use(record, layer)
        below = y + high * len(modules)
        body.append(label(LEFT - 8, (y + below) / 2 + 4, f"layer {layer + 1}", "soft end"))
        body.append(f'<rect class="module" x="{LEFT:.1f}" y="{y:.1f}" width="{WIDTH:.1f}" height="{below - y:.1f}"/>')
        for row, module in enumerate(modules):
            top = y + high * row
            body += _cells(record, layer, module, use[:, module], places, (top, high))
            body += _frozen(record, layer, module, places, (top, high))
        y = below + GAP
    body += _tasks(record, places, y - GAP)
    body.append(_scale(record, places, y - GAP))
    if any(any(one.frozen) for one in record.snapshots):
        body.append(f'<rect class="module frozen" x="{LEFT:.1f}" y="{y + 40:.1f}" width="20" height="10"/>')
        body.append(label(LEFT + 28, y + 49, record.held, "soft"))
    return figure(0, 0, LEFT + WIDTH + RIGHT, y - GAP + BOTTOM, title, "\n".join(body))


def _cells(
    record: PathRecord, layer: int, module: int, use: np.ndarray, places: Sequence[float], row: tuple[float, float]
) -> list[str]:
    """Return a module's cells; equal neighbours are one."""
    top, high = row
    parts, first = [], 0
    for place in range(1, len(use) + 1):
        if place < len(use) and use[place] == use[first]:
            continue
        if use[first] > 0:
            left, wide = places[first], places[place] - places[first]
            since, until = (record.snapshots[one].generation + 1 for one in (first, place - 1))
            when = f"generation {since}" if since == until else f"generations {since} to {until}"
            parts.append(
                f'<rect class="fill0" fill-opacity="{opacity(float(use[first])):.3f}" x="{left:.1f}" y="{top:.1f}" '
                f'width="{wide:.1f}" height="{high:.1f}"><title>layer {layer + 1}, module {module + 1}, {when}: '
                f"{100 * use[first]:.3g} %</title></rect>"
            )
        first = place
    return parts


def _frozen(
    record: PathRecord, layer: int, module: int, places: Sequence[float], row: tuple[float, float]
) -> list[str]:
    """Return a frame around a module's cells from when on it is frozen."""
    since = next((n for n, one in enumerate(record.snapshots) if module in one.frozen[layer]), None)
    if since is None:
        return []
    left = places[since] + 1
    place = f'x="{left:.1f}" y="{row[0] + 1:.1f}" width="{max(1.0, places[-1] - left - 1):.1f}"'
    return [f'<rect class="held" {place} height="{max(1.0, row[1] - 2):.1f}"/>']


def _tasks(record: PathRecord, places: Sequence[float], bottom: float) -> list[str]:
    """Return a line where each task but the first begins."""
    snapshots = record.snapshots
    changes = [n for n in range(1, len(snapshots)) if snapshots[n].task != snapshots[n - 1].task]
    return [
        f'<line class="change" x1="{places[n]:.1f}" x2="{places[n]:.1f}" y1="{TOP - 8:.1f}" y2="{bottom:.1f}">'
        f"<title>task {snapshots[n].task + 1} begins</title></line>"
        for n in changes
    ]


def _scale(record: PathRecord, places: Sequence[float], bottom: float) -> str:
    """Return the numbers of at most seven generations."""
    count = len(record.snapshots)
    shown = sorted({round(n * (count - 1) / 6) for n in range(7)})
    parts = [
        label((places[n] + places[n + 1]) / 2, bottom + 18, str(record.snapshots[n].generation + 1), "soft middle")
        for n in shown
    ]
    return "\n".join([*parts, label(LEFT + WIDTH / 2, bottom + 36, "generation", "soft middle")])
