"""A control without selection: new random individuals in each generation.

As a way to learn task after task, random paths instead of evolved ones were proposed by Rajasegaran et al. 2019,
Random path selection for incremental learning (NeurIPS).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from evo.algorithms.replicate import Replicate
from evo.algorithms.task_schedule import Contests, TaskAlgorithm


@final
@dataclass(frozen=True)
class RandomPathways(TaskAlgorithm):
    """A control: new random pathways in each generation, as many as a tournament evaluates; nobody is selected.

    Attributes:
        contestants: how many are evaluated in a generation.
        replicates, tasks, generations_per_task, threshold: see `TaskAlgorithm`.
    """

    name: ClassVar[str] = "random-pathways"

    contestants: int = 2

    @property
    def population(self) -> int:
        """Those of a generation."""
        return self.contestants

    def contests(self, replicate: Replicate) -> Contests:
        """Evaluate new random individuals in each generation."""
        while True:
            yield range(self.contestants)
            replicate.renew()
