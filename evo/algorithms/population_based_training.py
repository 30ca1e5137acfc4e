"""Population based training: learners that go on learning while their settings evolve, for any genome that learns.

Source: Jaderberg et al. 2017 (arXiv:1711.09846), section 3 (algorithm 1) and section 4.1.1 (truncation selection). The
paper's workers are asynchronous; here all are ready at the same time, so that a run repeats.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch

from evo import seeds
from evo.algorithm import Algorithm

if TYPE_CHECKING:
    from evo.genome import Genome
    from evo.outcome import Outcomes
    from evo.search import Search


@dataclass(frozen=True)
class PopulationBasedTraining(Algorithm):
    """The worst take over weights and settings from the best, move the settings, and learn on (Jaderberg et al. 2017).

    Only the first objective counts: its mean since the last exchange. Genomes must keep what they learned when they
    mutate (a `Learner` with `newborn=False`), and the problem must hand back what they learned in a generation.

    Attributes:
        population: how many learn side by side.
        truncation: the share of the population, its worst, that is replaced, and that of the best that replace it.
        ready_every: generations between exchanges.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "population-based-training"
    state_in_rows: ClassVar[bool] = True

    population: int = 20
    truncation: float = 0.2
    ready_every: int = 1

    def __post_init__(self) -> None:
        if self.population < 2 or self.ready_every < 1:
            raise ValueError(
                f"PopulationBasedTraining: expected population >= 2 and ready_every >= 1, got {self.population} and "
                f"{self.ready_every}"
            )
        if not 0 < self.truncation <= 0.5 or self.exchanged < 1:
            raise ValueError(
                f"PopulationBasedTraining: truncation is a share of at most a half, and at least 1 of the "
                f"{self.population} individuals, got {self.truncation}"
            )

    @property
    def exchanged(self) -> int:
        """How many are replaced at a time."""
        return int(self.truncation * self.population)

    def run(self, search: Search) -> None:
        """Learn for `search.generations` generations, with exchanges in between."""
        _check_genome(search.genome)
        genome, rows = search.genome.fit(search.sample(self.population))
        scores: list[torch.Tensor] = []
        while search.generation < search.generations:
            outcomes = search.evaluate(genome, rows)
            _check_outcomes(outcomes)
            rows = outcomes.inherited(rows)
            scores.append(search.fitness(outcomes)[:, 0])
            if len(scores) == self.ready_every:
                genome, rows = genome.fit(self._exchange(search, genome, rows, torch.stack(scores).mean(0)))
                scores = []

    def _exchange(self, search: Search, genome: Genome, rows: torch.Tensor, fitness: torch.Tensor) -> torch.Tensor:
        """Return the rows `[n, L]` with the worst replaced by mutated copies of the best (exploit and explore).

        All that failed are replaced, however many they are, while anybody did not.
        """
        order = fitness.nan_to_num(nan=-torch.inf).sort(descending=True, stable=True).indices
        best = order[: min(self.exchanged, int((~fitness.isnan()).sum()))]
        if not len(best):
            return rows
        worst = order[min(self.population - self.exchanged, int((~fitness.isnan()).sum())) :]
        drawn = seeds.integers(search.rng("exploit"), len(best), (len(worst),), rows)
        rows = rows.clone()
        rows[worst] = search.breed(genome, rows[best[drawn]], purpose="explore")
        return rows


def _check_genome(genome: Genome) -> None:
    if getattr(genome, "newborn", False):
        raise ValueError(
            f"PopulationBasedTraining: children of this {type(genome).__name__} start afresh, but here they go on from "
            f"what their parents learned; make it with newborn=False, or use an algorithm such as MuPlusLambda"
        )


def _check_outcomes(outcomes: Outcomes) -> None:
    if outcomes.rows is None and bool(outcomes.ok.any()):
        raise ValueError(
            "PopulationBasedTraining: the problem does not hand back what was learned, so there is nothing to take "
            "over; use a stream that learners live on for ever (lifelong=True), or a lifetime with "
            "inheritance='lamarckian'"
        )
