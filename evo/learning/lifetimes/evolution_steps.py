"""A lifetime of evolution strategy steps on the support of a task: gradients estimated from losses alone.

Source: Song et al. 2020 (ES-MAML, arXiv:1910.01215), algorithm 3 with mirrored directions: Salimans et al. 2017
(arXiv:1703.03864), section 2.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import torch

from evo import seeds
from evo.learning.lifetimes.few_shot import FewShotLifetime, loss
from evo.parametrised import LayeredNetwork, Weights
from evo.tasks import FewShot


@final
@dataclass(frozen=True)
class EvolutionSteps(FewShotLifetime):
    """Steps down a gradient that is estimated from the losses of mirrored neighbours.

    Attributes:
        step_size: of individuals that have none of their own.
        deviation: how far neighbours lie away, as a standard deviation.
        pairs: of neighbours per step; the support is answered twice for each.

    Raises:
        ValueError: a setting is outside its range.
    """

    step_size: float = 0.01
    deviation: float = 0.05
    pairs: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.step_size > 0 and self.deviation > 0) or self.pairs < 1:
            raise ValueError(
                f"EvolutionSteps: expected step_size and deviation above 0, and 1 pair or more, got {self.step_size}, "
                f"{self.deviation} and {self.pairs}"
            )

    def noise(self, network: LayeredNetwork, tasks: FewShot, seed: int) -> torch.Tensor:
        """Return the directions of neighbours, `[tasks, steps, pairs, parameters]`, standard normal."""
        shape = (len(tasks), self.steps, self.pairs, network.parameters)
        return seeds.normal(seeds.rng(seed, "evolution steps"), shape, tasks.support_inputs)

    def path(
        self, network: LayeredNetwork, weights: Weights, step_sizes: Weights | None, tasks: FewShot, noise: torch.Tensor
    ) -> list[Weights]:
        """Return the weights at birth and after each step; see `FewShotLifetime.path`."""
        sizes: Sequence[torch.Tensor | float] = step_sizes or (self.step_size,) * len(weights)

        def support_loss(weights: Weights, offset: torch.Tensor) -> torch.Tensor:  # [n, tasks, pairs]
            moved = zip(weights, network.split(offset), strict=True)
            answers = network.answers(
                tuple(one.unsqueeze(2) + part for one, part in moved), tasks.support_inputs[:, None]
            )
            return loss(answers, tasks.support_targets[:, None], tasks.loss)

        path = [weights]
        for step in range(self.steps):
            directions = noise[:, step]  # [tasks, pairs, parameters]
            offset = self.deviation * directions
            differences = support_loss(path[-1], offset) - support_loss(path[-1], -offset)
            # ES-MAML, algorithm 3: the mean over pairs of (f(theta + sigma h) - f(theta - sigma h)) / (2 sigma) * h
            slopes = (differences.unsqueeze(2) @ directions).squeeze(2) / (2 * self.deviation * self.pairs)
            parts = zip(path[-1], sizes, network.split(slopes), strict=True)
            path.append(tuple(one - size * slope for one, size, slope in parts))
        return path
