"""The forward pass of the compiled engine: one case, layer by layer, and the loss.

Only inputs that are not 0 are walked: most pixels of a digit are 0, and so is what about half of all rectifiers give.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from evo.evaluation.compiled_lanes import OPTIONS
from evo.lanes import exp, tanh
from evo.learners import ACTIVATIONS
from evo.learning.draws import DROPOUT as DROPOUT_DRAW
from evo.learning.online_draws import moment, uniform
from evo.learning.online_state import DROPOUT
from evo.learning.online_sums import weighted_rows
from evo.learning.simd import WIDTH, load, store, where_above

_F = np.float32
ZERO, ONE, TWO, LEAK = _F(0.0), _F(1.0), _F(2.0), _F(0.01)
RELU, LEAKY_RELU, TANH, SIGMOID, ELU, SWISH, LINEAR = range(len(ACTIVATIONS))

_inline = register_jitable(forceinline=True, **OPTIONS)


@_inline
def read_case(cases: Any, table: Any, case: Any, place: Any, signals: Any, inputs: Any) -> None:
    """Lay out one case, through the columns of the stream at `place` if there are any."""
    if len(cases.columns):
        for number in range(inputs):
            signals.inputs[0, number] = cases.inputs[table, case, cases.columns[place, number]]
    else:
        for number in range(inputs):
            signals.inputs[0, number] = cases.inputs[table, case, number]
    count = 0
    for number in range(inputs):
        signals.active[0, count] = number
        count += signals.inputs[0, number] != ZERO
    signals.counts[0] = count


@_inline
def forward(weights: Any, signals: Any, shape: Any, activation: Any, settings: Any, life: Any, step: Any) -> None:
    """Compute all layers; the last one's sums are the outputs."""
    last = len(shape.inputs) - 1
    for layer in range(last):
        add_up(weights, signals, layer, shape.inputs[layer], shape.vectors[layer])
        activate(activation, signals, layer, shape.vectors[layer] * WIDTH)
        if settings[DROPOUT] > ZERO:
            start = moment(life.key, life.segments, step, DROPOUT_DRAW)
            pass_some_on(signals, layer, shape.outputs[layer], shape.first_unit[layer], start, settings[DROPOUT])
        else:
            pass_on(signals, layer, shape.outputs[layer])
    add_up(weights, signals, last, shape.inputs[last], shape.vectors[last])


@_inline
def add_up(weights: Any, signals: Any, layer: Any, inputs: Any, vectors: Any) -> None:
    """Compute a layer's sums."""
    count = signals.counts[layer]
    weighted_rows(weights.now, layer, signals.inputs, signals.active, count, inputs, vectors, signals.sums)


@_inline
def activate(activation: Any, signals: Any, layer: Any, width: Any) -> None:
    """Compute what units give for their sums, and the derivative of that."""
    sums, given, slopes = signals.sums, signals.given, signals.slopes
    if activation in (RELU, LEAKY_RELU, LINEAR):
        below = ZERO if activation == RELU else LEAK if activation == LEAKY_RELU else ONE
        for place in range(0, width, WIDTH):
            x = load(sums, (layer, place))
            slope = where_above(x, ZERO, ONE, below)
            store(slopes, (layer, place), slope)
            store(given, (layer, place), x * slope)
    elif activation == TANH:
        for unit in range(width):
            y = tanh(sums[layer, unit])
            given[layer, unit] = y
            slopes[layer, unit] = ONE - y * y
    elif activation == SIGMOID:
        for unit in range(width):
            y = ONE / (ONE + exp(-sums[layer, unit]))
            given[layer, unit] = y
            slopes[layer, unit] = y * (ONE - y)
    elif activation == ELU:
        for unit in range(width):
            x = sums[layer, unit]
            y = exp(x)
            given[layer, unit] = y - ONE if x <= ZERO else x
            slopes[layer, unit] = y if x <= ZERO else ONE
    else:
        for unit in range(width):
            x = sums[layer, unit]
            share = ONE / (ONE + exp(-x))
            given[layer, unit] = x * share
            slopes[layer, unit] = share * (ONE + x * (ONE - share))


@_inline
def pass_on(signals: Any, layer: Any, units: Any) -> None:
    """Hand what a layer's units give to the next layer."""
    count = 0
    for unit in range(units):
        value = signals.given[layer, unit]
        signals.inputs[layer + 1, unit] = value
        signals.active[layer + 1, count] = unit
        count += (value != ZERO) | (signals.slopes[layer, unit] != ZERO)
    signals.counts[layer + 1] = count


@_inline
def pass_some_on(signals: Any, layer: Any, units: Any, first_unit: Any, start: Any, share: Any) -> None:
    """Hand on what units give, but leave each out with probability `share` (dropout)."""
    count = 0
    for unit in range(units):
        if uniform(start, first_unit + unit) < share:
            signals.inputs[layer + 1, unit] = ZERO
            signals.slopes[layer, unit] = ZERO
            continue
        value = signals.given[layer, unit] / (ONE - share)
        signals.slopes[layer, unit] /= ONE - share
        signals.inputs[layer + 1, unit] = value
        signals.active[layer + 1, count] = unit
        count += 1
    signals.counts[layer + 1] = count


@_inline
def squared_loss(signals: Any, layer: Any, outputs: Any, values: Any, table: Any, case: Any) -> Any:
    """Return the mean squared error, and write its derivative by the outputs."""
    share = ONE / _F(outputs)
    loss = ZERO
    for output in range(outputs):
        apart = signals.sums[layer, output] - values[table, case, output]
        loss += apart * apart
        signals.errors[layer, output] = TWO * share * apart
    return loss * share


@_inline
def cross_entropy(signals: Any, layer: Any, classes: Any, target: Any) -> Any:
    """Return the cross-entropy in nats and whether the target was the likeliest; write the loss's derivative.

    Only the first `classes` outputs take part; the derivatives of the others stay 0.
    """
    likeliest, most = 0, signals.sums[layer, 0]
    for number in range(1, classes):
        if signals.sums[layer, number] > most:
            likeliest, most = number, signals.sums[layer, number]
    partition = ZERO
    for number in range(classes):
        share = exp(signals.sums[layer, number] - most)
        signals.errors[layer, number] = share
        partition += share
    loss = np.log(partition) - (signals.sums[layer, target] - most)
    for number in range(classes):
        signals.errors[layer, number] /= partition
    signals.errors[layer, target] -= ONE
    return loss, likeliest == target
