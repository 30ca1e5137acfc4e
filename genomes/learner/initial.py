"""The weights that learners are born with: uniform within a bound for each layer; biases are 0.

The bounds are those of new units (`evo.learning.plasticity.initial_weights`), so a unit that is replaced has weights
like a newborn's.
"""

from __future__ import annotations

import torch

from evo.learners import Architecture
from evo.learning.plasticity.initial_weights import bound, bounds


def initial_weights(
    architecture: Architecture, initial: str, activation: torch.Tensor, uniform: torch.Tensor
) -> torch.Tensor:
    """Return weights and biases `[n, parameters]` float32 of newborn learners.

    Outputs are linear units: sqrt(3 / fan_in) bounds them, whatever the hidden layers' distribution, except for
    "default", which also draws all biases.

    Args:
        architecture: of the learners.
        initial: the distribution, one of `evo.learners.INITIALS`.
        activation: `[n]` int64, places in `evo.learners.ACTIVATIONS`.
        uniform: `[n, parameters]` draws from [0, 1); two learners with the same draws have the same weights, or the
            same up to the factor between the bounds of their activations.
    """
    weights = 2.0 * uniform.to(torch.float32) - 1.0
    for layer in architecture.layers[:-1]:
        weights[:, layer.begin : layer.end] *= bounds(initial, layer, activation)[:, None]
    last = architecture.layers[-1]
    weights[:, last.begin : last.end] *= bound(initial if initial == "default" else "kaiming", last, 1.0)
    if initial != "default":
        for layer in architecture.layers:
            weights[:, layer.bias_begin : layer.end] = 0.0
    return weights
