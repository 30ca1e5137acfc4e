"""Tasks one after another, in many independent replicates at the same time: what the pathway tournaments share.

An algorithm writes down the contests of one task of one replicate, as its paper has them. Here the contests of all
replicates are put into one batch per generation, a task ends where its winner passes the threshold or its time is
over, and the next begins with new contests.

A replicate's draws are made by its number, so its course is the same whichever other replicates there are.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, final

import torch

from evo.algorithm import Algorithm
from evo.algorithms.path_diary import diary_for
from evo.algorithms.ranking import repeats
from evo.algorithms.replicate import Replicate, sampled
from evo.algorithms.task_ledger import Course, Ledger

if TYPE_CHECKING:
    from evo.genome import Genome
    from evo.search import Search

Contests = Generator[Sequence[int], torch.Tensor, None]
"""Yields the places of a generation's contestants, in order; is sent their fitness `[contestants]`, NaN if failed."""


@dataclass(frozen=True, kw_only=True)
class TaskAlgorithm(Algorithm):
    """An algorithm for one task after another, in independent replicates; with one of each, for any problem.

    More than one task, or replicate, needs a genome whose rows say what they are for, by `assign`, as
    `genomes.pathway.Pathway` has it. A replicate that has done all its tasks is evaluated no more, and the run ends
    when all have. It leaves tasks.json in the run's folder, and of pathways paths.json; see
    `evo.algorithms.task_ledger` and `evo.algorithms.path_diary`.

    Class attributes:
        latest_of_equals: whether the best row kept is the latest of equals, which is trained furthest; else the first.

    Attributes:
        replicates: independent runs that share batches, and nothing else.
        tasks: how many, one after another.
        generations_per_task: after how many a task ends, if not before; None for as many as it takes.
        threshold: the score of the first objective that ends a task when a contestant's is better; None for none.

    Raises:
        ValueError: a setting is outside its range, or nothing ends a task that others follow.
    """

    latest_of_equals: ClassVar[bool] = True

    replicates: int = 1
    tasks: int = 1
    generations_per_task: int | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        kind = type(self).__name__
        limit = 1 if self.generations_per_task is None else self.generations_per_task
        if min(self.replicates, self.tasks, limit) < 1:
            raise ValueError(
                f"{kind}: expected replicates, tasks and generations_per_task from 1 up, got {self.replicates}, "
                f"{self.tasks} and {self.generations_per_task}"
            )
        if self.tasks > 1 and self.generations_per_task is None and self.threshold is None:
            raise ValueError(
                f"{kind}: nothing ends the first of {self.tasks} tasks; give generations_per_task, a threshold, or both"
            )
        if not 1 <= self.contestants <= self.population:
            raise ValueError(
                f"{kind}: expected from 1 contestant in a generation up to the population, got {self.contestants} of "
                f"{self.population}"
            )

    @property
    @abstractmethod
    def population(self) -> int:
        """How many individuals a replicate keeps."""

    @property
    @abstractmethod
    def contestants(self) -> int:
        """How many of them are evaluated in a generation."""

    @abstractmethod
    def contests(self, replicate: Replicate) -> Contests:
        """Yield, generation by generation, who is evaluated, and see to selection with the fitness that comes back."""

    def run(self, search: Search) -> None:
        """Go through the tasks, for at most `search.generations` generations."""
        _check_genome(self, search.genome)
        schedule = Schedule(search, self)
        while search.generation < search.generations and schedule.running:
            schedule.generation()
        search.generations = search.generation


@final
class Schedule:
    """All replicates of a run, side by side.

    Attributes:
        genome: what evolves.
        rows: individuals `[replicates * places, L]`, replicate by replicate.
        places: how many a replicate has.
        running: the contests that go on, with their replicates.
        diary: the paths of the first replicate, from generation to generation; None of genomes that are none.
    """

    def __init__(self, search: Search, algorithm: TaskAlgorithm) -> None:
        self.search, self.algorithm = search, algorithm
        self.genome, self.places = search.genome, algorithm.population
        samples = [sampled(search, self.genome, self.places, number, 0) for number in range(algorithm.replicates)]
        self.rows = torch.cat(samples)
        self.ledger = Ledger(search.objectives[0], algorithm)
        search.leave("tasks", self.ledger.describe)
        self.diary = diary_for(search.genome)
        if self.diary is not None:
            search.leave("paths", self.diary.describe)
        self.genome, self.rows = self.genome.fit(self.rows)
        self.running: dict[int, tuple[Replicate, Contests, list[int]]] = {}
        for number in range(algorithm.replicates):
            self._begin(number, None)

    def generation(self) -> None:
        """Evaluate the contestants of all replicates in one batch, and tell each how its own did."""
        self.genome, self.rows = self.genome.fit(self.rows)
        places = [number * self.places + place for number, (_, _, chosen) in self.running.items() for place in chosen]
        self._identify(places)
        rows = self.rows[places]
        outcomes = self.search.evaluate(self.genome, rows)
        rows = outcomes.inherited(rows)
        self.rows[places] = rows
        fitness, start = self.search.fitness(outcomes)[:, 0], 0
        for number, (replicate, contests, chosen) in list(self.running.items()):
            part = slice(start, start + len(chosen))
            start += len(chosen)
            counts = repeats(rows[part, : self.genome.layout.genes].to(torch.float64)) == 0
            replicate.course.note(self.search.generation - 1, self.genome, rows[part], fitness[part], counts)
            if self.diary is not None:
                self.diary.note(self.search.generation - 1, replicate)
            if self.ledger.ended(replicate.course):
                self._begin(number, replicate.course)
            else:
                self.running[number] = (replicate, contests, list(contests.send(fitness[part])))

    def _begin(self, number: int, before: Course | None) -> None:
        """Begin a replicate's next task, or let it rest."""
        task = 0 if before is None else before.task + 1
        self.running.pop(number, None)
        if task == self.algorithm.tasks or (before is not None and before.kept is None):
            return  # it has done all tasks; or nobody was ever evaluated with success, so there is nothing to keep
        replicate = Replicate(self, number, self.ledger.open(number, task), before)
        if task:
            replicate.renew()
        contests = self.algorithm.contests(replicate)
        self.running[number] = (replicate, contests, list(next(contests)))
        self.running = dict(sorted(self.running.items()))

    def _identify(self, places: list[int]) -> None:
        """Give those that are evaluated for the first time an identity: a journal tells of births when they are."""
        layout = self.genome.layout
        nameless = layout.view(self.rows, "uid")[places, 0] < 0
        if bool(nameless.any()):
            new = torch.tensor(places, device=self.rows.device)[nameless]
            parents = layout.empty(len(new)).to(self.rows)
            layout.view(parents, "uid")[...] = layout.view(self.rows, "first_parent")[new]
            self.rows[new] = self.search.identify(self.genome, self.rows[new], parents)


def _check_genome(algorithm: TaskAlgorithm, genome: Genome) -> None:
    if algorithm.replicates * algorithm.tasks > 1 and not hasattr(genome, "assign"):
        raise TypeError(
            f"{type(algorithm).__name__}: {type(genome).__name__} cannot say which replicate and task its rows are for "
            f"(it has no `assign`); use replicates=1 and tasks=1, or a genome that has, such as genomes.pathway.Pathway"
        )
