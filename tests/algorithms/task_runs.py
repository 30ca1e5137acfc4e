"""A search of pathways for hidden ones, task by task, that keeps what was evaluated; for the tests of tournaments."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from evo.lineage import identities
from evo.outcome import Outcomes, outcomes_of
from evo.pathways import Pathways
from evo.problem import Objective, Problem
from evo.search import Search
from genomes.pathway import Pathway

GENOME = Pathway((6, 6, 6), active=2)


def hits(pathways: Pathways) -> torch.Tensor:
    """Return how many modules each has in the upper half of task 0, the lower half of task 1 ..., as a share."""
    wanted = pathways.used()
    upper = torch.arange(wanted.shape[2]) >= wanted.shape[2] // 2
    right = torch.where(pathways.task[:, None, None] % 2 == 0, wanted & upper, wanted & ~upper)
    return right.sum((1, 2)).to(torch.float64) / (wanted.shape[1] * pathways.modules.shape[2])


@dataclass
class Evaluated:
    """A generation: what was evaluated, and how it scored."""

    pathways: Pathways
    uids: list[int]
    parents: list[int]
    scores: list[float]


@dataclass
class TaskRun:
    """A search and what it evaluated, a list entry per generation."""

    search: Search
    generations: list[Evaluated] = field(default_factory=list)

    @property
    def left(self) -> dict[str, Any]:
        described: dict[str, Any] = self.search.left["tasks"]()
        return described

    def of(self, replicate: int) -> list[tuple[list[Any], list[float]]]:
        """Return what a replicate evaluated in each generation: modules with tasks, and scores."""
        found = []
        for one in self.generations:
            mine = (one.pathways.replicate == replicate).nonzero().flatten().tolist()
            modules = [(one.pathways.modules[number].tolist(), int(one.pathways.task[number])) for number in mine]
            found.append((modules, [one.scores[number] for number in mine]))
        return found


def task_search(
    generations: int = 40, seed: int = 3, genome: Pathway = GENOME, score: Any = hits, maximize: bool = True
) -> TaskRun:
    """Return a search that keeps what is evaluated; hand its `search` to an algorithm."""

    def evaluate(evaluated: Any, rows: torch.Tensor) -> Outcomes:
        pathways = evaluated.express(rows)
        outcomes = outcomes_of(score(pathways)[:, None])
        uids, parents = (identities(evaluated.layout, rows, name).tolist() for name in ("uid", "first_parent"))
        kept.generations.append(Evaluated(pathways, uids, parents, outcomes.scores[:, 0].tolist()))
        return outcomes

    kept = TaskRun(Search(genome, (Objective("accuracy", maximize),), True, generations, seed, evaluate))
    return kept


def task_run(algorithm: Any, **options: Any) -> TaskRun:
    """Return a finished run of an algorithm."""
    made = task_search(**options)
    algorithm.run(made.search)
    return made


@dataclass(frozen=True)
class HiddenModules(Problem):
    """The same as a problem."""

    name = "hidden-modules"
    accepts = Pathways
    objectives = (Objective("accuracy"),)
    modules_per_layer = (6, 6, 6)

    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        return outcomes_of(hits(phenotypes)[:, None])
