"""A lifetime of hill climbing by episodes: try a neighbour for an episode, and stay with it if it earned more.

Source: Song et al. 2020 (ES-MAML, arXiv:1910.01215), algorithm 4, which adapts to tasks whose gradients say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, final

import torch

from evo import seeds
from evo.learning.lifetimes.base import Lifetime, Lives
from evo.learning.lifetimes.fixed_walks import act_apart
from evo.learning.lifetimes.walks import fits, walk
from evo.parametrised import Parametrised
from evo.points import PointTasks
from evo.tasks import Tasks


@final
@dataclass(frozen=True)
class ClimbingWalks(Lifetime):
    """The first episode is walked as born, later ones by a neighbour of the best so far, the last one by the best.

    As many episodes as other lifetimes of the task have, and as there the last one is scored: nothing is random in the
    plane, so it earns what the best network found earned before. Of one or two episodes, all are walked as born.
    Measured: `returns` of every episode as it was walked.

    Attributes:
        deviation: the standard deviation of a neighbour's weights, for individuals without step sizes of their own,
            which stand in for it.

    Raises:
        ValueError: the deviation is not above 0.
    """

    accepts: ClassVar[type] = Parametrised
    lives_on: ClassVar[type[Tasks]] = PointTasks
    inheritable: ClassVar[bool] = True

    deviation: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.deviation > 0:
            raise ValueError(f"ClimbingWalks: deviation: expected a number above 0, got {self.deviation}")

    def noise(self, parameters: int, tasks: PointTasks, seed: int) -> torch.Tensor:
        """Return where neighbours lie, `[tasks, max(0, episodes - 2), parameters]`, the same for all individuals."""
        shape = (len(tasks), max(0, tasks.episodes - 2), parameters)
        return seeds.normal(seeds.rng(seed, "climbing walks"), shape, tasks.goals)

    def live_together(self, phenotypes: Parametrised, tasks: PointTasks, *, seed: int) -> Lives:
        """Return what networks became by climbing; see `Lifetime.live_together`."""
        network = phenotypes.network
        fits(network.inputs[0], network.outputs, "networks")
        noise, sizes = self.noise(network.parameters, tasks, seed), self.sizes(phenotypes)
        single, count = replace(tasks, episodes=1), len(phenotypes)
        now = phenotypes.parameters[:, None].expand(-1, len(tasks), -1)
        with torch.no_grad():
            returns = [walk(act_apart(network, network.split(now)), single, count)[..., 0]]
            highest = returns[0]
            for turn in range(noise.shape[1]):
                tried = now + sizes * noise[:, turn]
                returns.append(walk(act_apart(network, network.split(tried)), single, count)[..., 0])
                better = returns[-1] > highest  # ES-MAML, algorithm 4, line 4
                now, highest = torch.where(better[..., None], tried, now), torch.where(better, returns[-1], highest)
        if tasks.episodes > 1:
            returns.append(highest)  # what another walk of the same way would earn, to the bit
        return Lives(highest[..., None], returns[0], now.mean(1), {"returns": torch.stack(returns, -1)})

    def sizes(self, phenotypes: Parametrised) -> torch.Tensor | float:
        """Return the neighbours' deviations, `[n, 1, parameters]` or one for all."""
        own, network = phenotypes.step_sizes, phenotypes.network
        if own is None:
            return self.deviation
        if own.shape[1] == network.parameters:
            return own[:, None]
        widths = torch.tensor([one.end - one.begin for one in network.tensors], device=own.device)
        return own.repeat_interleave(widths, 1)[:, None]
