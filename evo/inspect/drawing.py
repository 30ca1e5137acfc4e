"""A champion's network as a picture: inputs left, outputs right, each node showing the curve it computes.

Drawn as an SVG document without any library; where nodes and edges go is decided in `evo.inspect.layers`.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import torch

from evo.activations import FUNCTIONS, IDS
from evo.inspect.figure import LETTER, figure, label
from evo.inspect.layers import Arrangement, arrange
from evo.inspect.structure import Edge, Structure
from evo.inspect.text import escape

LARGEST_COLUMN = 32
"""Nodes of one layer that are drawn: beyond, those with the most connections."""
MOST_NODES, MOST_EDGES = 160, 400
"""What is drawn: beyond, the nodes with the most connections, and the strongest of their edges."""
RADIUS, DOT = 16.0, 5.5
"""Of nodes that compute, and of inputs."""
GLYPH_WIDTH, GLYPH_HEIGHT, GLYPH_POINTS, GLYPH_REACH = 18.0, 13.0, 33, 2.0
LABEL = 22
"""Letters of an input's or output's name that are drawn; a tooltip has them all."""
FAMILIES = {
    **dict.fromkeys(("sin", "cos"), "wave"),
    **dict.fromkeys(("gaussian", "abs", "squared"), "even"),
    **dict.fromkeys(("tanh", "sigmoid", "step"), "squash"),
}
"""Colours of nodes: waves, even functions and bounded ones; straight lines have none."""

Point = tuple[float, float]


def network_svg(network: dict[str, Any], styled: bool = True) -> str:
    """Return a picture of a champion file's network, as an SVG document.

    Large networks are drawn in part, with a note of what is left out.

    Args:
        network: `inputs`, `outputs`, `activations` and `edges`, as in `Champion.network`.
        styled: whether it carries its style sheet; without, see `evo.inspect.figure.figure`.
    """
    structure = Structure.of(network)
    columns, edges = _drawn(structure)
    column = {node: number for number, nodes in enumerate(columns) for node in nodes}
    gap = min(150.0, max(84.0, 880.0 / max(1, len(columns) - 1)))
    places = arrange(columns, [(s, t) for s, t, _ in edges if column[s] < column[t]])
    points = {node: (column[node] * gap, height) for node, height in places.heights.items()}
    strongest = max((abs(weight) for _, _, weight in edges), default=0.0) or 1.0
    body = [_edge(edge, structure, points, places, gap, strongest) for edge in sorted(edges, key=lambda e: abs(e[2]))]
    body += [_node(node, structure, *points[node]) for node in sorted(points)]
    return _framed(structure, edges, points, body, styled)


def _drawn(structure: Structure) -> tuple[list[list[int]], list[Edge]]:
    """Return the nodes to draw, by layer, and the edges among them."""
    degrees = [0] * structure.nodes
    for source, target, _ in structure.edges:
        degrees[source] += 1
        degrees[target] += 1
    hidden = range(structure.first_hidden, structure.first_output)
    columns: list[list[int]] = [[] for _ in range(structure.depth + 1)]
    for node in sorted(range(structure.nodes), key=lambda node: (-degrees[node], node)):
        columns[structure.layers[node]].append(node)
    ranked = [node for column in columns for node in column[:LARGEST_COLUMN]]
    kept = set(sorted(ranked, key=lambda node: (node in hidden, -degrees[node], node))[:MOST_NODES])
    edges = [edge for edge in structure.edges if edge[0] in kept and edge[1] in kept]
    edges.sort(key=lambda edge: (-abs(edge[2]), -degrees[edge[0]] - degrees[edge[1]], edge[:2]))
    drawn = [sorted(kept.intersection(column)) for column in columns]
    return [column for column in drawn if column], sorted(edges[:MOST_EDGES])


def _edge(
    edge: Edge, structure: Structure, points: dict[int, Point], places: Arrangement, gap: float, strongest: float
) -> str:
    source, target, weight = edge
    route = places.routes.get((source, target))
    if route:
        path = _forward([(column * gap, height) for column, height in route], _radius(structure, source), gap)
    else:
        path = _backward(points[source], points[target], source == target)
    sign = "" if structure.uniform else " positive" if weight > 0 else " negative" if weight < 0 else ""
    kind = f"edge{sign}{' recurrent' if source >= target else ''}"
    return (
        f'<path class="{kind}" data-source="{source}" data-target="{target}" d="{path}" '
        f'stroke-width="{_width(abs(weight) / strongest):.2f}"><title>{escape(structure.label(source))} to '
        f"{escape(structure.label(target))}: {weight:.4g}</title></path>"
    )


def _width(strength: float) -> float:
    return 0.8 + 1.8 * strength


def _radius(structure: Structure, node: int) -> float:
    return DOT if node < structure.first_hidden else RADIUS


def _forward(route: list[Point], start: float, gap: float) -> str:
    """Return a smooth path (Catmull & Rom 1974) through the waypoints, level where it leaves and arrives."""
    stops = [(route[0][0] + start, route[0][1]), *route[1:-1], (route[-1][0] - RADIUS, route[-1][1])]
    slopes = [(0.9 * gap, 0.0)]
    slopes += [((c[0] - a[0]) / 2, (c[1] - a[1]) / 2) for a, c in zip(stops, stops[2:], strict=False)]
    slopes.append((0.9 * gap, 0.0))
    path = f"M{stops[0][0]:.1f} {stops[0][1]:.1f}"
    for (one, other), (leave, arrive) in zip(pairwise(stops), pairwise(slopes), strict=True):
        path += (
            f"C{one[0] + leave[0] / 3:.1f} {one[1] + leave[1] / 3:.1f} {other[0] - arrive[0] / 3:.1f} "
            f"{other[1] - arrive[1] / 3:.1f} {other[0]:.1f} {other[1]:.1f}"
        )
    return path


def _backward(source: Point, target: Point, loop: bool) -> str:
    """Return an arc that leaves upwards and comes back from above; between nodes of one layer, past their right."""
    if source[0] == target[0] and not loop:
        x, y, end_y = source[0] + RADIUS, source[1], target[1]
        far = x + 24.0 + 0.2 * abs(y - end_y)
        return f"M{x:.1f} {y:.1f}C{far:.1f} {y:.1f} {far:.1f} {end_y:.1f} {x:.1f} {end_y:.1f}"
    lean = RADIUS * (0.6 if loop else 0.0)
    (x, y), (end_x, end_y) = (source[0] + lean, source[1] - RADIUS), (target[0] - lean, target[1] - RADIUS)
    top = _summit(source, target)
    return f"M{x:.1f} {y:.1f}C{x + 1.5 * lean:.1f} {top:.1f} {end_x - 1.5 * lean:.1f} {top:.1f} {end_x:.1f} {end_y:.1f}"


def _summit(source: Point, target: Point) -> float:
    """Return the height that an arc's control points have; the arc itself stays below."""
    return min(source[1], target[1]) - RADIUS - 34.0 - 0.16 * abs(source[0] - target[0])


