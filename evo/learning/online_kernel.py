"""A whole segment as compiled code: learners one after the other, each step by step with one case at a time.

A learner's numbers are copied into padded rows (`online_state`), live there for the segment, and are copied back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import register_jitable

from evo.evaluation.compiled_lanes import OPTIONS
from evo.learning.online_descent import add_noise, descend, gradient_length
from evo.learning.online_forward import cross_entropy, forward, read_case, squared_loss
from evo.learning.online_packing import pack, unpack
from evo.learning.online_replacement import reads_incoming, reads_outgoing, renew_dormant, replace
from evo.learning.online_state import DORMANCY_PERIOD, NOISE, REPLACEMENT_RATE, UTILITY_DECAY, Life

ZERO = np.float32(0.0)

_inline = register_jitable(forceinline=True, **OPTIONS)


def learn_one_by_one(
    first: int, last: int, flat: Any, traits: Any, cases: Any, record: Any, manner: Any, shape: Any, net: Any
) -> None:
    """Teach learners `first` to `last - 1`, writing what they become over what they were.

    Args:
        flat, traits, cases, record, manner, shape: as described in `online_state`.
        net: scratch for one learner.
    """
    for learner in range(first, last):
        unpack(flat, traits, learner, manner, shape, net)
        live(traits, learner, cases, record, manner, shape, net)
        pack(flat, learner, manner, shape, net)
        for layer in range(len(shape.inputs) - 1):
            record.replaced[learner, layer] = net.units.replaced[layer]


@_inline
def live(traits: Any, learner: Any, cases: Any, record: Any, manner: Any, shape: Any, net: Any) -> None:
    """Teach one learner; it stops where its loss is not finite, and what is measured is NaN from there on."""
    steps = cases.order.shape[1]
    life = Life(traits.key[learner], traits.segments[learner], steps, traits.lived[learner])
    length = 0.0
    for number in range(manner.bins):
        loss, hits = 0.0, 0
        begin, end = -(-number * steps // manner.bins), -(-(number + 1) * steps // manner.bins)
        for step in range(begin, end):
            error, hit = measure(traits, learner, cases, manner, shape, net, life, step)
            if not np.isfinite(error):
                record.loss[learner, number:] = np.nan
                record.correct[learner, number:] = np.nan
                record.gradient_norm[learner] = np.nan
                return
            loss += error
            hits += hit
            change(traits, learner, manner, shape, net, life, step)
            length += gradient_length(net.signals, shape)
        record.loss[learner, number] = loss / (end - begin)
        record.correct[learner, number] = np.nan if manner.squared else hits / (end - begin)
    record.gradient_norm[learner] = length / steps


@_inline
def measure(traits: Any, learner: Any, cases: Any, manner: Any, shape: Any, net: Any, life: Any, step: Any) -> Any:
    """Return the loss on a step's case and whether its class was found, and leave the outputs' errors behind."""
    place = traits.place[learner]
    table, case = cases.table[place], cases.order[place, step]
    last = len(shape.inputs) - 1
    read_case(cases, table, case, place, net.signals, shape.inputs[0])
    forward(net.weights, net.signals, shape, traits.activation[learner], traits.settings[learner], life, step)
    if manner.squared:
        return squared_loss(net.signals, last, shape.outputs[last], cases.values, table, case), False
    return cross_entropy(net.signals, last, manner.classes, cases.answers[table, case])


@_inline
def change(traits: Any, learner: Any, manner: Any, shape: Any, net: Any, life: Any, step: Any) -> None:
    """Update weights, add noise, and replace units."""
    settings, utility = traits.settings[learner], traits.utility[learner]
    replacing = settings[REPLACEMENT_RATE] > ZERO or settings[DORMANCY_PERIOD] > ZERO
    rating = replacing and settings[UTILITY_DECAY] > ZERO  # at each step, not only when a unit is due
    descend(net, shape, settings, manner, rating and reads_outgoing(utility), rating and reads_incoming(utility))
    if settings[NOISE] > ZERO:
        add_noise(net, shape, settings, life, step)
    if replacing:
        bounds = traits.bounds[learner]
        replace(net, shape, settings, utility, manner, bounds, life, step)
        renew_dormant(net, shape, settings, manner, bounds, life, step)
