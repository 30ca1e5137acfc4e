"""A lifetime in which nothing is learned: networks walk as they were born. The control for those that learn.

They see the last reward and the last velocity as all others do, but remember nothing further back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from evo.learning.lifetimes.walks import Act, Walks, fits
from evo.parametrised import LayeredNetwork, Parametrised, Weights
from evo.points import PointTasks


@final
@dataclass(frozen=True)
class FixedWalks(Walks):
    """Walk by a network that stays as it is."""

    accepts: ClassVar[type] = Parametrised

    def act(self, phenotypes: Parametrised, tasks: PointTasks, *, seed: int) -> Act:
        """Return how the networks answer, the same on all tasks."""
        network = phenotypes.network
        fits(network.inputs[0], network.outputs, "networks")
        weights = network.split(phenotypes.parameters)

        def answer(observed: torch.Tensor, awake: torch.Tensor) -> torch.Tensor:
            return network.answers(weights, observed)

        return answer


def act_apart(network: LayeredNetwork, weights: Weights) -> Act:
    """Return how networks answer that differ from task to task, with weights `[n, tasks, *shape]`."""
    return lambda observed, awake: network.answers(weights, observed.unsqueeze(-2)).squeeze(-2)
