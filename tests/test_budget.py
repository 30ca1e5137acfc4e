"""Runs within a budget: what is loaded first is nobody's cost, and what fails is raised."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo.algorithm import Algorithm
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.budget import run_within
from evo.genome import Genome
from evo.outcome import Outcomes
from evo.search import Search
from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids

PROBLEM = FewShotSinusoids(count=2)
GENOME = InitialWeights.for_problem(PROBLEM, hidden=(4,))
LONG = {"seconds": 2.0, "longest": 2.0}


def sizes(genome: Genome, rows: torch.Tensor, fitness: torch.Tensor) -> list[float]:
    return [float(len(rows)), float(fitness.max())]


def test_a_run_ends_where_its_task_evaluations_are_used_up() -> None:
    spent = run_within(PROBLEM, GENOME, MuPlusLambda(5), sizes, seconds=0.0, task_evaluations=31, longest=1e9, seed=0)
    found = spent["task_evaluations"]
    assert (found.task_evaluations, found.generations) == (50, 3)  # 5, then 5 parents and 5 children, on 2 tasks
    assert found.tested[0] == 10
    assert spent["seconds"].generations == 1


@dataclass(frozen=True)
class SlowToLoad(Algorithm):
    """Takes a second when it first runs, as who imports a large library does."""

    name: ClassVar[str] = "slow-to-load"
    loaded: list[int] = field(default_factory=list)

    def run(self, search: Search) -> None:
        if not self.loaded:
            self.loaded.append(1)
            until = time.process_time() + 1.0
            while time.process_time() < until:
                pass
        MuPlusLambda(3).run(search)


def test_what_is_loaded_when_first_used_is_not_counted() -> None:
    spent = run_within(PROBLEM, GENOME, SlowToLoad(), sizes, seconds=0.0, task_evaluations=1, longest=1e9, seed=0)
    assert spent["seconds"].seconds < 0.5


class Broken(FewShotSinusoids):
    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        raise ZeroDivisionError("no such task")


def test_a_problem_that_always_fails_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"every evaluation failed(.|\n)*ZeroDivisionError: no such task"):
        run_within(Broken(count=2), GENOME, MuPlusLambda(3), sizes, task_evaluations=10, seed=0, **LONG)
