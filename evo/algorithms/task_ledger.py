"""What became of each task of each replicate: the book that a tournament keeps, and leaves as tasks.json.

Format `evo.tasks/1`: `objective`, `maximize`, `threshold`, `generations_per_task`, `contestants` (evaluations in a
generation of a replicate), `replicates`, `tasks`, and `courses`, one for each task begun: `replicate`, `task`; `first`
and `last`, its first and last generation in the run; `evaluations`; `ended`; `generations` that it took to pass the
threshold, null where it did not; `kept`, the best genome as its genome describes it (null for genomes that are for no
task); `fitness`, the score with which it was kept; `best`, the best score of each generation, null where all failed,
without those of contestants that have the genes of one before them in it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import torch

if TYPE_CHECKING:
    from evo.algorithms.task_schedule import TaskAlgorithm
    from evo.genome import Genome
    from evo.problem import Objective

FORMAT = "evo.tasks/1"


def best(fitness: torch.Tensor, latest: bool = True) -> int | None:
    """Return the place of the highest fitness, of equals the latest, which is trained furthest; None for NaN alone."""
    if bool(fitness.isnan().all()):
        return None
    if not latest:
        return int(fitness.nan_to_num(nan=-math.inf).argmax())
    return len(fitness) - 1 - int(fitness.nan_to_num(nan=-math.inf).flip(0).argmax())


@final
@dataclass
class Course:
    """How one task of one replicate goes.

    Attributes:
        replicate, task: which.
        genome: whose layout `kept` has.
        kept: the best row `[L]` so far; None while none was evaluated with success.
        fitness: its fitness, more is better.
        best: the best fitness of each generation that counts, more is better; NaN where all failed.
        first: the generation it began with.
        evaluations: how many there were.
        reached: whether a contestant has passed the threshold.
        ended: whether it is over.
        latest: whether of equals the latest is kept, else the first.
    """

    replicate: int
    task: int
    genome: Genome | None = None
    kept: torch.Tensor | None = None
    fitness: float = math.nan
    best: list[float] = field(default_factory=list)
    first: int = 0
    evaluations: int = 0
    reached: bool = False
    ended: bool = False
    latest: bool = True

    def note(
        self, generation: int, genome: Genome, rows: torch.Tensor, fitness: torch.Tensor, counts: torch.Tensor
    ) -> None:
        """Take down a generation.

        Contestants of a generation meet the same cases. Where evaluation trains, a second of the same genes has just
        learned them (measured on pairs of digits: an accuracy of .95 where the first had .89), so it does not count.

        Args:
            generation: its number.
            genome: whose layout the rows have.
            rows: the contestants `[n, L]`.
            fitness: theirs, `[n]`.
            counts: whether it passes thresholds and makes curves, `[n]`; to be kept, all are fit.
        """
        if not self.best:
            self.first = generation
        self.evaluations += len(rows)
        counted = best(fitness.where(counts.to(fitness.device), math.nan))
        self.best.append(math.nan if counted is None else float(fitness[counted]))
        place = best(fitness, self.latest)
        if place is None:
            return
        value = float(fitness[place])
        worse = value < self.fitness if self.latest else value <= self.fitness
        if not worse:  # also where there was none
            self.genome, self.kept, self.fitness = genome, rows[place].clone(), value


@final
class Ledger:
    """The courses of all tasks of all replicates.

    Args:
        objective: the first one, which counts.
        algorithm: whose threshold and limits hold.
    """

    def __init__(self, objective: Objective, algorithm: TaskAlgorithm) -> None:
        self._objective, self._algorithm = objective, algorithm
        self._sign = 1.0 if objective.maximize else -1.0
        self.courses: list[Course] = []

    def open(self, replicate: int, task: int) -> Course:
        """Return the course of a task that begins."""
        self.courses.append(Course(replicate, task, latest=self._algorithm.latest_of_equals))
        return self.courses[-1]

    def ended(self, course: Course) -> bool:
        """Return whether the last generation passed the threshold, or was the last there may be, and note it."""
        threshold, limit = self._algorithm.threshold, self._algorithm.generations_per_task
        course.reached = threshold is not None and course.best[-1] > self._sign * threshold
        course.ended = course.reached or len(course.best) == limit
        return course.ended

    def describe(self) -> dict[str, Any]:
        """Return the book as plain JSON data, in the format of tasks.json."""
        algorithm = self._algorithm
        begun = sorted((one for one in self.courses if one.best), key=lambda one: (one.replicate, one.task))
        names = ("threshold", "generations_per_task", "contestants", "replicates", "tasks")
        return {
            "format": FORMAT,
            "objective": self._objective.name,
            "maximize": self._objective.maximize,
            **{name: getattr(algorithm, name) for name in names},
            "courses": [self._course(one) for one in begun],
        }

    def _course(self, course: Course) -> dict[str, Any]:
        known = course.genome is not None and course.kept is not None and hasattr(course.genome, "assign")
        return {
            "replicate": course.replicate,
            "task": course.task,
            "first": course.first,
            "last": course.first + len(course.best) - 1,
            "evaluations": course.evaluations,
            "ended": course.ended,
            "generations": len(course.best) if course.reached else None,
            "kept": course.genome.describe(course.kept) if known else None,  # type: ignore[union-attr, arg-type]
            "fitness": self._plain(course.fitness),
            "best": [self._plain(one) for one in course.best],
        }

    def _plain(self, fitness: float) -> float | None:
        """Return a fitness in the objective's own direction, to 6 digits."""
        return float(f"{self._sign * fitness:.6g}") if math.isfinite(fitness) else None
