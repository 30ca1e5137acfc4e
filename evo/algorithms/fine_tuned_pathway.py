"""PathNet's fine-tuning control: the first task by evolution, the others on the pathway that it kept.

Source: PathNet (Fernando et al. 2017, arXiv:1701.08734), section 3, where the second task is learned on the same path
that learned the first, with a new read-out. The problem must keep all weights trainable (after="keep").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.replicate import Replicate
from evo.algorithms.task_schedule import Contests, TaskAlgorithm


@final
@dataclass(frozen=True)
class FineTunedPathway(TaskAlgorithm):
    """A control: a binary tournament for the first task, whose best pathway then learns all others, twice a generation.

    Attributes:
        population: individuals of a replicate.
        replicates, tasks, generations_per_task, threshold: see `TaskAlgorithm`.
    """

    name: ClassVar[str] = "fine-tuned-pathway"

    population: int = 64

    @property
    def contestants(self) -> int:
        """Two."""
        return 2

    def contests(self, replicate: Replicate) -> Contests:
        """Hold contests in the first task; in others evaluate the best pathway of the task before, twice."""
        if replicate.before is None or replicate.before.kept is None:
            yield from BinaryTournament(population=self.population).contests(replicate)
            return
        replicate.inherit(replicate.before.kept, range(2))
        while True:
            yield range(2)
