"""How a unit is replaced: fresh weights into it, none out of it, and the state of a newborn.

Dohare et al. 2024, algorithm 1. What the removed unit gave on average goes to the biases of those that read it (Dohare,
Sutton & Mahmood 2021), so that a constant unit is replaced without a trace.
"""

from __future__ import annotations

import torch

from evo.learners import Learners
from evo.learning import draws
from evo.learning.plasticity import connections, online_normalization
from evo.learning.plasticity.initial_weights import bounds


def renew(
    learners: Learners,
    index: int,
    chosen: torch.Tensor,
    start: torch.Tensor,
    usual: torch.Tensor | None = None,
) -> None:
    """Replace the chosen units of one layer, in place.

    Args:
        learners: whose weights and states are changed.
        index: of the hidden layer.
        chosen: `[n, units]` bool.
        start: `[n]` int64, of `draws.moment`.
        usual: `[n, units]`, what units give on average, where that goes to the biases of their readers.
    """
    layer, reader = learners.architecture.layers[index : index + 2]
    learner, unit = chosen.nonzero(as_tuple=True)
    if usual is not None:
        lost = connections.outgoing(learners.weights, layer, reader)[learner, :, unit].sum((1, 2))
        connections.biases(learners.weights, reader).index_add_(0, learner, lost * usual[learner, unit, None])
    _clear(learners, learners.weights, index, (learner, unit))
    places = layer.begin + torch.arange(layer.fan_in, device=unit.device) * layer.outputs + unit[:, None]
    bound = bounds(learners.rules.initial, layer, learners.activation)[learner, None]
    fresh = bound * (2 * draws.uniform(start[learner], places) - 1)
    connections.incoming(learners.weights, layer)[learner, :, unit] = fresh
    if learners.rules.reset_optimizer:
        for values in (learners.first_moment, learners.second_moment, learners.moment_steps):
            if values.shape[1]:
                _clear(learners, values, index, (learner, unit))
    for held in (learners.precision, learners.pull):  # nothing was ever learned with the new weights
        if held is not None:
            _clear(learners, held, index, (learner, unit))
    for state in (learners.ages, learners.utilities, learners.mean_activations, learners.mean_magnitudes):
        connections.units(state, layer)[learner, unit] = 0
    if learners.normalization_state is not None:
        states = connections.units(learners.normalization_state, layer)
        states[learner, :, unit] = torch.tensor(online_normalization.NEWBORN, device=unit.device)


def _clear(learners: Learners, values: torch.Tensor, index: int, chosen: tuple[torch.Tensor, torch.Tensor]) -> None:
    """Set what belongs to all weights of the chosen units to 0, in anything `[n, parameters]`."""
    layer, reader = learners.architecture.layers[index : index + 2]
    learner, unit = chosen
    connections.incoming(values, layer)[learner, :, unit] = 0
    connections.biases(values, layer)[learner, unit] = 0
    connections.outgoing(values, layer, reader)[learner, :, unit] = 0
