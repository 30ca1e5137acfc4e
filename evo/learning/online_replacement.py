"""Neuron replacement in the compiled engine: continual backprop (Dohare et al. 2024) and ReDo (Sokar et al. 2023).

After each update, layer by layer: units age, running means move on, and the least useful of those old enough are made
anew. What `evo.learning.plasticity` does with masks is done here unit by unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from evo.evaluation.compiled_lanes import OPTIONS
from evo.learners import UTILITIES
from evo.learning.draws import BERNOULLI, DORMANT_WEIGHTS, REPLACED_WEIGHTS, UTILITY
from evo.learning.online_draws import moment, uniform
from evo.learning.online_state import (
    DORMANCY_PERIOD,
    DORMANCY_THRESHOLD,
    MATURITY_THRESHOLD,
    REPLACEMENT_RATE,
    UTILITY_DECAY,
)
from evo.learning.online_sums import sizes_of_columns
from evo.learning.simd import WIDTH, load, magnitude, spread, store, total, where_below

_F = np.float32
ZERO, ONE, TWO = _F(0.0), _F(1.0), _F(2.0)
SMALLEST = _F(1e-12)
"""Mean incoming weights below it count as this when something is divided by them."""
CONTRIBUTION, ZERO_CONTRIBUTION, ADAPTABLE_CONTRIBUTION, ADAPTATION, WEIGHT, FEATURE_BY_INPUT, RANDOM = range(
    len(UTILITIES)
)

_compiled = register_jitable(**OPTIONS)
_inline = register_jitable(forceinline=True, **OPTIONS)


@_inline
def replace(net: Any, shape: Any, settings: Any, utility: Any, rules: Any, bounds: Any, life: Any, step: Any) -> None:
    """Age the units of all hidden layers by one step, and replace those that are due, from the first layer on.

    Args:
        net: the learner's Weights, Signals and Units.
        utility: by what units are ranked, a place in UTILITIES.
        rules: the population's, as `online_state.Manner`.
        bounds: `[layers]` of new incoming weights.
        life: the learner's `online_state.Life`.
    """
    weights, _, units = net
    for layer in range(len(shape.inputs) - 1):
        advance(net, layer, shape, settings, rules)
        due = count_due(units, layer, shape, settings, rules, life, step)
        # without a running mean only the utilities of the moment count
        if settings[UTILITY_DECAY] > ZERO or due > 0 or step + 1 == life.steps:
            rate_units(net, layer, shape, settings, utility)
        if due > 0:
            rank(units, layer, shape, utility, life, step)
        for _ in range(due):
            unit = least_useful(units, layer, shape.outputs[layer], settings[MATURITY_THRESHOLD])
            if unit < 0:
                break
            if rules.bias_transfer:
                transfer(weights, units, layer, shape, unit)
            start = moment(life.key, life.segments, step, REPLACED_WEIGHTS)
            renew(weights, units, layer, shape, unit, bounds[layer], start, rules.reset_optimizer)


@_inline
def advance(net: Any, layer: Any, shape: Any, settings: Any, rules: Any) -> None:
    """Move a layer's ages and running means on by one step."""
    _, signals, units = net
    decay = settings[UTILITY_DECAY]
    rest = ONE - decay
    for place in range(0, shape.outputs[layer], WIDTH):
        h = load(signals.given, (layer, place))
        store(units.ages, (layer, place), load(units.ages, (layer, place)) + ONE)
        store(units.means, (layer, place), decay * load(units.means, (layer, place)) + rest * h)
        mean = decay * load(units.magnitudes, (layer, place)) + rest * magnitude(h)
        store(units.magnitudes, (layer, place), mean)
    if rules.corrected:
        slow = np.float64(decay)
        for unit in range(shape.outputs[layer]):
            units.missing[layer, unit] = 1.0 - slow + slow * units.missing[layer, unit]
            units.correction[layer, unit] = units.missing[layer, unit]


