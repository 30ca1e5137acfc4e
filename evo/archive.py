"""The best of a run so far: a hall of fame by the first objective, and the Pareto front of all with complexity.

Both are DEAP's. Only individuals whose evaluation succeeded get there, and only one per vector of objectives: with
real-valued genes, or genes that do not show, DEAP's own comparison lets a front grow without bound.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from evo.algorithms.ranking import fronts
from evo.genome import Genome
from evo.outcome import Outcomes
from evo.search import Search

HALL_SIZE = 10


@dataclass(frozen=True)
class Stored:
    """An individual worth keeping, as it is stored.

    Attributes:
        genome: whose layout the row has.
        row: `[L]`, on the CPU.
        generation: when it was scored.
        scores: per objective, in the problem's own directions.
        complexity: see `Genome.complexity`.
    """

    genome: Genome
    row: torch.Tensor
    generation: int
    scores: tuple[float, ...]
    complexity: float


@dataclass(frozen=True)
class Member(Stored):
    """An individual worth keeping.

    Attributes:
        fitness: DEAP's view of the scores.
    """

    fitness: Any

    def __deepcopy__(self, memo: dict[int, object]) -> Member:
        return self  # nothing in it changes


class Archive:
    """The best of a run, kept up to date generation by generation.

    Args:
        directions: for each objective, whether more is better.
    """

    def __init__(self, directions: tuple[bool, ...]) -> None:
        from deap import base, tools

        signs = tuple(1.0 if maximize else -1.0 for maximize in directions)

        class First(base.Fitness):  # type: ignore[misc]
            weights = signs[:1]

        class All(base.Fitness):  # type: ignore[misc]
            weights = (*signs, -1.0)

        self._kinds = (First, All)
        self._hall = tools.HallOfFame(HALL_SIZE, similar=_same)
        self._front = tools.ParetoFront(similar=_same)

    @property
    def hall(self) -> list[Member]:
        """The best by the first objective, the best first."""
        return list(self._hall)

    @property
    def front(self) -> list[Member]:
        """Those no other beats in every objective and in complexity."""
        return list(self._front)

    def clear(self) -> None:
        """Forget all members: in a life that goes on, only the present counts."""
        self._hall.clear()
        self._front.clear()

    def restore(self, hall: Iterable[Stored], front: Iterable[Stored]) -> None:
        """Take in what an archive of the same directions had: its `hall` and `front`."""
        self._hall.update([self._with_fitness(one, self._kinds[0]) for one in hall])
        self._front.update([self._with_fitness(one, self._kinds[1]) for one in front])

    def update(self, search: Search, genome: Genome, rows: torch.Tensor, outcomes: Outcomes) -> None:
        """Look at a generation."""
        ok = torch.nonzero(outcomes.ok).flatten()
        if not len(ok):
            return
        fitness = search.fitness(outcomes)[ok]
        complexity = genome.complexity(rows if len(ok) == len(rows) else rows[ok])
        best = fitness[:, 0].topk(min(HALL_SIZE, len(ok))).indices
        new = self._beyond(torch.cat((fitness, -complexity[:, None].to(fitness)), dim=1))
        for archive, chosen, kind in zip((self._hall, self._front), (best, new), self._kinds, strict=True):
            archive.update(
                [
                    self._member(search, genome, rows[place], outcomes.scores[place], size, kind)
                    for place, size in zip(ok[chosen].tolist(), complexity[chosen].tolist(), strict=True)
                ]
            )
        self._hold()

    def _beyond(self, merits: torch.Tensor) -> torch.Tensor:
        """Return which individuals with merits `[n, k]`, more is better, no member of the front equals or beats.

        Most are not, and DEAP's front, which compares one by one, need not see them.
        """
        if not len(self._front):
            return torch.nonzero(fronts(merits) == 0).flatten()
        known = np.array([member.fitness.wvalues for member in self._front])
        as_good = np.ones((len(known), len(merits)), bool)
        for mine, theirs in zip(merits.cpu().numpy().T, known.T, strict=True):
            as_good &= theirs[:, None] >= mine
        return torch.from_numpy(np.flatnonzero(~as_good.any(0)))

    def _hold(self) -> None:
        """Show members to their genomes, so that one that keeps a table (`PythonObject`) does not forget theirs."""
        held: dict[int, list[Member]] = {}
        for member in (*self._hall, *self._front):
            held.setdefault(id(member.genome), []).append(member)
        for members in held.values():
            members[0].genome.hold(torch.stack([member.row for member in members]))

    def _member(
        self, search: Search, genome: Genome, row: torch.Tensor, scores: torch.Tensor, complexity: float, kind: Any
    ) -> Member:
        stored = Stored(genome, row.cpu().clone(), search.generation, tuple(scores.tolist()), complexity)
        return self._with_fitness(stored, kind)

    def _with_fitness(self, one: Stored, kind: Any) -> Member:
        values = (*one.scores, one.complexity) if kind is self._kinds[1] else one.scores[:1]
        return Member(one.genome, one.row, one.generation, one.scores, one.complexity, kind(values))


def _same(one: Member, other: Member) -> bool:
    return bool(one.fitness == other.fitness)
