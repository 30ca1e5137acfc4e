"""Layered graph drawing: the order of nodes within layers, their heights, and edges led around the nodes between.

Source: Sugiyama, Tagawa & Toda 1981, "Methods for visual understanding of hierarchical system structures": an edge
over several layers gets a waypoint in each; orders come from sweeps of the barycentre heuristic. Heights are those
that bring neighbours closest to each other in that order (isotonic regression, Ayer et al. 1955).
"""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

Vertex = tuple[int, ...]
"""A node `(number,)`, or a waypoint `(source, target, column)`."""
Links = dict[Vertex, list[Vertex]]
Columns = list[list[Vertex]]

ORDER_SWEEPS = 24
HEIGHT_SWEEPS = 40
NODE_ROOM, WAYPOINT_ROOM = 22.0, 4.5
"""Half of the height that one takes, in the drawing's units."""


@dataclass(frozen=True)
class Arrangement:
    """Where things are, downwards from 0.

    Attributes:
        heights: per node.
        routes: per edge, (column, height) at its source, at its waypoints and at its target.
        crossings: how many pairs of edges cross.
    """

    heights: dict[int, float]
    routes: dict[tuple[int, int], list[tuple[int, float]]]
    crossings: int


def arrange(columns: list[list[int]], edges: Iterable[tuple[int, int]]) -> Arrangement:
    """Return where nodes and edges go.

    Args:
        columns: the nodes of each layer, left to right.
        edges: (source, target), each leading at least one column to the right.
    """
    place = {node: number for number, nodes in enumerate(columns) for node in nodes}
    grid: Columns = [[(node,) for node in nodes] for nodes in columns]
    chains = {}
    for source, target in edges:
        waypoints: list[Vertex] = [(source, target, column) for column in range(place[source] + 1, place[target])]
        for waypoint in waypoints:
            grid[waypoint[2]].append(waypoint)
        chains[source, target] = [(source,), *waypoints, (target,)]
    left, right = _links(grid, chains.values())
    grid, crossings = _ordered(grid, left, right)
    heights = _heights(grid, left, right)
    routes = {
        edge: [(place[edge[0]] + step, heights[vertex]) for step, vertex in enumerate(chain)]
        for edge, chain in chains.items()
    }
    return Arrangement({node: heights[node,] for node in place}, routes, crossings)


def _links(grid: Columns, chains: Iterable[list[Vertex]]) -> tuple[Links, Links]:
    """Return each vertex's neighbours in the column to its left, and to its right."""
    left: Links = {vertex: [] for column in grid for vertex in column}
    right: Links = {vertex: [] for column in grid for vertex in column}
    for chain in chains:
        for one, other in pairwise(chain):
            right[one].append(other)
            left[other].append(one)
    return left, right


def _ordered(grid: Columns, left: Links, right: Links) -> tuple[Columns, int]:
    """Return the order with the fewest crossings that sweeps to and fro come across, and its crossings."""
    best, fewest = grid, _crossings(grid, right)
    for sweep in range(ORDER_SWEEPS):
        grid = [list(column) for column in grid]
        rightwards = sweep % 2 == 0
        pairs = range(1, len(grid)) if rightwards else range(len(grid) - 2, -1, -1)
        for number in pairs:
            fixed = grid[number - 1 if rightwards else number + 1]
            near, far = (left, right) if rightwards else (right, left)
            _sort(grid[number], fixed, near, far)
        crossings = _crossings(grid, right)
        if crossings < fewest:
            best, fewest = grid, crossings
    return best, fewest


def _sort(column: list[Vertex], fixed: list[Vertex], near: Links, far: Links) -> None:
    """Sort a column by the mean place of each vertex's neighbours in the fixed one.

    Who has none there stays about where it is; who has none at all goes to the bottom.
    """
    places = {vertex: place / max(1, len(fixed) - 1) for place, vertex in enumerate(fixed)}
    keys = {vertex: place / max(1, len(column) - 1) for place, vertex in enumerate(column)}
    for vertex in column:
        if near[vertex]:
            keys[vertex] = sum(places[other] for other in near[vertex]) / len(near[vertex])
        elif not far[vertex]:
            keys[vertex] = 2.0
    column.sort(key=keys.__getitem__)


def _crossings(grid: Columns, right: Links) -> int:
    """Return how many pairs of links cross: inversions, counted column by column."""
    total = 0
    for column, following in pairwise(grid):
        places = {vertex: place for place, vertex in enumerate(following)}
        seen: list[int] = []
        for vertex in column:
            ends = [places[end] for end in right[vertex]]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def _heights(grid: Columns, left: Links, right: Links) -> dict[Vertex, float]:
    """Return heights that keep the order and the room, and bring linked vertices to like heights."""
    heights: dict[Vertex, float] = {}
    for column in grid:
        offsets = _offsets(column)
        heights |= {vertex: offset - offsets[-1] / 2 for vertex, offset in zip(column, offsets, strict=True)}
    for sweep in range(HEIGHT_SWEEPS):
        for column in grid if sweep % 2 == 0 else reversed(grid):
            wanted = [_wanted(vertex, (*left[vertex], *right[vertex]), heights) for vertex in column]
            offsets = _offsets(column)
            fitted = _ascending([want - offset for want, offset in zip(wanted, offsets, strict=True)])
            heights |= {v: fit + offset for v, fit, offset in zip(column, fitted, offsets, strict=True)}
    for column in grid:
        linked = [place for place, vertex in enumerate(column) if left[vertex] or right[vertex]]
        if linked:
            heights |= _gathered(column, linked[0], linked[-1], heights)
    top = min(heights.values())
    return {vertex: height - top for vertex, height in heights.items()}


def _gathered(column: list[Vertex], first: int, last: int, heights: dict[Vertex, float]) -> dict[Vertex, float]:
    """Return heights next to the others for the vertices before the first and behind the last that are linked."""
    offsets = _offsets(column)
    ends = [*((place, first) for place in range(first)), *((place, last) for place in range(last + 1, len(column)))]
    return {column[place]: heights[column[near]] + offsets[place] - offsets[near] for place, near in ends}


def _wanted(vertex: Vertex, neighbours: tuple[Vertex, ...], heights: dict[Vertex, float]) -> float:
    """Return the mean height of the neighbours; waypoints count more, which keeps long edges straight."""
    if not neighbours:
        return heights[vertex]
    weights = [float((1 if len(vertex) == 1 else 2) * (1 if len(other) == 1 else 3)) for other in neighbours]
    return sum(w * heights[o] for w, o in zip(weights, neighbours, strict=True)) / sum(weights)


def _offsets(column: list[Vertex]) -> list[float]:
    """Return the heights of a column packed as tightly as their room allows, from 0."""
    rooms = [NODE_ROOM if len(vertex) == 1 else WAYPOINT_ROOM for vertex in column]
    offsets = [0.0]
    for room, following in pairwise(rooms):
        offsets.append(offsets[-1] + room + following)
    return offsets


def _ascending(values: list[float]) -> list[float]:
    """Return the ascending numbers closest to `values` in least squares, by pooling adjacent violators."""
    pools: list[tuple[float, int]] = []
    for value in values:
        total, count = value, 1
        while pools and pools[-1][0] / pools[-1][1] > total / count:
            before = pools.pop()
            total, count = total + before[0], count + before[1]
        pools.append((total, count))
    return [total / count for total, count in pools for _ in range(count)]
