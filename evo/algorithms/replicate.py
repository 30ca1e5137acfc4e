"""One independent run among those that share a population: its individuals, its draws, and how they vary."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
import torch

from evo.algorithms.task_ledger import Course

if TYPE_CHECKING:
    from evo.algorithms.task_schedule import Schedule
    from evo.genome import Genome
    from evo.search import Search


@final
class Replicate:
    """One independent run at its present task: what `contests` is handed.

    Attributes:
        number: which replicate, from 0.
        task: which task, from 0.
        course: how the present task has gone; its `kept` is the best row so far.
        before: how the task before went; None in the first.
    """

    def __init__(self, schedule: Schedule, number: int, course: Course, before: Course | None) -> None:
        self._schedule = schedule
        self.number, self.task = number, course.task
        self.course, self.before = course, before

    @property
    def genome(self) -> Genome:
        """What evolves, with room for one variation."""
        return self._schedule.genome

    @property
    def rows(self) -> torch.Tensor:
        """Its individuals `[places, L]`, a view; those never evaluated have no identity yet."""
        places = self._schedule.places
        return self._schedule.rows[self.number * places : (self.number + 1) * places]

    @property
    def earlier(self) -> list[Course]:
        """How its tasks before this one went, in their order."""
        mine = [one for one in self._schedule.ledger.courses if one.replicate == self.number and one.task < self.task]
        return sorted(mine, key=lambda one: one.task)

    def rng(self, purpose: str) -> np.random.Generator:
        """Return the generator for one purpose of this replicate in the current generation."""
        return self._schedule.search.rng(purpose, self.number)

    def renew(self) -> None:
        """Draw all individuals afresh."""
        self.rows[...] = sampled(self._schedule.search, self.genome, self._schedule.places, self.number, self.task)

    def inherit(self, row: torch.Tensor, places: Sequence[int]) -> None:
        """Put copies of a row `[L]` of this or another task into places, made out to the present task."""
        copies = row.expand(len(places), -1)
        self.rows[list(places)] = _newborn(self.genome, assigned(self.genome, copies, self.number, self.task))

    def overwrite(self, losers: Sequence[int], winners: Sequence[int], purpose: str = "variation") -> None:
        """Put a mutated copy of a winner in the place of each loser; both are as many."""
        children = self.genome.mutate(self.rows[list(winners)], self.rng(purpose))
        self.rows[list(losers)] = _newborn(self.genome, children)


def sampled(search: Search, genome: Genome, count: int, replicate: int, task: int) -> torch.Tensor:
    """Return new rows `[count, L]` for a task of a replicate, from draws of its own."""
    rows = genome.sample(count, search.rng("sample", replicate)).to(search.device)
    return assigned(genome, rows, replicate, task)


def assigned(genome: Genome, rows: torch.Tensor, replicate: int, task: int) -> torch.Tensor:
    """Return rows made out to a task of a replicate; as they are, where a genome does not know of such."""
    assign: Any = getattr(genome, "assign", None)
    made: torch.Tensor = rows if assign is None else assign(rows, replicate, task)
    return made


def _newborn(genome: Genome, rows: torch.Tensor) -> torch.Tensor:
    """Return rows that are children of what they were copied from, without an identity yet."""
    layout, born = genome.layout, rows.clone()
    layout.view(born, "first_parent")[...] = layout.view(rows, "uid")
    layout.view(born, "uid")[...] = -1
    layout.view(born, "second_parent")[...] = -1
    return born
