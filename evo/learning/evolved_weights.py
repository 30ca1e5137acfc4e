"""Tune the weights of one genome with any algorithm, beside a search: no journal, no folder, just the best row.

What a search distribution leaves is not its best sample, which was lucky, nor always its last centre. So the best
sample and the mean of all samples of every generation are kept, and at the end judged together, on draws of their own.
Where draws differ, the best of them are judged again, several times: weights that fail from one start in a hundred, as
controllers do, look like the best in a single judgement.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import torch

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.distribution import weight_columns, worst_for_failed
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.outcome import Outcomes
from evo.problem import Problem
from evo.search import Search

FINALISTS, ROUNDS = 16, 8
"""Of a stochastic problem: how many candidates are judged again, and how often."""


@dataclass(frozen=True)
class Evolved:
    """What a tuning came to.

    Attributes:
        row: the genome chosen, `[1, L]`.
        score: its first objective in the judgement, which chose it and so flatters it: measure it again.
        curve: the best score of each generation, in the problem's own direction; shorter than asked for where CMA-ES
            converged until its covariance could not be decomposed any more.
    """

    row: torch.Tensor
    score: float
    curve: tuple[float, ...]


def evolve_weights(
    genome: Genome,
    problem: Problem,
    algorithm: Algorithm,
    generations: int,
    judge: Problem,
    *,
    seed: int,
    threads: int = 1,
) -> Evolved:
    """Run an algorithm on a genome's weights, and return the candidate that did best in a judgement at the end.

    Args:
        genome: names the field of its `weights`; they start where its first sample is.
        problem: what candidates are scored on while they are tuned.
        algorithm: any, as a rule one of `evo.algorithms.distribution`.
        generations: how many.
        judge: what chooses among the candidates, on draws of its own: the problem, as a rule with more episodes.
        seed: the root of all draws.
        threads: how many share a population.

    Raises:
        TypeError: the genome has no weights.
        ValueError: there are no generations, or every evaluation of the judgement failed.
    """
    with Evaluator(problem, threads) as evaluator, Evaluator(judge, threads) as judging:
        watch = _Watch(evaluator, seed, algorithm.name)
        watch.search = Search(genome, problem.objectives, problem.stochastic, generations, seed, watch.evaluate)
        # of CMA-ES whose covariance has collapsed: it has converged
        with suppress(torch.linalg.LinAlgError):  # type: ignore[attr-defined]
            algorithm.run(watch.search)
        if not watch.candidates:
            raise ValueError(f"generations: expected 1 or more, got {generations}")
        candidates = torch.cat(watch.candidates)
        scores = _judged(judging, genome, candidates, seed, f"judge {algorithm.name}", 0)
        if judge.stochastic:
            candidates = candidates[scores.argsort(descending=True, stable=True)[:FINALISTS]]
            rounds = range(1, ROUNDS + 1)
            again = [_judged(judging, genome, candidates, seed, f"judge {algorithm.name}", turn) for turn in rounds]
            scores = torch.stack(again).mean(0)
    best = int(scores.argmax())
    sign = 1.0 if judge.objectives[0].maximize else -1.0
    return Evolved(candidates[best : best + 1], sign * float(scores[best]), tuple(watch.curve))


def _judged(judging: Evaluator, genome: Genome, rows: torch.Tensor, seed: int, purpose: str, turn: int) -> torch.Tensor:
    """Return how good rows `[n, L]` are, `[n]`, more is better; ValueError where all of them failed."""
    outcomes = judging.evaluate(genome, rows, seeds.rng(seed, purpose, turn))
    if not outcomes.ok.any():
        raise ValueError(f"every candidate failed, so there is none to choose: {outcomes.explain()}")
    sign = 1.0 if judging.problem.objectives[0].maximize else -1.0
    return worst_for_failed(sign * outcomes.scores[:, 0])


@dataclass
class _Watch:
    """Scores generations, and keeps of each the best row and the mean of all."""

    evaluator: Evaluator
    seed: int
    purpose: str
    search: Search = field(init=False)
    candidates: list[torch.Tensor] = field(default_factory=list)
    curve: list[float] = field(default_factory=list)

    def evaluate(self, genome: Genome, rows: torch.Tensor) -> Outcomes:
        rng = seeds.rng(self.seed, f"tune {self.purpose}", self.search.generation)
        outcomes = self.evaluator.evaluate(genome, rows, rng)
        best = int(worst_for_failed(self.search.fitness(outcomes)[:, 0]).argmax())
        mean = rows[best : best + 1].clone()
        columns = weight_columns(self.search)
        mean[:, columns] = rows[:, columns].mean(0)
        self.candidates += [rows[best : best + 1].clone(), mean]  # a view would keep the whole generation
        self.curve.append(float(outcomes.scores[best, 0]))
        return outcomes
