"""Paths of dense modules as compiled code: one path after another, each through all of its mini-batches.

What a layer reads has a 1 behind it, for which a unit's row of weights holds its bias. Modules that are not there are
never visited. Of a unit's cases only those that it gave something for change its weights: about half, as the slope of
ReLU is 0 for the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from evo.evaluation.compiled_lanes import OPTIONS
from evo.lanes import exp
from evo.learning.simd import WIDTH, load, spread, store, where_above
from evo.learning.supernet.dense_sums import CASES, UNITS, VECTORS, change_rows, handed_back, weighted_sums

_F = np.float32
ZERO, ONE = _F(0.0), _F(1.0)

_inline = register_jitable(forceinline=True, **OPTIONS)


def train(
    weights: Any,
    present: Any,
    trained: Any,
    share: Any,
    inputs: Any,
    targets: Any,
    logits: Any,
    rate: float,
    learn: bool,
    shape: Any,
    scratch: Any,
) -> None:
    """Train paths by stochastic gradient descent on the mean cross-entropy of each mini-batch.

    Args:
        weights: `[n, weights]` float32, packed; changed.
        present, trained: `[n, layers + 1, places]` bool.
        share: `[n, layers]` float32, what a layer's summed outputs are multiplied with.
        inputs: `[n, batches, batch, features]` float32.
        targets: `[n, batches, batch]` int64.
        logits: `[n, batches, batch, classes]` float32, written; from before each update.
        rate: the step size divided by the batch, negative, float32.
        learn: whether weights change; otherwise targets mean nothing.
        shape, scratch: a `dense_packing.Shape` and a `dense_packing.Scratch`.
    """
    head = len(shape.inputs) - 1
    for path in range(len(inputs)):
        for step in range(inputs.shape[1]):
            _read(inputs, path, step, shape, scratch)
            for layer in range(head):
                _sum(weights, path, layer, present, shape, scratch)
                _give(path, layer, present, share[path, layer], shape, scratch)
            _sum(weights, path, head, present, shape, scratch)
            for case in range(inputs.shape[2]):
                for number in range(shape.units[head]):
                    logits[path, step, case, number] = scratch.sums[head, case, number]
            if learn:
                _compare(targets, path, step, shape.units[head], head, scratch)
                for layer in range(head, -1, -1):
                    if layer < head:
                        _turn_back(path, layer, present, share[path, layer], shape, scratch)
                    if layer > 0:
                        _hand_back(weights, path, layer, present, shape, scratch)
                    _change(weights, path, layer, trained, rate, shape, scratch)


@_inline
def _read(inputs: Any, path: Any, step: Any, shape: Any, scratch: Any) -> None:
    """Lay out a mini-batch for the first layer."""
    features = shape.inputs[0]
    whole = features - features % WIDTH
    for case in range(inputs.shape[2]):
        for place in range(0, whole, WIDTH):
            store(scratch.inputs, (0, case, place), load(inputs, (path, step, case, place)))
        for place in range(whole, features):
            scratch.inputs[0, case, place] = inputs[path, step, case, place]
        scratch.inputs[0, case, features] = ONE


@_inline
def _sum(weights: Any, path: Any, layer: Any, present: Any, shape: Any, scratch: Any) -> None:
    """Compute the sums of a layer's units, of modules that are there."""
    width, batch = shape.width[layer], scratch.inputs.shape[1]
    for case in range(0, batch, CASES):
        cases = min(CASES, batch - case)
        for place in range(shape.places[layer]):
            if present[path, layer, place]:
                begin = shape.begin[layer] + place * shape.rows[layer] * width
                for unit in range(0, shape.rows[layer], UNITS):
                    weighted_sums(
                        weights, path, begin + unit * width, width, scratch.inputs, layer, case, cases,
                        width // WIDTH, scratch.sums, place * shape.span[layer] + unit,
                    )  # fmt: skip


