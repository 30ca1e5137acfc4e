"""The backward pass of the compiled engine, with the update of each row of weights in the same go.

A row's weights into a layer are read once: for the derivative of what the row's input gives, before they change, and
for the update. One case's gradient of a weight is `input * error`, so it is never stored, and its length over all
weights comes from the lengths of inputs and errors. By what settings need there are four updates: plain steps, steps
with decay, momentum, and Adam.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from evo.evaluation.compiled_lanes import OPTIONS
from evo.learning.draws import NOISE as NOISE_DRAW
from evo.learning.online_draws import moment, normals
from evo.learning.online_state import (
    DECOUPLED_DECAY,
    FIRST_DECAY,
    INITIAL_DECAY,
    MOMENTUM,
    NOISE,
    SECOND_DECAY,
    STEP_SIZE,
    WEIGHT_DECAY,
)
from evo.learning.simd import WIDTH, load, magnitude, root, spread, store, total, where_below

_F = np.float32
ZERO, ONE, TWO = _F(0.0), _F(1.0), _F(2.0)
EPSILON = _F(1e-8)

_inline = register_jitable(forceinline=True, **OPTIONS)


@_inline
def gradient_length(signals: Any, shape: Any) -> Any:
    """Return the length of the gradient of all weights and biases; the biases' input is 1."""
    squares = ZERO
    for layer in range(len(shape.inputs)):
        inputs = spread(ZERO)
        for place in range(0, shape.inputs[layer], WIDTH):
            x = load(signals.inputs, (layer, place))
            inputs = inputs + x * x
        errors = spread(ZERO)
        for place in range(0, shape.outputs[layer], WIDTH):
            x = load(signals.errors, (layer, place))
            errors = errors + x * x
        squares += (total(inputs) + ONE) * total(errors)
    return np.sqrt(squares)


@_inline
def descend(net: Any, shape: Any, settings: Any, manner: Any, rows: Any, columns: Any) -> None:
    """Move all weights by one step, from the last layer to the first; the last layer's errors are given.

    Args:
        net: the learner's Weights, Signals and Units.
        rows, columns: whether the sizes of weights out of, and into, units are wanted; plain steps keep them current.
    """
    weights, signals, units = net
    if manner.adam:
        count_steps(weights, shape, settings, manner.released)
    plain = not manner.adam and settings[MOMENTUM] == ZERO and keeping(settings) == ONE
    for layer in range(len(shape.inputs) - 1, -1, -1):
        if layer > 0:
            for place in range(0, shape.outputs[layer - 1], WIDTH):
                store(signals.errors, (layer - 1, place), spread(ZERO))
        inputs, vectors = shape.inputs[layer], shape.vectors[layer]
        if plain and columns:
            by_measured_steps(net, layer, inputs, vectors, settings, True)
        elif plain and rows and layer > 0:
            by_measured_steps(net, layer, inputs, vectors, settings, False)
        elif plain:
            by_steps(weights, signals, layer, inputs, vectors, settings)
        elif manner.adam:
            by_adam(weights, signals, layer, inputs, vectors, settings, manner.released)
        elif settings[MOMENTUM] > ZERO:
            by_momentum(weights, signals, layer, inputs, vectors, settings)
        else:
            by_decayed_steps(weights, signals, layer, inputs, vectors, settings)
        if not (plain and (rows or columns)):
            units.measured[layer] = False


@_inline
def hand_back(signals: Any, layer: Any, row: Any, pulled: Any) -> None:
    """Write the error of the unit that is a row's input."""
    if layer > 0:
        signals.errors[layer - 1, row] = pulled * signals.slopes[layer - 1, row]


@_inline
def keeping(settings: Any) -> Any:
    """Return what a step without a gradient multiplies weights by."""
    return ONE - settings[STEP_SIZE] * (
        settings[DECOUPLED_DECAY] + settings[WEIGHT_DECAY] + TWO * settings[INITIAL_DECAY]
    )


