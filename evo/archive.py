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

Numbers = np.ndarray[Any, np.dtype[np.float64]]
Places = np.ndarray[Any, np.dtype[np.intp]]


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
        self._held: list[tuple[Genome, torch.Tensor]] = []
        self._merits: Numbers = np.empty((0, 0))

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
        self._changed()

    def restore(self, hall: Iterable[Stored], front: Iterable[Stored]) -> None:
        """Take in what an archive of the same directions had: its `hall` and `front`."""
        self._hall.update([self._with_fitness(one, self._kinds[0]) for one in hall])
        self._front.update([self._with_fitness(one, self._kinds[1]) for one in front])
        self._changed()

    def update(self, search: Search, genome: Genome, rows: torch.Tensor, outcomes: Outcomes) -> None:
        """Look at a generation."""
        places = np.flatnonzero(outcomes.ok.cpu().numpy())
        if not len(places):
            return
        scores = outcomes.scores.cpu().numpy()[places]
        whole = len(places) == len(rows)
        complexity = genome.complexity(rows if whole else rows[outcomes.ok.to(rows.device)]).cpu().numpy()
        merits = np.column_stack((scores, complexity)) * self._kinds[1].weights
        chosen = (self._among_the_best(merits[:, 0]), self._beyond(merits))
        for archive, new, kind in zip((self._hall, self._front), chosen, self._kinds, strict=True):
            archive.update(
                [
                    self._member(search, genome, rows[places[one]], scores[one], float(complexity[one]), kind)
                    for one in new.tolist()
                ]
            )
        if len(chosen[0]) or len(chosen[1]):
            self._changed()
        for one, held in self._held:
            one.hold(held)

    def _among_the_best(self, fitness: Numbers) -> Places:
        """Return which individuals with fitness `[n]` may enter the hall: the best, each value once."""
        full = len(self._hall) == HALL_SIZE
        better = np.flatnonzero(fitness > self._hall[-1].fitness.wvalues[0]) if full else np.arange(len(fitness))
        return better[np.unique(-fitness[better], return_index=True)[1][:HALL_SIZE]]

    def _beyond(self, merits: Numbers) -> Places:
        """Return which individuals with merits `[n, k]`, more is better, no member of the front equals or beats.

        Most are not, and DEAP's front, which compares one by one, need not see them.
        """
        if not len(self._front):
            return np.flatnonzero(fronts(torch.from_numpy(merits)).numpy() == 0)
        as_good = np.ones((len(self._front), len(merits)), bool)
        for mine, theirs in zip(merits.T, self._merits, strict=True):
            as_good &= theirs[:, None] >= mine
        return np.flatnonzero(~as_good.any(0))

    def _changed(self) -> None:
        """Work out anew what every generation asks of the members.

        Those are the front's merits; and, per genome that keeps a table (`PythonObject`), the members' rows, which it
        is shown each generation, so that it does not forget theirs.
        """
        self._merits = np.array([member.fitness.wvalues for member in self._front]).T
        members: dict[int, list[Member]] = {}
        for member in (*self._hall, *self._front):
            if type(member.genome).hold is not Genome.hold:
                members.setdefault(id(member.genome), []).append(member)
        self._held = [(ones[0].genome, torch.stack([one.row for one in ones])) for ones in members.values()]

    def _member(
        self, search: Search, genome: Genome, row: torch.Tensor, scores: Numbers, complexity: float, kind: Any
    ) -> Member:
        stored = Stored(genome, row.cpu().clone(), search.generation, tuple(scores.tolist()), complexity)
        return self._with_fitness(stored, kind)

    def _with_fitness(self, one: Stored, kind: Any) -> Member:
        values = (*one.scores, one.complexity) if kind is self._kinds[1] else one.scores[:1]
        return Member(one.genome, one.row, one.generation, one.scores, one.complexity, kind(values))


def _same(one: Member, other: Member) -> bool:
    return bool(one.fitness == other.fitness)
