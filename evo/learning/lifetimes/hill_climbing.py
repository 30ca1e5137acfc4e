"""A lifetime of hill climbing on the support of a task: for what has no gradient, or one that says nothing.

Source: Song et al. 2020 (ES-MAML, arXiv:1910.01215), algorithm 4; several candidates at a time, its noise-tolerant
form, Song et al. 2020 (Rapidly adaptable legged robots, arXiv:2003.01239), section IV.
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
class HillClimbing(FewShotLifetime):
    """At each step the best of some random neighbours takes over, if it is better.

    Attributes:
        deviation: the standard deviation of a neighbour's weights, for individuals without step sizes of their own,
            which stand in for it.
        candidates: neighbours per step; the support is answered so often.

    Raises:
        ValueError: a setting is outside its range.
    """

    horizons: tuple[int, ...] = (20,)
    deviation: float = 0.02
    candidates: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.deviation > 0 or self.candidates < 1:
            raise ValueError(
                f"HillClimbing: expected deviation above 0 and 1 candidate or more, got {self.deviation} and "
                f"{self.candidates}"
            )

    def noise(self, network: LayeredNetwork, tasks: FewShot, seed: int) -> torch.Tensor:
        """Return where neighbours lie, `[tasks, steps, candidates, parameters]`, standard normal."""
        shape = (len(tasks), self.steps, self.candidates, network.parameters)
        return seeds.normal(seeds.rng(seed, "hill climbing"), shape, tasks.support_inputs)

    def path(
        self, network: LayeredNetwork, weights: Weights, step_sizes: Weights | None, tasks: FewShot, noise: torch.Tensor
    ) -> list[Weights]:
        """Return the weights at birth and after each step; see `FewShotLifetime.path`."""
        sizes: Sequence[torch.Tensor | float] = (self.deviation,) * len(weights)
        if step_sizes:
            sizes = [size.unsqueeze(2) for size in step_sizes]

        def support_loss(weights: Weights) -> torch.Tensor:  # [n, tasks, candidates]
            answers = network.answers(weights, tasks.support_inputs[:, None])
            return loss(answers, tasks.support_targets[:, None], tasks.loss)

        now = tuple(one.unsqueeze(2) for one in weights)  # [n, tasks, 1, *shape]
        path, lowest = [weights], support_loss(now)
        for step in range(self.steps):
            directions = network.split(noise[:, step])  # [tasks, candidates, *shape]
            tried = [one + size * part for one, size, part in zip(now, sizes, directions, strict=True)]
            losses = support_loss(tuple(tried)).nan_to_num(nan=torch.inf)
            best = losses.argmin(-1, keepdim=True)
            better = losses.gather(-1, best) < lowest
            lowest = torch.where(better, losses.gather(-1, best), lowest)
            now = tuple(
                torch.where(_wide(better, old), new.take_along_dim(_wide(best, old), 2), old)
                for new, old in zip(tried, now, strict=True)
            )
            path.append(tuple(one.squeeze(2) for one in now))
        return path


def _wide(values: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """Return values `[n, tasks, 1]` with as many dimensions as another tensor."""
    return values.view(*values.shape, *(1,) * (like.dim() - values.dim()))
