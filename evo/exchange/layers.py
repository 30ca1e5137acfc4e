"""In which order a network's nodes can be computed many at a time: what the torch and the ONNX export share."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby


def depths(nodes: int, inputs: int, edges: Iterable[tuple[int, int]]) -> list[int]:
    """Return the longest path to each node; 0 for the bias and the inputs, at least 1 for all others.

    Args:
        nodes: how many, bias, inputs and outputs included.
        inputs: how many, the bias not counted.
        edges: (source, target); recurrent ones, which read the previous step, are passed over.
    """
    depth = [0] * (1 + inputs) + [1] * (nodes - 1 - inputs)
    for target, source in sorted((target, source) for source, target in edges if source < target):
        depth[target] = max(depth[target], depth[source] + 1)
    return depth


def runs(activations: Iterable[str]) -> list[tuple[str, int]]:
    """Return how many nodes in a row have the same activation, as (name, count)."""
    return [(name, len(list(same))) for name, same in groupby(activations)]
