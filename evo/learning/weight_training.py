"""Lifetimes in which every network takes a few steps down the gradient of its own loss, whatever its structure.

For problems that are differentiable, where `evo.learning.weight_tuning` searches without gradients. What is learned so
may guide selection alone (Hinton & Nowlan 1987, How learning can guide evolution), or be inherited (Lamarck).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, final

import numpy as np
import torch

from evo import seeds
from evo.exchange.torch_module import NetworkModule
from evo.learning.gradient_descent import LONGEST
from evo.learning.lifetime import Lifetime
from evo.networks import Networks
from evo.outcome import Outcomes

Batch = tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]


@final
@dataclass(frozen=True)
class TrainedWeights(Lifetime):
    """Networks descend the problem's loss on batches that all of them meet, and are scored on cases drawn apart.

    Batches and cases come from the problem's own data, so some of those that score were learned from. Measured, besides
    scores: `before` `[n]`, the first objective at birth, on the cases that decide the score. It costs `steps` passes
    forward and backward, and two forward for the scores, of each network.

    Attributes:
        steps: down the gradient; 0 leaves the networks as they were.
        step_size: how far a step goes, as a share of the gradient, which is cut to a length of 1.

    Raises:
        ValueError: a setting is outside its range.
        TypeError: the problem has no gradients.
    """

    name: ClassVar[str] = "trained-weights-v1"

    steps: int = 5
    step_size: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps < 0 or not 0 < self.step_size < math.inf:
            raise ValueError(
                f"TrainedWeights: expected steps from 0 up and step_size above 0, got {self.steps} and {self.step_size}"
            )

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        """Score the networks as they are after their lifetimes, and, as measured, at birth."""
        learned = self.live(phenotypes, int(rng.integers(2**63)))
        seed = int(rng.integers(2**63))
        outcomes, newborn = (
            self.problem.evaluate(networks, seeds.rng(seed, "cases that score")) for networks in (learned, phenotypes)
        )
        seen = {**outcomes.measured, "before": newborn.scores[:, 0]}
        return replace(outcomes, measured=seen, learned=learned if self.inheritance == "lamarckian" else None)

    def live(self, networks: Networks, seed: int) -> Networks:
        """Return the networks with trained weights; see `Lifetime.live`."""
        batches = [self._batch(seed, step) for step in range(self.steps)]
        weights = [self._trained(networks, number, batches) for number in range(len(networks))]
        return networks.with_weights(torch.cat(weights)) if weights else networks

    def _batch(self, seed: int, step: int) -> Batch:
        batch = self.problem.training_batch(seeds.rng(seed, "training batch", step))
        if batch is None:
            raise TypeError(
                f"TrainedWeights: {self.problem.name} has no gradients: its `training_batch` gives none; use "
                f"evo.learning.weight_tuning.TunedWeights, which needs none"
            )
        return batch

    def _trained(self, networks: Networks, number: int, batches: list[Batch]) -> torch.Tensor:
        """Return a network's weights `[edges]` after its lifetime; as they are where they are not finite."""
        described: dict[str, Any] = {"inputs": self.inputs, "outputs": self.outputs, **networks.describe(number)}
        own = torch.tensor([edge[2] for edge in described["edges"]])
        return trained(NetworkModule(described), batches, self.step_size) if bool(own.isfinite().all()) else own


def trained(module: NetworkModule, batches: list[Batch], step_size: float) -> torch.Tensor:
    """Return a network's weights `[edges]` after a step on each batch; up to where a gradient was not finite."""
    weight = module.weight
    if not len(weight):
        return weight.detach()
    for inputs, loss_of in batches:
        (slope,) = torch.autograd.grad(loss_of(module(inputs)), [weight])
        length = float(slope.norm())
        if not math.isfinite(length):
            break
        with torch.no_grad():
            weight.sub_(step_size * min(1.0, LONGEST / max(length, 1e-12)) * slope)
    return weight.detach()