def _node(node: int, structure: Structure, x: float, y: float) -> str:
    activation, name = structure.activations[node], structure.label(node)
    if node < structure.first_hidden:
        kind = "node input" if node in structure.used else "node input unused"
        note = "" if node in structure.used else " (unused)"
        inside = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{DOT}"/>' + label(x - 14, y + 4.3, name, "end", LABEL)
        return f'<g class="{kind}" data-node="{node}"><title>{escape(name)}{note}</title>{inside}</g>'
    kind = f"node {_family(activation)}"
    inside = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS}"/><path d="{_glyph(activation, x, y)}"/>'
    if node >= structure.first_output:
        kind += " output"
        inside += f'<circle class="rim" cx="{x:.1f}" cy="{y:.1f}" r="{RADIUS + 3.5}"/>'
        inside += label(x + RADIUS + 11, y + 4.3, name, "", LABEL)
    return f'<g class="{kind}" data-node="{node}"><title>{escape(name)}: {escape(activation)}</title>{inside}</g>'


def _family(activation: str) -> str:
    return FAMILIES.get(activation, "straight")


@cache
def _curve(activation: str) -> tuple[Point, ...]:
    """Return points of an activation's curve from -2 to 2, both ways scaled to -1/2 to 1/2."""
    steps = torch.linspace(-GLYPH_REACH, GLYPH_REACH, GLYPH_POINTS, dtype=torch.float64)
    values = torch.as_tensor(FUNCTIONS[IDS[activation] - 1][1](steps))
    low, high = float(values.min()), float(values.max())
    return tuple(
        (step / GLYPH_REACH / 2, (value - low) / (high - low) - 0.5)
        for step, value in zip(steps.tolist(), values.tolist(), strict=True)
    )


