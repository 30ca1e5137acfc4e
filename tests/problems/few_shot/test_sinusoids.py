import math

import numpy as np
import pytest
import torch

from evo.learning.lifetimes.gradient_steps import GradientSteps
from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids, Sinusoids


def test_points_lie_on_sinusoids_of_the_published_range() -> None:
    tasks = Sinusoids(shots=10, queries=50).sample(300, np.random.default_rng(0))
    x = torch.cat((tasks.support_inputs, tasks.query_inputs), 1)[..., 0].double()
    y = torch.cat((tasks.support_targets, tasks.query_targets), 1)[..., 0].double()
    waves = torch.stack((x.sin(), x.cos()), -1)  # y = A cos(phase) sin x - A sin(phase) cos x
    found = torch.linalg.lstsq(waves, y[..., None]).solution[..., 0]
    torch.testing.assert_close((waves @ found[..., None])[..., 0], y, rtol=1e-4, atol=1e-4)
    amplitude, phase = found.norm(dim=1), torch.atan2(-found[:, 1], found[:, 0])
    assert 0.1 <= amplitude.min() < 0.3
    assert 4.8 < amplitude.max() <= 5.0
    assert -1e-3 <= phase.min() < 0.1
    assert math.pi - 0.1 < phase.max() <= math.pi + 1e-3
    assert 4.9 < x.abs().max() <= 5.0


def test_support_and_query_are_apart_and_more_queries_change_no_support() -> None:
    few, more = (Sinusoids(queries=queries).sample(20, np.random.default_rng(3)) for queries in (10, 100))
    assert torch.equal(few.support_inputs, more.support_inputs)
    assert torch.equal(few.support_targets, more.support_targets)
    for x, query in zip(more.support_inputs, more.query_inputs, strict=True):
        assert not torch.isin(x, query).any()


def test_drawing_zero_scores_the_mean_square() -> None:
    tasks = Sinusoids("test", queries=100).sample(600, np.random.default_rng(0))
    assert float(tasks.query_targets.square().mean()) == pytest.approx(4.2, abs=0.5)


def test_training_tasks_are_no_test_tasks() -> None:
    test = Sinusoids("test").sample(5, np.random.default_rng(0)).support_inputs
    assert not torch.equal(test, Sinusoids().sample(5, np.random.default_rng(0)).support_inputs)
    assert torch.equal(test, Sinusoids("test").sample(5, np.random.default_rng(1)).support_inputs)


def test_a_step_is_worth_something() -> None:
    problem = FewShotSinusoids(lifetime=GradientSteps(horizons=(1, 20)))
    genome = InitialWeights.for_problem(problem)
    outcomes = problem.evaluate(genome.express(genome.sample(6, np.random.default_rng(0))), np.random.default_rng(1))
    after, before = outcomes.measured["after"], outcomes.measured["before"]
    assert (after[:, 0] < before).all()
    torch.testing.assert_close(outcomes.scores[:, 0].float(), after.mean(1))
    assert outcomes.measured["task_evaluations"].tolist() == [25.0] * 6


def test_settings_outside_their_range() -> None:
    with pytest.raises(ValueError, match="Sinusoids: expected 1 shot"):
        Sinusoids(shots=0)