@_inline
def by_steps(weights: Any, signals: Any, layer: Any, inputs: Any, vectors: Any, settings: Any) -> None:
    """Stochastic gradient descent and nothing else: rows whose input is 0 stay as they are."""
    rate = settings[STEP_SIZE]
    now, errors = weights.now, signals.errors
    for number in range(signals.counts[layer]):
        row = signals.active[layer, number]
        scale = spread(rate * signals.inputs[layer, row])
        if layer > 0:
            pulled = spread(ZERO)
            for place in range(0, vectors * WIDTH, WIDTH):
                w, error = load(now, (layer, row, place)), load(errors, (layer, place))
                pulled = pulled + w * error
                store(now, (layer, row, place), w - scale * error)
            hand_back(signals, layer, row, total(pulled))
        else:
            for place in range(0, vectors * WIDTH, WIDTH):
                w = load(now, (layer, row, place)) - scale * load(errors, (layer, place))
                store(now, (layer, row, place), w)
    step_biases(now, errors, layer, inputs, vectors, rate)


@_inline
def by_measured_steps(net: Any, layer: Any, inputs: Any, vectors: Any, settings: Any, columns: Any) -> None:
    """The same, and what changes in the sizes of weights into and out of units is added up on the way."""
    rate = settings[STEP_SIZE]
    weights, signals, units = net
    now, errors = weights.now, signals.errors
    for number in range(signals.counts[layer]):
        row = signals.active[layer, number]
        scale = spread(rate * signals.inputs[layer, row])
        pulled, size = spread(ZERO), spread(ZERO)
        for place in range(0, vectors * WIDTH, WIDTH):
            w, error = load(now, (layer, row, place)), load(errors, (layer, place))
            pulled = pulled + w * error
            before, w = magnitude(w), w - scale * error
            after = magnitude(w)
            size = size + after
            if columns:
                store(units.incoming, (layer, place), load(units.incoming, (layer, place)) + (after - before))
            store(now, (layer, row, place), w)
        if layer > 0:
            hand_back(signals, layer, row, total(pulled))
            units.outgoing[layer - 1, row] = total(size)
    step_biases(now, errors, layer, inputs, vectors, rate)


@_inline
def step_biases(now: Any, errors: Any, layer: Any, inputs: Any, vectors: Any, rate: Any) -> None:
    """Move a layer's biases by one step of gradient descent."""
    for place in range(0, vectors * WIDTH, WIDTH):
        b = load(now, (layer, inputs, place)) - rate * load(errors, (layer, place))
        store(now, (layer, inputs, place), b)


@_inline
def by_decayed_steps(weights: Any, signals: Any, layer: Any, inputs: Any, vectors: Any, settings: Any) -> None:
    """Stochastic gradient descent with decay, or a pull to the initial weights: all rows change."""
    keep, rate = keeping(settings), settings[STEP_SIZE]
    pull = rate * TWO * settings[INITIAL_DECAY]
    now, errors = weights.now, signals.errors
    for row in range(inputs + 1):
        scale = spread(rate * (signals.inputs[layer, row] if row < inputs else ONE))
        pulled = spread(ZERO)
        for place in range(0, vectors * WIDTH, WIDTH):
            w = load(now, (layer, row, place))
            error = load(errors, (layer, place))
            pulled = pulled + w * error
            w = keep * w - scale * error
            if pull > ZERO:
                w = w + pull * load(weights.initial, (layer, row, place))
            store(now, (layer, row, place), w)
        if row < inputs:
            hand_back(signals, layer, row, total(pulled))


@_inline
def by_momentum(weights: Any, signals: Any, layer: Any, inputs: Any, vectors: Any, settings: Any) -> None:
    """Stochastic gradient descent with momentum (torch's: the moment is a sum of gradients)."""
    rate, momentum = settings[STEP_SIZE], settings[MOMENTUM]
    keep = ONE - rate * settings[DECOUPLED_DECAY]
    decay, pull = settings[WEIGHT_DECAY], TWO * settings[INITIAL_DECAY]
    now, errors = weights.now, signals.errors
    for row in range(inputs + 1):
        x = spread(signals.inputs[layer, row] if row < inputs else ONE)
        pulled = spread(ZERO)
        for place in range(0, vectors * WIDTH, WIDTH):
            w = load(now, (layer, row, place))
            error = load(errors, (layer, place))
            pulled = pulled + w * error
            gradient = x * error + decay * w
            if pull > ZERO:
                gradient = gradient + pull * (w - load(weights.initial, (layer, row, place)))
            m = momentum * load(weights.first_moment, (layer, row, place)) + gradient
            store(weights.first_moment, (layer, row, place), m)
            store(now, (layer, row, place), keep * w - rate * m)
        if row < inputs:
            hand_back(signals, layer, row, total(pulled))


