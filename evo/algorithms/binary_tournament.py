"""PathNet's serial tournament, which is the microbial genetic algorithm with copies instead of recombination.

Source: PathNet (Fernando et al. 2017, arXiv:1701.08734), section 2.2, as run on supervised tasks; Harvey 2011, The
microbial genetic algorithm (ECAL 2009, LNCS 5778).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from evo.algorithms.replicate import Replicate
from evo.algorithms.task_ledger import best
from evo.algorithms.task_schedule import Contests, TaskAlgorithm


@final
@dataclass(frozen=True)
class BinaryTournament(TaskAlgorithm):
    """Two at a time are evaluated, and a mutated copy of the winner takes the loser's place (PathNet, microbial GA).

    A generation is one contest in each replicate. Only the first objective counts.

    Attributes:
        population: individuals of a replicate.
        replicates, tasks, generations_per_task, threshold: see `TaskAlgorithm`.
    """

    name: ClassVar[str] = "binary-tournament"

    population: int = 64

    @property
    def contestants(self) -> int:
        """Two."""
        return 2

    def contests(self, replicate: Replicate) -> Contests:
        """Hold a contest of two distinct individuals, in random order, in each generation."""
        while True:
            pair = replicate.rng("pair").choice(self.population, size=2, replace=False).tolist()
            winner = best((yield pair))
            if winner is not None:
                replicate.overwrite([pair[1 - winner]], [pair[winner]])
