"""muNet's growth of a system of paths that share frozen components and train clones of others, task after task.

Source: muNet (Gesmundo & Dean 2022, arXiv:2205.10937), with the parents of mu2Net (2205.12755): the task's paths in
decreasing score, each accepted with probability 0.5 to the number of its offspring, then the best paths of other tasks,
and the root, likewise in random order; if none is accepted, any of them.

Not as published: one pass over the tasks in place of several; a task's paths are at most `living`, of which the worst
makes way; and a root that is no pretrained network has a first child of all that trains all of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
import torch

from evo.algorithms.replicate import Replicate
from evo.algorithms.task_schedule import Contests, TaskAlgorithm

if TYPE_CHECKING:
    from evo.search import Search


@final
@dataclass(frozen=True)
class Growth(TaskAlgorithm):
    """Paths that clone and train some components of a parent's, and stay if they are better than it (muNet).

    A task begins with a child of each seed (the root, and the best path of each task before) that trains the read-out
    alone. At its end only the best path is left, and its components stay as they are for ever. Only the first
    objective counts. It is for `genomes.grown_path.GrownPath`.

    Attributes:
        children: evaluated in a generation of a replicate.
        living: paths of a task, at most.
        trained_root: whether the root comes trained, so that its first child of all trains the read-out alone, too.
        replicates, tasks, generations_per_task, threshold: see `TaskAlgorithm`.

    Raises:
        ValueError: a setting is outside its range, or, when a run begins, there are too few slots.
    """

    name: ClassVar[str] = "growth"
    latest_of_equals: ClassVar[bool] = False

    children: int = 4
    living: int = 16
    trained_root: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.living < 1:
            raise ValueError(f"Growth: living: expected a number from 1 up, got {self.living}")

    @property
    def population(self) -> int:
        """The children; who lives is kept by each task's contests."""
        return self.children

    @property
    def contestants(self) -> int:
        """The children."""
        return self.children

    @property
    def slots(self) -> int:
        """How many slots a layer needs: for the root, other tasks' paths, this one's, and children."""
        return 1 + (self.tasks - 1) + self.living + self.children

    def run(self, search: Search) -> None:
        """Go through the tasks; see `TaskAlgorithm.run`."""
        genome: Any = search.genome
        if not hasattr(genome, "placed"):
            raise TypeError(
                f"Growth: {type(genome).__name__} has no components to clone (it has no `placed`); use "
                f"genomes.grown_path.GrownPath"
            )
        if genome.slots < self.slots:
            raise ValueError(
                f"Growth: slots: expected at least {self.slots} in each layer (1 for the root, {self.tasks - 1} for "
                f"other tasks, living={self.living}, children={self.children}), got {genome.slots}; give the "
                f"supernet's layers more modules, or lower living"
            )
        super().run(search)

    def contests(self, replicate: Replicate) -> Contests:
        """Evaluate children in each generation, and let those live that are better than their parents."""
        genome: Any = replicate.genome
        kept = [course.kept for course in replicate.earlier if course.kept is not None]
        root = genome.sample(1, replicate.rng("root")).to(replicate.rows)
        no_task = genome.assign(root, replicate.number, -1)  # so that its children get a new read-out in all tasks
        seeds = [Candidate(row) for row in (no_task[0], *kept)]
        anew = not kept and not self.trained_root
        untried, living = list(seeds), list[Candidate]()
        while True:
            rng = replicate.rng("growth")
            parents = []
            for place in range(self.children):
                parent = untried.pop() if untried else chosen(living, seeds, rng)
                parent.offspring += 1
                parents.append(parent)
                row = parent.row[None]
                first = parent.offspring == 1 and parent in seeds
                child = genome.heirs(row, trained=anew) if first else genome.mutate(row, rng)
                replicate.inherit(child[0], [place])
            used = torch.stack([one.row for one in (*seeds, *living)])
            replicate.rows[...] = genome.placed(replicate.rows, used)
            scores = yield range(self.children)
            for row, parent, score in zip(replicate.rows, parents, scores.tolist(), strict=True):
                admit(living, Candidate(row.clone(), score), parent, self.living)


@final
@dataclass(eq=False)
class Candidate:
    """Who may be a parent: its row `[L]`, its score, below all for a path of another task, and its offspring so far."""

    row: torch.Tensor
    score: float = -math.inf
    offspring: int = 0


def chosen(living: list[Candidate], seeds: list[Candidate], rng: np.random.Generator) -> Candidate:
    """Return a parent: see the source above."""
    shuffled: list[int] = rng.permutation(len(seeds)).tolist()
    for one in [*sorted(living, key=lambda one: -one.score), *(seeds[place] for place in shuffled)]:
        if rng.random() < 0.5**one.offspring:
            return one
    everyone = [*living, *seeds]
    return everyone[int(rng.integers(len(everyone)))]


def admit(living: list[Candidate], child: Candidate, parent: Candidate, most: int) -> None:
    """Let a child live, in place, if it is better than its parent; of more than `most` the worst, latest, goes."""
    if child.score > parent.score:  # never where it failed
        living.append(child)
        living.sort(key=lambda one: -one.score)
        del living[most:]
