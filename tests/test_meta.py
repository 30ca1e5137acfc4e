from typing import Any

import numpy as np
import pytest
import torch

from evo.evaluation.evaluator import Evaluator
from evo.learning.lifetimes.gradient_steps import GradientSteps
from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids, Sinusoids


def evaluated(problem: FewShotSinusoids) -> tuple[InitialWeights, torch.Tensor, Any]:
    genome = InitialWeights.for_problem(problem, hidden=(5,), step_sizes="tensor")
    rows = genome.sample(4, np.random.default_rng(0))
    with Evaluator(problem) as evaluator:
        return genome, rows, evaluator.evaluate(genome, rows, np.random.default_rng(7))


def test_baldwinian_genomes_stay_as_they_were() -> None:
    _, rows, outcomes = evaluated(FewShotSinusoids(count=3))
    assert torch.equal(outcomes.inherited(rows), rows)


def test_lamarckian_genomes_go_their_share_of_the_way_to_what_was_learned() -> None:
    problem = FewShotSinusoids(
        lifetime=GradientSteps(horizons=(1, 2)), count=3, inheritance="lamarckian", lamarckian_rate=0.25
    )
    genome, rows, outcomes = evaluated(problem)
    rng = np.random.default_rng(7)
    tasks = problem.tasks.sample(3, rng)
    born, end = genome.express(rows), genome.network.parameters
    mean = torch.stack(
        [problem.lifetime.live(born, tasks[number : number + 1], seed=0).learned for number in range(3)]  # type: ignore[misc]
    ).mean(0)
    inherited = outcomes.inherited(rows)
    assert float((mean - born.parameters).abs().max()) > 1e-3
    torch.testing.assert_close(inherited[:, :end], born.parameters + 0.25 * (mean - born.parameters))
    assert torch.equal(inherited[:, end:], rows[:, end:])  # genes and lineage


def test_inheritance_changes_no_score() -> None:
    scores = [evaluated(FewShotSinusoids(count=3, inheritance=how))[2].scores for how in ("baldwinian", "lamarckian")]
    assert torch.equal(*scores)


def test_all_individuals_meet_the_same_tasks() -> None:
    problem = FewShotSinusoids(count=4)
    genome = InitialWeights.for_problem(problem, hidden=(5,))
    rows = genome.sample(1, np.random.default_rng(0)).repeat(3, 1)
    scores = problem.evaluate(genome.express(rows), np.random.default_rng(1)).scores
    assert torch.equal(scores, scores[:1].expand(3, 1))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"count": 0}, "count"), ({"lamarckian_rate": 1.5}, "lamarckian_rate"), ({"inheritance": "both"}, "inheritance")],
)
def test_settings_outside_their_range(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        FewShotSinusoids(**wrong)


def test_tasks_and_lifetime_are_told_from_others() -> None:
    with pytest.raises(TypeError, match="TaskDistribution"):
        FewShotSinusoids(tasks=GradientSteps(), lifetime=Sinusoids())  # type: ignore[arg-type]