@_inline
def _give(path: Any, layer: Any, present: Any, share: Any, shape: Any, scratch: Any) -> None:
    """Join what modules give for their sums, ReLU of them, as the next layer's input."""
    span = shape.span[layer]
    for case in range(scratch.inputs.shape[1]):
        for unit in range(0, span, WIDTH):
            joined = spread(ZERO)
            for place in range(shape.places[layer]):
                if present[path, layer, place]:
                    x = load(scratch.sums, (layer, case, place * span + unit))
                    joined = joined + where_above(x, ZERO, x, ZERO)
            store(scratch.inputs, (layer + 1, case, unit), joined * share)
        scratch.inputs[layer + 1, case, shape.units[layer]] = ONE


@_inline
def _compare(targets: Any, path: Any, step: Any, classes: Any, head: Any, scratch: Any) -> None:
    """Turn logits into the slope of the batch's summed cross-entropy: softmax, minus 1 for the target."""
    for case in range(scratch.inputs.shape[1]):
        logits = scratch.sums[head, case]
        most = logits[0]
        for number in range(1, classes):
            most = max(most, logits[number])
        partition = ZERO
        for number in range(classes):
            logits[number] = exp(logits[number] - most)
            partition += logits[number]
        for number in range(classes):
            logits[number] /= partition
        logits[targets[path, step, case]] -= ONE


@_inline
def _turn_back(path: Any, layer: Any, present: Any, share: Any, shape: Any, scratch: Any) -> None:
    """Turn a layer's sums into the loss's slopes for them: 0 where ReLU gave nothing."""
    span = shape.span[layer]
    for case in range(scratch.inputs.shape[1]):
        for unit in range(0, span, WIDTH):
            slope = load(scratch.back, (case, unit)) * share
            for place in range(shape.places[layer]):
                if present[path, layer, place]:
                    at = (layer, case, place * span + unit)
                    store(scratch.sums, at, where_above(load(scratch.sums, at), ZERO, slope, ZERO))


@_inline
def _hand_back(weights: Any, path: Any, layer: Any, present: Any, shape: Any, scratch: Any) -> None:
    """Compute the loss's slope for what a layer read."""
    width, batch = shape.width[layer], scratch.inputs.shape[1]
    for case in range(0, batch, CASES):
        cases = min(CASES, batch - case)
        for column in range(0, width, WIDTH):
            for number in range(case, case + cases):
                store(scratch.back, (number, column), spread(ZERO))
            for place in range(shape.places[layer]):
                if present[path, layer, place]:
                    begin = shape.begin[layer] + place * shape.rows[layer] * width
                    handed_back(
                        weights, path, begin, width, shape.units[layer], scratch.sums, layer, case, cases,
                        place * shape.span[layer], scratch.back, column,
                    )  # fmt: skip


@_inline
def _change(weights: Any, path: Any, layer: Any, trained: Any, rate: Any, shape: Any, scratch: Any) -> None:
    """Take a step with the weights of a layer's modules that learn."""
    width, units = shape.width[layer], shape.units[layer]
    vectors = width // WIDTH
    size = -(-vectors // -(-vectors // VECTORS))
    for place in range(shape.places[layer]):
        if trained[path, layer, place]:
            _list(layer, place * shape.span[layer], units, rate, scratch)
            begin = shape.begin[layer] + place * shape.rows[layer] * width
            for first in range(0, vectors, size):
                change_rows(
                    weights, path, begin, width, units, scratch.inputs, layer, first * WIDTH,
                    min(size, vectors - first), scratch.listed, scratch.factors, scratch.counts,
                )  # fmt: skip


@_inline
def _list(layer: Any, place: Any, units: Any, rate: Any, scratch: Any) -> None:
    """List for each unit of a module the cases that change it."""
    slopes = scratch.sums[layer]
    for unit in range(units):
        listed, factors = scratch.listed[unit], scratch.factors[unit]
        count = 0
        for case in range(len(slopes)):
            slope = slopes[case, place + unit]
            listed[count] = case
            factors[count] = slope * rate
            count += slope != ZERO
        scratch.counts[unit] = count