def _glyph(activation: str, x: float, y: float) -> str:
    pairs = [f"{x + GLYPH_WIDTH * u:.1f} {y - GLYPH_HEIGHT * v:.1f}" for u, v in _curve(activation)]
    return "M" + "L".join(pairs)


def _framed(structure: Structure, edges: list[Edge], points: dict[int, Point], body: list[str], styled: bool) -> str:
    """Return the document: the drawing, the legend below it, and a note of what is left out."""
    names = [min(LABEL, len(structure.label(n))) for n in points if n < structure.first_hidden]
    ends = [min(LABEL, len(structure.label(n))) for n in points if n >= structure.first_output]
    left = -(LETTER * max(names) + 40)
    right = max(x for x, _ in points.values()) + RADIUS + LETTER * max(ends, default=0) + 40
    top = min([-38.0, *(0.75 * _summit(points[s], points[t]) - 24.0 for s, t, _ in edges if s >= t)])
    bottom = max(y for _, y in points.values()) + 62
    legend, rows = _legend(structure, left + 24, bottom, right - 24)
    bottom += 30 * rows
    note = _note(structure, len(points), len(edges))
    if note:
        legend += label(left + 24, bottom, note, "soft", 200)
        bottom += 26
    title = f"Network of {structure.nodes} nodes and {len(structure.edges)} connections"
    return figure(left, top, right - left, bottom - top - 4, title, "\n".join([*body, legend]), styled)


def _note(structure: Structure, nodes: int, edges: int) -> str:
    left_out = []
    if nodes < structure.nodes:
        left_out.append(f"{nodes} of {structure.nodes} nodes, the most connected of each layer")
    if edges < len(structure.edges):
        left_out.append(f"{edges} of {len(structure.edges)} connections, the strongest of those nodes")
    return f"Drawn: {'; '.join(left_out)}." if left_out else ""


def _legend(structure: Structure, left: float, y: float, right: float) -> tuple[str, int]:
    """Return what lines and curves stand for, in rows from `left` to `right`, and how many rows that takes."""
    parts, rows, x = [], 1, left
    for drawn, words in _entries(structure):
        wide = 34 + LETTER * len(words) + 22
        if x + wide > right and x > left:
            x, y, rows = left, y + 30, rows + 1
        parts.append(f'<g transform="translate({x:.1f} {y:.1f})">{drawn}{label(34, 4.2, words, "soft")}</g>')
        x += wide
    return "\n".join(parts), rows


def _entries(structure: Structure) -> list[tuple[str, str]]:
    """Return the legend's entries: what is drawn, 26 wide, and in words."""
    kinds = {"": "connection"} if structure.uniform else {"positive": "positive weight", "negative": "negative"}
    if structure.recurrent:
        kinds["recurrent"] = "reads the previous step"
    entries = [(f'<path class="edge {kind}" d="M0 0h26" stroke-width="2.2"/>', words) for kind, words in kinds.items()]
    for activation, count in structure.counts():
        node = f'<circle cx="13" cy="0" r="12"/><path d="{_glyph(activation, 13, 0)}"/>'
        entries.append((f'<g class="node {_family(activation)}">{node}</g>', f"{activation} \u00d7 {count}"))
    return entries
