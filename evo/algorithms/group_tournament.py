"""PathNet's parallel tournament: whoever has been evaluated looks at some others, and gives way to the fittest.

Source: PathNet (Fernando et al. 2017, arXiv:1701.08734), section 2.3, as run by 64 asynchronous workers. Here all are
evaluated, and then look around one after another in the order in which they were evaluated, so that a run repeats.
While a worker's genotype has not been evaluated it counts as very bad there, so that nobody copies it; the same here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import torch

from evo.algorithms.replicate import Replicate
from evo.algorithms.task_ledger import best
from evo.algorithms.task_schedule import Contests, TaskAlgorithm


@final
@dataclass(frozen=True)
class GroupTournament(TaskAlgorithm):
    """All are evaluated; each gives way to a mutated copy of the fittest of some others, if that is as fit (PathNet).

    Whoever stays is evaluated again in the next generation. A copy that has not been evaluated is never copied. Only
    the first objective counts.

    Attributes:
        population: individuals of a replicate, all evaluated in each generation.
        opponents: how many others each looks at, B.
        duplication_rate: the probability that a child takes in one more useful module, for genomes that `duplicate`:
            one drawn by how far the mean fitness of those who have it is above that of its layer's worst.
        replicates, tasks, generations_per_task, threshold: see `TaskAlgorithm`.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "group-tournament"

    population: int = 64
    opponents: int = 20
    duplication_rate: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 1 <= self.opponents < self.population or not 0 <= self.duplication_rate <= 1:
            raise ValueError(
                f"GroupTournament: opponents are from 1 to population - 1, and duplication_rate from 0 to 1, got "
                f"{self.opponents} of {self.population} and {self.duplication_rate}"
            )

    @property
    def contestants(self) -> int:
        """The whole population."""
        return self.population

    def contests(self, replicate: Replicate) -> Contests:
        """Evaluate everyone in random order, then let each look around in that order."""
        while True:
            order = replicate.rng("order").permutation(self.population).tolist()
            evaluated = yield order
            fitness = torch.empty_like(evaluated)
            fitness[order] = evaluated
            losers, winners = self.replaced(order, fitness, replicate.rng("opponents"))
            if losers:
                useful = self._useful(replicate, fitness)
                replicate.overwrite(losers, winners)
                self._duplicate(replicate, losers, useful)

    def replaced(
        self, order: Sequence[int], fitness: torch.Tensor, rng: np.random.Generator
    ) -> tuple[list[int], list[int]]:
        """Return who gives way, and to whom, place by place.

        Args:
            order: all places, in the order in which they look around.
            fitness: `[population]`, more is better; NaN for who has failed.
            rng: draws opponents.
        """
        present = fitness.clone()  # NaN from the moment somebody unevaluated is there
        losers, winners = [], []
        for place in order:
            drawn = rng.choice(self.population - 1, size=self.opponents, replace=False)
            others = torch.from_numpy(drawn + (drawn >= place))
            fittest = best(present[others])
            if fittest is not None and not present[others[fittest]] < present[place]:
                losers.append(place)
                winners.append(int(others[fittest]))
                present[place] = torch.nan
        return losers, winners

    def _useful(self, replicate: Replicate, fitness: torch.Tensor) -> torch.Tensor | None:
        """Return how much more useful each module is than the worst of its layer, `[layers, modules]`."""
        if self.duplication_rate == 0:
            return None
        genome: Any = replicate.genome
        if not hasattr(genome, "duplicate"):
            raise TypeError(
                f"GroupTournament: {type(genome).__name__} has no modules to duplicate; leave duplication_rate at 0, "
                f"or use a genome that has, such as genomes.pathway.Pathway"
            )
        useful: torch.Tensor = genome.usefulness(replicate.rows, fitness)
        worst = useful.nan_to_num(nan=torch.inf).amin(1, keepdim=True)
        return (useful - worst).nan_to_num(nan=0.0)

    def _duplicate(self, replicate: Replicate, places: list[int], useful: torch.Tensor | None) -> None:
        if useful is None:
            return
        genome: Any = replicate.genome
        rng = replicate.rng("duplication")
        replicate.rows[places] = genome.duplicate(replicate.rows[places], useful, self.duplication_rate, rng)
