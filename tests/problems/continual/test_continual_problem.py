"""Learners live on, or live whole lives, and what is said of them is what became of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch

import problems
from evo.continual import STREAMS, ContinualProblem
from evo.learners import Learners
from evo.outcome import Outcome
from evo.problem import Objective
from evo.stream import Segment
from evo.testing import CheckSkipped
from evo.testing.problem_checks import pair_checks, problem_checks
from genomes.learner import Learner
from problems.continual.permuted_images import PermutedImages
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

SMALL = SlowlyChangingRegression(flip_after=40, lifetime=3, bins=4)


def draws(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def linear_learner(segment: Segment, weights: np.ndarray, step_size: float) -> tuple[np.ndarray, np.ndarray]:
    """Losses and weights `[inputs + 1]`, bias last, of a linear learner on the first stream, by the delta rule."""
    losses = []
    weights = weights.astype(np.float64)
    for case in segment.order[0, :, 0].tolist():
        inputs = np.append(segment.inputs[0, case].double().numpy(), 1.0)
        error = inputs @ weights - segment.targets[0, case, 0].item()
        losses.append(error**2)
        weights = weights - step_size * 2 * error * inputs
    return np.array(losses), weights


def test_a_linear_learner_follows_the_delta_rule_from_segment_to_segment(newborn: Any) -> None:
    learners = newborn(SMALL, streams=[8], hidden=(), step_size=0.003)
    weights = learners.weights[0].numpy()
    for number in range(3):
        losses, weights = linear_learner(SMALL.segment(torch.tensor([8]), number), weights, 0.003)
        outcomes = SMALL.evaluate(learners, draws())
        learners = outcomes.learned
        assert outcomes.scores[0, 0].item() == pytest.approx(losses.mean(), rel=1e-4)
        np.testing.assert_allclose(outcomes.measured["loss"][0], losses.reshape(4, 10).mean(1), rtol=1e-4)
        np.testing.assert_allclose(learners.weights[0], weights, rtol=1e-4, atol=1e-6)
        assert learners.segments.tolist() == [number + 1]


def test_a_whole_life_is_the_segments_of_a_drawn_stream_and_leaves_nothing(newborn: Any) -> None:
    problem = replace(SMALL, lifelong=False)
    learners = newborn(problem, streams=[3, 3, 8], replacement_rate=0.01, maturity_threshold=5)
    learners = replace(learners, segments=torch.tensor([4, 4, 4]))
    outcomes = problem.evaluate(learners, draws(1))
    assert outcomes.learned is None
    assert problem.stochastic
    assert not SMALL.stochastic
    assert outcomes.measured["loss"].shape == (3, 3, 4)
    assert outcomes.measured["replaced"].shape == (3, 3, 1)
    assert outcomes.measured["gradient_norm"].shape == (3, 3)

    drawn = STREAMS * (1 + int(draws(1).integers(2**38)))
    now = replace(learners, stream=torch.tensor([3, 3, 8]) + drawn, segments=torch.zeros(3, dtype=torch.int64))
    scores = []
    for number in range(3):
        lived = SMALL.evaluate(now, draws())
        now = lived.learned
        scores.append(lived.scores)
        torch.testing.assert_close(outcomes.measured["loss"][:, number], lived.measured["loss"], rtol=0, atol=0)
    torch.testing.assert_close(outcomes.scores, torch.stack(scores).mean(0))
    assert not torch.equal(problem.evaluate(learners, draws(2)).scores, outcomes.scores)


def test_learners_on_one_stream_are_paired(newborn: Any) -> None:
    for problem in (SMALL, replace(SMALL, lifelong=False)):
        learners = newborn(problem, streams=[3, 8, 3])
        same = replace(learners, weights=learners.weights[:1].expand(3, -1).clone())
        scores = problem.evaluate(same, draws()).scores[:, 0].tolist()
        assert scores[0] == scores[2] != scores[1]


def test_scores_depend_on_neither_place_nor_company(newborn: Any) -> None:
    learners = newborn(SMALL, streams=[3, 8, 3, 11])
    together = SMALL.evaluate(learners, draws())
    backward = SMALL.evaluate(learners[torch.tensor([3, 2, 1, 0])], draws())
    torch.testing.assert_close(backward.scores.flip(0), together.scores, rtol=1e-6, atol=0)
    for number in range(4):
        alone = SMALL.evaluate(learners[number : number + 1], draws())
        torch.testing.assert_close(alone.scores[0], together.scores[number], rtol=1e-6, atol=0)
        torch.testing.assert_close(alone.learned.weights[0], together.learned.weights[number])


def test_learners_that_stayed_behind_live_their_own_segment(newborn: Any) -> None:
    learners = newborn(SMALL, streams=[3, 8, 3, 8])
    ages = torch.tensor([2, 0, 1, 2])
    learners = replace(learners, segments=ages)
    together = SMALL.evaluate(learners, draws())
    assert together.learned.segments.tolist() == [3, 1, 2, 3]
    for number in range(4):
        alone = SMALL.evaluate(learners[number : number + 1], draws())
        torch.testing.assert_close(alone.scores[0], together.scores[number], rtol=1e-6, atol=0)
        for name in ("weights", "key", "stream"):
            torch.testing.assert_close(getattr(alone.learned, name)[0], getattr(together.learned, name)[number])
        for name, values in alone.measured.items():
            torch.testing.assert_close(values[0], together.measured[name][number], msg=name)


def test_groups_join_where_only_some_have_momentum_yet(newborn: Any) -> None:
    learners = newborn(SMALL, streams=[3, 8])
    learners = replace(learners, segments=torch.tensor([1, 0]), first_moment=torch.zeros(2, 0))
    learners.settings["momentum"][0] = 0.5
    after = SMALL.evaluate(learners, draws()).learned
    assert after.first_moment.shape == after.weights.shape
    assert after.first_moment[0].any()
    assert not after.first_moment[1].any()


def test_learners_that_diverge_fail_and_their_neighbours_do_not(newborn: Any) -> None:
    learners = newborn(SMALL, streams=[3, 8])
    learners.settings["step_size"][1] = 1e30
    outcomes = SMALL.evaluate(learners, draws())
    assert outcomes.kinds == (Outcome.OK, Outcome.NAN)
    alone = SMALL.evaluate(learners[:1], draws())
    torch.testing.assert_close(outcomes.scores[:1], alone.scores, rtol=1e-6, atol=0)


def test_diverged_learners_of_classes_fail_too(newborn: Any) -> None:
    problem = PermutedImages(data="digits", examples=30)
    learners = newborn(problem, streams=[3, 3])
    learners.settings["step_size"][0] = 1e30
    assert problem.evaluate(learners, draws()).kinds == (Outcome.NAN, Outcome.OK)


def test_units_are_looked_at_before_the_segment_on_its_inputs(newborn: Any) -> None:
    learners = newborn(SMALL, streams=[3, 8, 11], hidden=(40, 4), step_size=0.1)
    first = learners.architecture.layers[0]
    learners.bias(first)[:] -= 0.5  # some units never fire, others do for some inputs
    before = learners.weights.clone()
    measured = SMALL.evaluate(learners, draws()).measured
    for n, stream in enumerate((3, 8, 11)):
        inputs = SMALL.segment(torch.tensor([stream]), 0).inputs[0]
        dead = (inputs @ learners.kernel(first)[n] + learners.bias(first)[n] <= 0).all(0)
        assert measured["dead"][n, 0].item() == pytest.approx(dead.float().mean().item())
        assert 0 < dead.sum() < 40
    magnitudes = before[:, : first.bias_begin].abs().mean(1)
    torch.testing.assert_close(measured["layer_weight_magnitude"][:, 0], magnitudes, rtol=1e-5, atol=0)


def test_diagnostics_may_be_left_out(newborn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "evo.learning.diagnostics", None)  # importing it raises
    problem = replace(SMALL, diagnostics=False)
    measured = problem.evaluate(newborn(problem), draws()).measured
    assert set(measured) == {"loss", "replaced", "gradient_norm"}
    with pytest.raises(ImportError):
        SMALL.evaluate(newborn(SMALL), draws())


def test_the_probe_is_what_a_stream_will_meet() -> None:
    segment = SMALL.segment(torch.tensor([3, 8]), 1)
    probe = SMALL.probe(segment, torch.tensor([8, 3, 8]))
    torch.testing.assert_close(probe, segment.inputs[[1, 0, 1]])

    images = PermutedImages(data="digits", examples=3000, batch=3)
    segment = images.segment(torch.tensor([3, 8]), 1)
    many = replace(segment, inputs=segment.inputs.repeat(1, 2, 1))  # more than 2,000 cases
    probe = images.probe(many, torch.tensor([8, 8, 3]))
    assert probe.shape == (3, 2000, 64)
    for place, stream in enumerate([1, 1, 0]):
        for case in (0, 1, 2, 3, 1999):
            met = segment.order[stream, case // 3, case % 3]
            expected = segment.inputs[0, met][segment.columns[stream]]
            torch.testing.assert_close(probe[place, case], expected, rtol=0, atol=0)


def test_large_populations_are_looked_at_in_parts(newborn: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    learners = newborn(SMALL, streams=[3, 8, 11])
    whole = SMALL.evaluate(learners, draws()).measured
    monkeypatch.setattr("evo.continual.VALUES", 1)
    parts = SMALL.evaluate(learners, draws()).measured
    assert set(parts) == set(whole)
    for name, values in parts.items():
        torch.testing.assert_close(values, whole[name], msg=name)


def test_learners_of_another_shape_are_refused(newborn: Any) -> None:
    learners = newborn(PermutedImages(data="digits"))
    with pytest.raises(ValueError, match=r"inputs of shape \(20,\) and 1 outputs, got \(64,\) and 10.*for_problem"):
        SMALL.evaluate(learners, draws())


@pytest.mark.parametrize("setting", ["lifetime", "bins"])
def test_settings_are_checked(setting: str) -> None:
    with pytest.raises(ValueError, match=f"SlowlyChangingRegression: {setting}: expected a number from 1 up, got 0"):
        problems.make("slowly-changing-regression-v1", **{setting: 0})


STREAMS_OF_ALL_KINDS = pytest.mark.parametrize(
    "problem",
    [
        SMALL,
        replace(SMALL, lifelong=False),
        PermutedImages(data="digits", examples=30),
        problems.make("binary-images-v1", data="digits", images=10, epochs=2, batch=5),
        problems.make("class-incremental-images-v1", data="digits", images=10, batch=5, lifelong=False, lifetime=2),
    ],
    ids=lambda problem: f"{problem.name}{'' if problem.lifelong else ' whole lives'}",
)


@STREAMS_OF_ALL_KINDS
def test_every_check_of_problems_passes(problem: ContinualProblem, newborn: Any) -> None:
    learners = newborn(problem, streams=[3, 8, 3])
    for check in problem_checks:
        try:
            check.run(problem, learners)
        except CheckSkipped:
            continue


@STREAMS_OF_ALL_KINDS
def test_learner_genomes_fit(problem: ContinualProblem) -> None:
    genome = Learner.for_problem(problem, hidden=(5,), settings={"step_size": 0.003, "replacement_rate": 0.01})
    for check in pair_checks:
        check.run(genome, problem)


@dataclass(frozen=True)
class Coin(ContinualProblem):
    """A stream of a user's own: one input, whose target is its sign or, in every other segment, the opposite."""

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (1,)

    @property
    def output_count(self) -> int:
        return 1

    @property
    def objectives(self) -> tuple[Objective, ...]:
        return (Objective("error", maximize=False),)

    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        inputs = torch.tensor([[[-1.0], [1.0]]])
        order = torch.arange(20).remainder(2).view(1, 20, 1).expand(len(streams), -1, -1)
        table = torch.zeros(len(streams), dtype=torch.int64)
        return Segment(streams, inputs, inputs * (-1) ** number, table, order.contiguous(), "squared")


def test_a_stream_of_ones_own(newborn: Any) -> None:
    learners: Learners = newborn(Coin(), hidden=(), step_size=0.5)
    learners = replace(learners, weights=torch.tensor([[1.0, 0.0], [0.0, 0.0]]))
    outcomes = Coin().evaluate(learners, draws())
    # with a step size of 1/2 and inputs of size 1, bias included: the error of one case moves both weights by it
    assert outcomes.scores[0, 0] == 0.0
    assert outcomes.scores[1, 0] > 0.0
    assert Coin().evaluate(outcomes.learned, draws()).scores[0, 0] > 0.0
