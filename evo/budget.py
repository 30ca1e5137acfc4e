"""Runs that end when a budget is used up, so that methods compare at equal cost: processor time, or task evaluations.

For comparing evolution with gradients, where a generation means different things. Such a run has no journal: whether it
has used its time depends on the machine. A generation is rehearsed before the clock starts, so that nobody pays for
what is loaded or compiled when it is first used.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from evo.algorithm import Algorithm
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.meta import LifetimeProblem
from evo.outcome import Outcomes
from evo.search import Search

Test = Callable[[Genome, torch.Tensor, torch.Tensor], list[float]]


@dataclass(frozen=True)
class Spent:
    """Where a run stood when one of its budgets was used up.

    Attributes:
        seconds: of processor time, all threads together; testing is not counted.
        task_evaluations: lifetimes, of any individual on any task, for evaluation and for gradients.
        generations: evaluated.
        tested: what the test said of the generation.
    """

    seconds: float
    task_evaluations: int
    generations: int
    tested: list[float]


def run_within(
    problem: LifetimeProblem,
    genome: Genome,
    algorithm: Algorithm,
    test: Test,
    *,
    seconds: float,
    task_evaluations: int,
    longest: float,
    seed: int,
) -> dict[str, Spent]:
    """Return where a run stood when it had used so many seconds, and so many task evaluations.

    It ends when both are used up, or the longest time is; a budget that was not used up by then is left out. An
    exception of the problem, or of the genome, is raised where it makes a whole generation fail.

    Args:
        problem: what is evolved on.
        genome, algorithm: what evolves, and how.
        test: called with a generation's genome, rows `[n, L]` and fitness `[n]`, more is better.
        seconds, task_evaluations: the budgets.
        longest: seconds after which the run ends in any case.
        seed: the root of all draws.
    """
    found: dict[str, Spent] = {}
    evaluated, away, begin = 0, 0.0, 0.0

    def evaluate(fitted: Genome, rows: torch.Tensor) -> Outcomes:
        nonlocal evaluated, away
        outcomes = some_ok(evaluator.evaluate(fitted, rows, search.rng("evaluation")))
        evaluated += len(rows) * problem.count
        used = time.process_time() - begin - away
        own = search.left["meta_gradient"]()["task_evaluations"] if "meta_gradient" in search.left else 0
        for name, over in (("seconds", used >= seconds), ("task_evaluations", evaluated + own >= task_evaluations)):
            if over and name not in found:
                start = time.process_time()
                tested = test(fitted, rows, search.fitness(outcomes)[:, 0])
                found[name] = Spent(used, evaluated + own, search.generation + 1, tested)
                away += time.process_time() - start
        if len(found) == 2 or used >= longest:
            search.generations = search.generation + 1
        return outcomes

    with Evaluator(problem) as evaluator:
        rehearsal = Search(
            genome,
            problem.objectives,
            problem.stochastic,
            1,
            seed,
            lambda fitted, rows: some_ok(evaluator.evaluate(fitted, rows, rehearsal.rng("evaluation"))),
        )
        algorithm.run(rehearsal)
        search = Search(genome, problem.objectives, problem.stochastic, 10**9, seed, evaluate)
        begin = time.process_time()
        algorithm.run(search)
    return found


def some_ok(outcomes: Outcomes) -> Outcomes:
    """Return the outcomes, for searches outside of campaigns.

    Raises:
        RuntimeError: every evaluation failed.
    """
    if not outcomes.ok.any():
        raise RuntimeError(f"every evaluation failed: {outcomes.explain()}")
    return outcomes
