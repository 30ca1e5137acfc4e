"""Classification as compiled code: networks, softmax, cross-entropy and hits fused, so that no output is ever stored.

Written for numba; `evo.evaluation.compiled` makes it into machine code. Cases are the lanes; the inputs of a block of
cases are laid out once for all networks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evo.evaluation.network_kernel import propagate
from evo.evaluation.wide_vectors import wide_vectors
from evo.lanes import exp

LANES = 64
"""Cases that a block has; a constant of each compiled kernel."""


def classify(
    node_offsets: Any,
    activations: Any,
    edge_offsets: Any,
    edge_sources: Any,
    edge_weights: Any,
    cases: Any,
    classes: Any,
    count: int,
    scales: Any,
    outputs: int,
    recurrent: bool,
    first: int,
    last: int,
    values: Any,
    losses: Any,
    hits: Any,
) -> None:
    """Add up cross-entropies and hits of networks `first` to `last - 1` over all cases, each from a state of rest.

    Args:
        node_offsets, activations, edge_offsets, edge_sources, edge_weights: as in `evo.networks.Networks`.
        cases: `[blocks, inputs, LANES]`
        classes: `[blocks, LANES]`
        count: how many cases there are; the last block may be longer.
        scales: `[weights]` what every weighted sum is multiplied with, one after the other.
        outputs: how many classes there are.
        recurrent: whether any connection leads backward, so that networks must be put to rest.
        values: scratch `[largest network's nodes, LANES]`.
        losses: `[networks, weights]` the sum of cross-entropies, in nats; NaN where an output was not finite.
        hits: `[networks, weights]` how many cases have their class's output as the largest.
    """
    wide_vectors()
    inputs = cases.shape[1]
    scale = np.empty(LANES, np.float32)
    total = np.empty(LANES, np.float32)
    largest = np.empty(LANES, np.float32)
    summed = np.empty(LANES, np.float32)
    values[0] = np.float32(1.0)
    for block in range(len(cases)):
        values[1 : 1 + inputs] = cases[block]
        lanes = min(LANES, count - block * LANES)
        for network in range(first, last):
            begin, end = node_offsets[network], node_offsets[network + 1]
            computed = begin + 1 + inputs
            transformed = False
            for node in range(begin + 1, computed):
                transformed |= activations[node] != 1
            for weight in range(len(scales)):
                scale[:] = scales[weight]
                if recurrent:
                    values[1 + inputs : end - begin] = np.float32(0.0)
                propagate(
                    begin, end, computed, activations, edge_offsets, edge_sources, edge_weights, scale, values, total
                )
                if transformed:
                    values[1 : 1 + inputs] = cases[block]
                answer = values[end - begin - outputs : end - begin]
                largest[:] = answer[0]
                for output in range(1, outputs):
                    for lane in range(LANES):
                        largest[lane] = max(largest[lane], answer[output, lane])
                summed[:] = np.float32(0.0)
                total[:] = np.float32(0.0)
                for output in range(outputs):
                    for lane in range(LANES):
                        summed[lane] += exp(answer[output, lane] - largest[lane])
                        total[lane] += answer[output, lane] * np.float32(0.0)  # NaN where an output is not finite
                for lane in range(lanes):
                    own = classes[block, lane]
                    value = answer[own, lane]
                    losses[network, weight] += np.log(summed[lane]) + largest[lane] - value + total[lane]
                    hit = value == largest[lane]
                    for output in range(own):
                        hit &= answer[output, lane] != value
                    hits[network, weight] += 1 if hit else 0
