"""One network on one block of lanes, as compiled code: walk the edges, with the block as SIMD lanes.

This file and `episode_kernel` are written for numba; `evo.evaluation.compiled` makes them into machine code.
The batch is the innermost dimension everywhere, so every loop over it becomes vector instructions. Such loops take
their length from an array: one known beforehand to be short is unrolled before it could be vectorised (measured on
blocks of 16 lanes: half as fast).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evo.activations import (
    cosine,
    gaussian,
    hyperbolic_tangent,
    magnitude,
    rectifier,
    sigmoid,
    sine,
    squared,
    step,
)
from evo.evaluation.wide_vectors import wide_vectors

LANES = 16
"""How many lanes a block has; a constant of each compiled kernel."""


def weighted_sum(values: Any, sources: Any, weights: Any, begin: int, end: int, total: Any) -> None:
    """Write to `total` what `evo.evaluation.weighted_sum` computes, which takes this one's place."""
    total[:] = 0.0
    for edge in range(begin, end):
        total += weights[edge] * values[sources[edge]]


def activate(kind: int, x: Any) -> None:
    """Apply activation `kind` (an id of `evo.activations`) to the lanes `x` `[LANES]`, in place."""
    wide_vectors()
    if kind == 2:
        for lane in range(len(x)):
            x[lane] = step(x[lane])
    elif kind == 3:
        for lane in range(len(x)):
            x[lane] = sine(x[lane])
    elif kind == 4:
        for lane in range(len(x)):
            x[lane] = gaussian(x[lane])
    elif kind == 5:
        for lane in range(len(x)):
            x[lane] = hyperbolic_tangent(x[lane])
    elif kind == 6:
        for lane in range(len(x)):
            x[lane] = sigmoid(x[lane])
    elif kind == 7:
        for lane in range(len(x)):
            x[lane] = -x[lane]
    elif kind == 8:
        for lane in range(len(x)):
            x[lane] = magnitude(x[lane])
    elif kind == 9:
        for lane in range(len(x)):
            x[lane] = rectifier(x[lane])
    elif kind == 10:
        for lane in range(len(x)):
            x[lane] = cosine(x[lane])
    elif kind == 11:
        for lane in range(len(x)):
            x[lane] = squared(x[lane])


def propagate(
    first_node: int,
    last_node: int,
    first_computed: int,
    activations: Any,
    edge_offsets: Any,
    edge_sources: Any,
    edge_weights: Any,
    scale: Any,
    values: Any,
    total: Any,
) -> None:
    """Compute one network's nodes in order, from its inputs, which stand in `values` already.

    Args:
        first_node, last_node: the network's nodes in the population's arrays.
        first_computed: the first node that is neither bias nor input.
        activations, edge_offsets, edge_sources, edge_weights: as in `evo.networks.Networks`.
        scale: `[LANES]` what every weighted sum is multiplied with: a shared weight, or 1.
        values: `[nodes, LANES]`; on entry the previous step's values, which recurrent edges read.
        total: scratch `[LANES]`.
    """
    wide_vectors()
    for node in range(first_node + 1, first_computed):
        if activations[node] != 1:
            activate(activations[node], values[node - first_node])
    for node in range(first_computed, last_node):
        target = values[node - first_node]
        weighted_sum(values, edge_sources, edge_weights, edge_offsets[node], edge_offsets[node + 1], total)
        for lane in range(len(scale)):
            target[lane] = total[lane] * scale[lane]
        activate(activations[node], target)


def forward(
    node_offsets: Any,
    activations: Any,
    edge_offsets: Any,
    edge_sources: Any,
    edge_weights: Any,
    cases: Any,
    shared_weight: float,
    first: int,
    last: int,
    values: Any,
    outputs: Any,
) -> None:
    """Compute the outputs of networks `first` to `last - 1` on all cases, each from a rest state.

    Args:
        node_offsets, activations, edge_offsets, edge_sources, edge_weights: as in `evo.networks.Networks`.
        cases: `[blocks, inputs, LANES]`
        shared_weight: what every weighted sum is multiplied with.
        values: scratch `[largest network's nodes, LANES]`.
        outputs: `[networks, blocks, outputs, LANES]`, written.
    """
    wide_vectors()
    inputs = cases.shape[1]
    scale = np.full(LANES, np.float32(shared_weight), np.float32)
    total = np.empty(LANES, np.float32)
    for network in range(first, last):
        begin, end = node_offsets[network], node_offsets[network + 1]
        computed = begin + 1 + inputs
        for block in range(len(cases)):
            values[: end - begin] = np.float32(0.0)
            values[0] = np.float32(1.0)
            values[1 : 1 + inputs] = cases[block]
            propagate(begin, end, computed, activations, edge_offsets, edge_sources, edge_weights, scale, values, total)
            outputs[network, block] = values[end - begin - outputs.shape[2] : end - begin]
