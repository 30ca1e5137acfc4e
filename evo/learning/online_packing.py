"""Copying one learner's numbers from flat rows into the compiled engine's padded ones, and back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from evo.evaluation.compiled_lanes import OPTIONS
from evo.learning.online_state import FIRST_DECAY, SECOND_DECAY, UTILITY_DECAY

_F = np.float32
ZERO, ONE = _F(0.0), _F(1.0)

_compiled = register_jitable(**OPTIONS)


@_compiled
def unpack(flat: Any, traits: Any, learner: Any, manner: Any, shape: Any, net: Any) -> None:
    """Copy a learner's numbers into padded rows."""
    settings = traits.settings[learner]
    for state, rows in (
        (flat.weights, net.weights.now),
        (flat.initial_weights, net.weights.initial),
        (flat.first_moment, net.weights.first_moment),
        (flat.second_moment, net.weights.second_moment),
    ):
        if len(rows):
            unpack_rows(state[learner], shape, rows)
    if manner.reset_head:
        net.weights.now[len(shape.inputs) - 1] = ZERO
    if manner.adam:
        unpack_steps(flat.moment_steps[learner], settings, shape, net.weights)
    unpack_units(flat, learner, settings, manner, shape, net.units)


@_compiled
def unpack_rows(numbers: Any, shape: Any, rows: Any) -> None:
    """Copy numbers `[parameters]` into rows; a layer's biases are its last row."""
    for layer in range(len(shape.inputs)):
        place, width = shape.begin[layer], shape.outputs[layer]
        for row in range(shape.inputs[layer] + 1):
            for unit in range(width):
                rows[layer, row, unit] = numbers[place + row * width + unit]


@_compiled
def unpack_steps(numbers: Any, settings: Any, shape: Any, weights: Any) -> None:
    """Read the steps that Adam made for each unit from those of its bias."""
    first, second = np.float64(settings[FIRST_DECAY]), np.float64(settings[SECOND_DECAY])
    for layer in range(len(shape.inputs)):
        biases = shape.begin[layer] + shape.inputs[layer] * shape.outputs[layer]
        for unit in range(shape.outputs[layer]):
            steps = numbers[biases + unit]
            weights.steps[layer, unit] = steps
            weights.first_missing[layer, unit] = 1.0 - first ** np.float64(steps)
            weights.second_missing[layer, unit] = 1.0 - second ** np.float64(steps)


@_compiled
def unpack_units(flat: Any, learner: Any, settings: Any, manner: Any, shape: Any, units: Any) -> None:
    """Copy what is kept of units; columns without a unit never grow old, so that they are never replaced."""
    decay = np.float64(settings[UTILITY_DECAY])
    units.ages[:] = -np.inf
    units.correction[:] = ONE
    units.measured[:] = False
    for layer in range(len(shape.inputs) - 1):
        units.replaced[layer] = 0
        units.due[layer] = flat.due[learner, layer]
        for unit in range(shape.outputs[layer]):
            number = shape.first_unit[layer] + unit
            units.ages[layer, unit] = flat.ages[learner, number]
            units.utilities[layer, unit] = flat.utilities[learner, number]
            units.means[layer, unit] = flat.mean_activations[learner, number]
            units.magnitudes[layer, unit] = flat.mean_magnitudes[learner, number]
            units.missing[layer, unit] = 1.0 - decay ** np.float64(flat.ages[learner, number])


@_compiled
def pack(flat: Any, learner: Any, manner: Any, shape: Any, net: Any) -> None:
    """Copy a learner's numbers back."""
    for state, rows in (
        (flat.weights, net.weights.now),
        (flat.first_moment, net.weights.first_moment),
        (flat.second_moment, net.weights.second_moment),
    ):
        if len(rows):
            pack_rows(state[learner], shape, rows)
    if manner.adam:
        pack_steps(flat.moment_steps[learner], shape, net.weights.steps)
    for layer in range(len(shape.inputs) - 1):
        flat.due[learner, layer] = net.units.due[layer]
        for unit in range(shape.outputs[layer]):
            number = shape.first_unit[layer] + unit
            flat.ages[learner, number] = net.units.ages[layer, unit]
            flat.utilities[learner, number] = net.units.utilities[layer, unit]
            flat.mean_activations[learner, number] = net.units.means[layer, unit]
            flat.mean_magnitudes[learner, number] = net.units.magnitudes[layer, unit]


@_compiled
def pack_rows(numbers: Any, shape: Any, rows: Any) -> None:
    """Copy rows to numbers `[parameters]`."""
    for layer in range(len(shape.inputs)):
        place, width = shape.begin[layer], shape.outputs[layer]
        for row in range(shape.inputs[layer] + 1):
            for unit in range(width):
                numbers[place + row * width + unit] = rows[layer, row, unit]


@_compiled
def pack_steps(numbers: Any, shape: Any, steps: Any) -> None:
    """Write each weight's steps of Adam: the fewer of those of the two units that it joins."""
    for layer in range(len(shape.inputs)):
        place, width = shape.begin[layer], shape.outputs[layer]
        for row in range(shape.inputs[layer] + 1):
            for unit in range(width):
                number = steps[layer, unit]
                if layer > 0 and row < shape.inputs[layer]:
                    number = min(number, steps[layer - 1, row])
                numbers[place + row * width + unit] = number