@_inline
def count_due(units: Any, layer: Any, shape: Any, settings: Any, rules: Any, life: Any, step: Any) -> Any:
    """Return how many units of a layer are to be replaced now."""
    old_enough = spread(ZERO)
    for place in range(0, shape.outputs[layer], WIDTH):
        ages = load(units.ages, (layer, place))
        old_enough = old_enough + where_below(spread(settings[MATURITY_THRESHOLD]), ages, ONE, ZERO)
    eligible = int(total(old_enough))
    if eligible == 0:
        return 0
    expected = np.float64(settings[REPLACEMENT_RATE]) * (shape.outputs[layer] if rules.count_all else eligible)
    if rules.accumulate:
        units.due[layer] += expected
        due = min(int(np.floor(units.due[layer])), eligible)
        units.due[layer] -= due
        return due
    if expected < 1.0:
        return int(uniform(moment(life.key, life.segments, step, BERNOULLI), layer) < expected)
    return min(int(np.floor(expected)), eligible)


@_inline
def rate_units(net: Any, layer: Any, shape: Any, settings: Any, utility: Any) -> None:
    """Move the running means of a layer's utilities on by what its units are worth now."""
    weights, signals, units = net
    for read in (layer, layer + 1):
        if not units.measured[read]:
            measure_sizes(weights, units, read, shape, utility)
    fan_in, fan_out = ONE / _F(shape.inputs[layer]), ONE / _F(shape.outputs[layer + 1])
    decay = settings[UTILITY_DECAY]
    for place in range(0, shape.outputs[layer], WIDTH):
        h = load(signals.given, (layer, place))
        apart = magnitude(h - load(units.means, (layer, place)) / load(units.correction, (layer, place)))
        outgoing, incoming = (
            fan_out * load(units.outgoing, (layer, place)),
            fan_in * load(units.incoming, (layer, place)),
        )
        incoming = where_below(incoming, SMALLEST, SMALLEST, incoming)
        worth = spread(ZERO)
        if utility == CONTRIBUTION:
            worth = outgoing * magnitude(h)
        elif utility == ZERO_CONTRIBUTION:
            worth = outgoing * apart
        elif utility == ADAPTABLE_CONTRIBUTION:
            worth = outgoing * apart / incoming
        elif utility == ADAPTATION:
            worth = ONE / incoming
        elif utility == WEIGHT:
            worth = outgoing
        elif utility == FEATURE_BY_INPUT:
            worth = apart / incoming
        utilities = decay * load(units.utilities, (layer, place)) + (ONE - decay) * worth
        store(units.utilities, (layer, place), utilities)


@_inline
def reads_outgoing(utility: Any) -> Any:
    """Return whether a utility depends on the sizes of outgoing weights."""
    return utility <= ADAPTABLE_CONTRIBUTION or utility == WEIGHT


@_inline
def reads_incoming(utility: Any) -> Any:
    """Return whether a utility depends on the sizes of incoming weights."""
    return utility in (ADAPTABLE_CONTRIBUTION, ADAPTATION, FEATURE_BY_INPUT)


@_inline
def measure_sizes(weights: Any, units: Any, layer: Any, shape: Any, utility: Any) -> None:
    """Add up the sizes of a layer's weights: of rows, which go out of units before it, and of columns, into its own."""
    if layer > 0 and reads_outgoing(utility):
        for row in range(shape.inputs[layer]):
            size = spread(ZERO)
            for place in range(0, shape.outputs[layer], WIDTH):
                size = size + magnitude(load(weights.now, (layer, row, place)))
            units.outgoing[layer - 1, row] = total(size)
    if layer + 1 < len(shape.inputs) and reads_incoming(utility):
        sizes_of_columns(weights.now, layer, shape.inputs[layer], shape.vectors[layer], units.incoming)
    units.measured[layer] = True