@_inline
def count_steps(weights: Any, shape: Any, settings: Any, released: Any) -> None:
    """Count a step of Adam for each unit, and compute the corrections that follow from the steps it made.

    1 - beta^steps follows from what it was one step before.
    """
    first, second = np.float64(settings[FIRST_DECAY]), np.float64(settings[SECOND_DECAY])
    for layer in range(len(shape.inputs)):
        for unit in range(shape.outputs[layer]):
            weights.steps[layer, unit] += ONE
            firsts = 1.0 - first + first * weights.first_missing[layer, unit]
            seconds = 1.0 - second + second * weights.second_missing[layer, unit]
            weights.first_missing[layer, unit] = firsts
            weights.second_missing[layer, unit] = seconds
            weights.rates[layer, unit] = settings[STEP_SIZE] * (seconds if released else 1.0 / firsts)
            weights.lengths[layer, unit] = 1.0 if released else 1.0 / np.sqrt(seconds)


@_inline
def by_adam(weights: Any, signals: Any, layer: Any, inputs: Any, vectors: Any, settings: Any, released: Any) -> None:
    """Adam (Kingma & Ba 2015, algorithm 1), with decoupled decay as in AdamW (Loshchilov & Hutter 2019).

    A weight has made the fewer steps of the two units that it joins, so its corrections are the greater of theirs; the
    released code's correction, which multiplies where it should divide, is the smaller.
    """
    first, second = settings[FIRST_DECAY], settings[SECOND_DECAY]
    keep = ONE - settings[STEP_SIZE] * settings[DECOUPLED_DECAY]
    decay, pull = settings[WEIGHT_DECAY], TWO * settings[INITIAL_DECAY]
    now, errors, firsts, seconds = weights.now, signals.errors, weights.first_moment, weights.second_moment
    neutral = settings[STEP_SIZE] if released else ZERO
    for row in range(inputs + 1):
        joined = layer > 0 and row < inputs
        row_rate = spread(weights.rates[layer - 1, row] if joined else neutral)
        row_length = spread(weights.lengths[layer - 1, row] if joined else ZERO)
        x = spread(signals.inputs[layer, row] if row < inputs else ONE)
        pulled = spread(ZERO)
        for place in range(0, vectors * WIDTH, WIDTH):
            w = load(now, (layer, row, place))
            error = load(errors, (layer, place))
            pulled = pulled + w * error
            gradient = x * error + decay * w
            if pull > ZERO:
                gradient = gradient + pull * (w - load(weights.initial, (layer, row, place)))
            m = first * load(firsts, (layer, row, place)) + (ONE - first) * gradient
            v = second * load(seconds, (layer, row, place)) + (ONE - second) * gradient * gradient
            store(firsts, (layer, row, place), m)
            store(seconds, (layer, row, place), v)
            rate, length = load(weights.rates, (layer, place)), load(weights.lengths, (layer, place))
            if released:
                rate = where_below(row_rate, rate, row_rate, rate)
            else:
                rate = where_below(row_rate, rate, rate, row_rate)
            length = where_below(row_length, length, length, row_length)
            store(now, (layer, row, place), keep * w - rate * m / (root(v) * length + EPSILON))
        if row < inputs:
            hand_back(signals, layer, row, total(pulled))


@_inline
def add_noise(net: Any, shape: Any, settings: Any, life: Any, step: Any) -> None:
    """Add normal noise to every weight and bias, two rows at a time; see `plasticity.shrink_and_perturb`."""
    start, deviation = moment(life.key, life.segments, step, NOISE_DRAW), settings[NOISE]
    now = net.weights.now
    for layer in range(len(shape.inputs)):
        net.units.measured[layer] = False
        inputs, outputs = shape.inputs[layer], shape.outputs[layer]
        for row in range(0, inputs + 1, 2):
            place = shape.begin[layer] + row // 2 * outputs
            for unit in range(outputs):
                first, second = normals(start, place + unit)
                now[layer, row, unit] += deviation * first
                if row < inputs:
                    now[layer, row + 1, unit] += deviation * second
