"""What hidden units are worth: running means of products of what they give, what is made of it, and what they read.

Contribution utility: Dohare et al. 2024, equation 1. Mean-corrected contribution, adaptation and their product: Dohare,
Sutton & Mahmood 2021 (arXiv 2108.06325). The others are in the code of Dohare et al. 2024. Means over weights stand for
the papers' sums, which ranks the units of a layer alike.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import final

import torch

from evo.learners import UTILITIES, Learners
from evo.learning.plasticity import connections
from evo.learning.plasticity.concatenated_relu import joined
from evo.learning.plasticity.optimizers import started

SMALLEST = 1e-12
"""Mean incoming weights below it count as this when something is divided by them."""


@final
class LayerSigns:
    """What utilities of one layer's units are made of, `[n, units]` each, computed when first asked for.

    Args:
        learners: as their weights are after the step.
        index: of the hidden layer.
        features: what the layer gave before the step, `[n, batch, copies * units, ...]`.
    """

    def __init__(self, learners: Learners, index: int, features: torch.Tensor) -> None:
        self.learners, self.index = learners, index
        self.layer = learners.architecture.layers[index]
        self.values, self.sizes = joined(features) if self.layer.copies == 2 else (features, features.abs())
        self.cases = [1, *range(3, features.dim())]

    @cached_property
    def activation(self) -> torch.Tensor:
        """Mean of what units give, over cases and pixels."""
        return self.values.mean(self.cases)

    @cached_property
    def magnitude(self) -> torch.Tensor:
        """Mean of its size."""
        return self.sizes.mean(self.cases)

    def deviation(self, usual: torch.Tensor) -> torch.Tensor:
        """Return the mean distance from what units usually give, `[n, units]`."""
        middle = usual[(slice(None), None, slice(None)) + (None,) * (self.values.dim() - 3)]
        return (self.values - middle).abs().mean(self.cases)

    @cached_property
    def outgoing(self) -> torch.Tensor:
        """Mean size of the weights out of units."""
        reader = self.learners.architecture.layers[self.index + 1]
        return connections.outgoing(self.learners.weights, self.layer, reader).abs().mean((1, 3, 4))

    @cached_property
    def incoming(self) -> torch.Tensor:
        """Mean size of the weights into units."""
        return connections.incoming(self.learners.weights, self.layer).abs().mean(1).clamp(min=SMALLEST)


FORMULAS: dict[str, Callable[[LayerSigns, torch.Tensor], torch.Tensor]] = {
    "contribution": lambda signs, usual: signs.outgoing * signs.magnitude,
    "zero_contribution": lambda signs, usual: signs.outgoing * signs.deviation(usual),
    "adaptable_contribution": lambda signs, usual: signs.outgoing * signs.deviation(usual) / signs.incoming,
    "adaptation": lambda signs, usual: 1 / signs.incoming,
    "weight": lambda signs, usual: signs.outgoing,
    "feature_by_input": lambda signs, usual: signs.deviation(usual) / signs.incoming,
    "random": lambda signs, usual: torch.zeros_like(usual),  # drawn when a unit is due
}
"""By the names of `evo.learners.UTILITIES`, of a layer's signs and what its units usually give."""


def new_utility(names: tuple[str, ...], utility: torch.Tensor, signs: LayerSigns, usual: torch.Tensor) -> torch.Tensor:
    """Return what units are worth at this step, `[n, units]`.

    Args:
        names: the utilities that occur among the learners.
        utility: `[n]` int64, each learner's, as a place in `UTILITIES`.
        signs: of the layer.
        usual: `[n, units]`, the mean that deviations are from.
    """
    worth = FORMULAS[names[0]](signs, usual)
    for name in names[1:]:
        own = (utility == UTILITIES.index(name))[:, None]
        worth = torch.where(own, FORMULAS[name](signs, usual), worth)
    return worth


def correction(ages: torch.Tensor, decay: torch.Tensor, corrected: bool) -> torch.Tensor:
    """Return what running means of units `[n, units]` are divided by, for decays `[n, 1]`; for units of age 0, 1."""
    if not corrected:
        return torch.ones_like(ages)
    return torch.where(ages > 0, started(decay, ages), 1.0)


def follow(mean: torch.Tensor, new: torch.Tensor, share: torch.Tensor, active: torch.Tensor | None) -> None:
    """Move running means `[n, units]` on, in place.

    Args:
        mean, new: `[n, units]`.
        share: `[n, 1]`, of what is new: 1 - decay.
        active: `[n, 1]` bool, whose means move; None for all.
    """
    if active is None:
        mean.lerp_(new, share)
    else:
        mean.copy_(torch.where(active, torch.lerp(mean, new, share), mean))