@_compiled
def rank(units: Any, layer: Any, shape: Any, utility: Any, life: Any, step: Any) -> None:
    """Compute what units are ranked by."""
    if utility == RANDOM:
        start = moment(life.key, life.segments, step, UTILITY)
        for unit in range(shape.outputs[layer]):
            units.ranking[layer, unit] = uniform(start, shape.first_unit[layer] + unit)
    else:
        for place in range(0, shape.outputs[layer], WIDTH):
            ranking = load(units.utilities, (layer, place)) / load(units.correction, (layer, place))
            store(units.ranking, (layer, place), ranking)


@_compiled
def least_useful(units: Any, layer: Any, count: Any, maturity_threshold: Any) -> Any:
    """Return the unit old enough that ranks lowest, the first of several; -1 for none."""
    found = -1
    for unit in range(count):
        if units.ages[layer, unit] > maturity_threshold and (
            found < 0 or units.ranking[layer, unit] < units.ranking[layer, found]
        ):
            found = unit
    return found


@_compiled
def transfer(weights: Any, units: Any, layer: Any, shape: Any, unit: Any) -> None:
    """Add what a unit gives on average to the biases of those that read it."""
    mean = units.means[layer, unit] / units.correction[layer, unit]
    biases = shape.inputs[layer + 1]
    for reader in range(shape.outputs[layer + 1]):
        weights.now[layer + 1, biases, reader] += weights.now[layer + 1, unit, reader] * mean


@_compiled
def renew(
    weights: Any, units: Any, layer: Any, shape: Any, unit: Any, bound: Any, start: Any, reset_optimizer: Any
) -> None:
    """Give a unit new incoming weights, and nobody who reads it."""
    inputs, outputs = shape.inputs[layer], shape.outputs[layer]
    for row in range(inputs):
        drawn = uniform(start, shape.begin[layer] + row * outputs + unit)
        weights.now[layer, row, unit] = bound * (TWO * drawn - ONE)
    weights.now[layer, inputs, unit] = ZERO
    weights.now[layer + 1, unit] = ZERO
    units.measured[layer] = units.measured[layer + 1] = False
    units.ages[layer, unit] = ZERO
    units.utilities[layer, unit] = ZERO
    units.means[layer, unit] = ZERO
    units.magnitudes[layer, unit] = ZERO
    units.missing[layer, unit] = 0.0
    units.replaced[layer] += 1
    if reset_optimizer:
        forget(weights.first_moment, layer, unit, inputs)
        forget(weights.second_moment, layer, unit, inputs)
        weights.steps[layer, unit] = ZERO
        weights.first_missing[layer, unit] = 0.0
        weights.second_missing[layer, unit] = 0.0


@_inline
def forget(moments: Any, layer: Any, unit: Any, inputs: Any) -> None:
    """Set the moments of a unit's incoming weights, bias and outgoing weights to 0, if there are moments."""
    if len(moments):
        moments[layer, : inputs + 1, unit] = ZERO
        moments[layer + 1, unit] = ZERO


@_compiled
def renew_dormant(net: Any, shape: Any, settings: Any, rules: Any, bounds: Any, life: Any, step: Any) -> None:
    """Renew units that give little beside the mean of their layer (ReDo), every so many steps of the learner's life.

    A unit that was replaced at this very step has no score: it is left alone, and no part of the mean.
    """
    period = int(settings[DORMANCY_PERIOD])
    if period == 0 or (life.lived + step + 1) % period:
        return
    weights, _, units = net
    start = moment(life.key, life.segments, step, DORMANT_WEIGHTS)
    for layer in range(len(shape.inputs) - 1):
        scored, mean = 0, ZERO
        for unit in range(shape.outputs[layer]):
            units.ranking[layer, unit] = units.magnitudes[layer, unit] / units.correction[layer, unit]
            if units.ages[layer, unit] > ZERO:
                scored += 1
                mean += units.ranking[layer, unit]
        limit = settings[DORMANCY_THRESHOLD] * mean / _F(max(scored, 1))
        for unit in range(shape.outputs[layer]):
            if units.ages[layer, unit] > ZERO and units.ranking[layer, unit] <= limit:
                renew(weights, units, layer, shape, unit, bounds[layer], start, rules.reset_optimizer)
