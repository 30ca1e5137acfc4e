"""A tournament whose last winner always takes part again: that of Stepwise PathNet.

Source: Imai, Kawai & Nobuhara 2020, Stepwise PathNet (Scientific Reports 10, doi 10.1038/s41598-020-64165-3), the
modified tournament selection.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from evo.algorithms.replicate import Replicate
from evo.algorithms.task_ledger import best
from evo.algorithms.task_schedule import Contests, TaskAlgorithm


@final
@dataclass(frozen=True)
class DefendingChampion(TaskAlgorithm):
    """The last winner meets random challengers; mutated copies of who wins take the losers' places (Imai et al. 2020).

    A generation is one contest in each replicate, in random order. Only the first objective counts.

    Attributes:
        population: individuals of a replicate.
        contestants: how many meet, the champion among them.
        replicates, tasks, generations_per_task, threshold: see `TaskAlgorithm`.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "defending-champion"

    population: int = 64
    contestants: int = 2

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.contestants < 2:
            raise ValueError(f"DefendingChampion: expected 2 contestants or more, got {self.contestants}")

    def contests(self, replicate: Replicate) -> Contests:
        """Hold a contest in each generation; all in the first are challengers."""
        champion: list[int] = []
        while True:
            rng = replicate.rng("challengers")
            others = [place for place in range(self.population) if place not in champion]
            challengers = rng.choice(others, size=self.contestants - len(champion), replace=False).tolist()
            chosen = rng.permutation([*champion, *challengers]).tolist()
            winner = best((yield chosen))
            if winner is not None:
                champion = [chosen.pop(winner)]
                replicate.overwrite(chosen, champion * len(chosen))
