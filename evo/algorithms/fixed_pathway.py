"""A control without evolution: one random individual is evaluated again and again, so that it alone is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from evo.algorithms.replicate import Replicate
from evo.algorithms.task_schedule import Contests, TaskAlgorithm


@final
@dataclass(frozen=True)
class FixedPathway(TaskAlgorithm):
    """A control: one random pathway, evaluated as often in a generation as a tournament evaluates.

    Where evaluation trains, it takes as many gradient steps as a tournament with as many contestants. Further tasks
    are learned on the same pathway: as fine-tuning where the problem keeps all weights, from scratch where it renews
    them. With pathways of all modules it is the whole network.

    Attributes:
        contestants: how often it is evaluated in a generation.
        renew: whether each task has another random pathway.
        replicates, tasks, generations_per_task, threshold: see `TaskAlgorithm`.
    """

    name: ClassVar[str] = "fixed-pathway"

    contestants: int = 2
    renew: bool = False

    @property
    def population(self) -> int:
        """Copies of the one."""
        return self.contestants

    def contests(self, replicate: Replicate) -> Contests:
        """Evaluate copies of one individual in each generation."""
        before = None if self.renew or replicate.before is None else replicate.before.kept
        replicate.inherit(replicate.rows[0] if before is None else before, range(self.contestants))
        while True:
            yield range(self.contestants)
