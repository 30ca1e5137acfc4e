"""A champion as a small picture without words, to tell it from others at a glance: its network, or its genes as bars.

Pictures carry no style of their own; the page that holds them has it (gallery.css).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from evo.inspect.drawing import FAMILIES
from evo.inspect.layers import arrange
from evo.inspect.structure import Structure
from evo.inspect.text import finite

WIDTH, HEIGHT, MARGIN = 240.0, 140.0, 12.0
LARGEST_COLUMN, MOST_EDGES = 18, 140
"""Nodes of one layer, and connections, that are drawn: beyond, those with the most connections, and the strongest."""
MOST_BARS = 60
LARGEST = 1e100
"""Numbers beyond are drawn like it."""

Point = tuple[float, float]


def thumbnail(network: dict[str, Any] | None, genes: dict[str, Any]) -> str:
    """Return the picture as an SVG element.

    Args:
        network: a champion file's network; None where the genome is none.
        genes: a champion file's genes, drawn where there is no network.
    """
    body = _network(Structure.of(network)) if network is not None else _bars(_numbers(genes))
    return f'<svg class="thumbnail" viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" aria-hidden="true">{body}</svg>'


def _network(structure: Structure) -> str:
    degrees = [0] * structure.nodes
    for source, target, _ in structure.edges:
        degrees[source] += 1
        degrees[target] += 1
    columns: list[list[int]] = [[] for _ in range(structure.depth + 1)]
    for node in sorted(range(structure.nodes), key=lambda node: (-degrees[node], node)):
        columns[structure.layers[node]].append(node)
    columns = [sorted(column[:LARGEST_COLUMN]) for column in columns if column]
    place = {node: number for number, column in enumerate(columns) for node in column}
    edges = sorted(structure.edges, key=lambda edge: (-abs(edge[2]), edge[:2]))
    edges = [edge for edge in edges if edge[0] in place and edge[1] in place][:MOST_EDGES]
    arrangement = arrange(columns, [(s, t) for s, t, _ in edges if place[s] < place[t]])
    deepest = max(arrangement.heights.values())
    tallest = deepest or 1.0

    def at(column: float, height: float) -> Point:
        across = column / max(1, len(columns) - 1)
        down = height / tallest if deepest else 0.5
        return MARGIN + across * (WIDTH - 2 * MARGIN), MARGIN + down * (HEIGHT - 2 * MARGIN)

    points = {node: at(place[node], height) for node, height in arrangement.heights.items()}
    parts = []
    for source, target, weight in edges:
        sign = "" if structure.uniform else " positive" if weight > 0 else " negative" if weight < 0 else ""
        route = arrangement.routes.get((source, target))
        stops = [at(*stop) for stop in route] if route else []
        path = _forward(stops) if route else _backward(points[source], points[target])
        parts.append(f'<path class="edge{sign}{"" if route else " recurrent"}" d="{path}"/>')
    parts += [_node(structure, node, *points[node]) for node in sorted(points)]
    return "".join(parts)


def _forward(stops: list[Point]) -> str:
    """Return a path through the stops, level at each."""
    path = f"M{stops[0][0]:.1f} {stops[0][1]:.1f}"
    for (x, y), (end_x, end_y) in pairwise(stops):
        half = (x + end_x) / 2
        path += f"C{half:.1f} {y:.1f} {half:.1f} {end_y:.1f} {end_x:.1f} {end_y:.1f}"
    return path


def _backward(source: Point, target: Point) -> str:
    """Return an arc from a node back to an earlier one, or a loop to itself, that stays in the picture."""
    (x, y), (end_x, end_y) = source, target
    lean = 9.0 if source == target else 0.0
    top = max(2.0, min(y, end_y) - 18.0 - 0.1 * abs(x - end_x))
    return f"M{x:.1f} {y:.1f}C{x + lean:.1f} {top:.1f} {end_x - lean:.1f} {top:.1f} {end_x:.1f} {end_y:.1f}"


def _node(structure: Structure, node: int, x: float, y: float) -> str:
    if node < structure.first_hidden:
        kind, radius = "input" if node in structure.used else "unused", 2.6
    else:
        kind, radius = FAMILIES.get(structure.activations[node], "straight"), 4.4
    if node >= structure.first_output:
        kind, radius = f"{kind} output", 5.2
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>'


def _numbers(genes: dict[str, Any]) -> list[float]:
    """Return the first numbers among the genes, in order, however nested."""
    found: list[float] = []
    waiting: list[Any] = [list(genes.values())]
    while waiting and len(found) < MOST_BARS:
        value = waiting.pop()
        if isinstance(value, (list, dict)):
            inside = list(value.values()) if isinstance(value, dict) else value
            waiting.extend(reversed(inside[:MOST_BARS]))
        elif isinstance(value, (int, float)):
            found.append(max(-LARGEST, min(LARGEST, finite(value) or 0.0)))
    return found


def _bars(values: list[float]) -> str:
    low, high = min([0.0, *values]), max([0.0, *values])
    reach = (high - low) or 1.0
    wide = (WIDTH - 2 * MARGIN) / max(1, len(values))

    def at(value: float) -> float:
        return MARGIN + (high - value) / reach * (HEIGHT - 2 * MARGIN)

    zero = at(0.0)
    bars = [
        f'<rect class="{"more" if value >= 0 else "less"}" x="{MARGIN + place * wide + 0.12 * wide:.1f}" '
        f'y="{min(at(value), zero):.1f}" width="{0.76 * wide:.1f}" height="{max(1.0, abs(at(value) - zero)):.1f}"/>'
        for place, value in enumerate(values)
    ]
    return f'{"".join(bars)}<path class="zero" d="M{MARGIN:.1f} {zero:.1f}H{WIDTH - MARGIN:.1f}"/>'
