"""The facts are those of McCloskey & Cohen, coded so that near digits are alike, and right answers are told."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from evo import seeds
from evo.learners import Learners
from genomes.learner import Learner
from problems.continual.add_one import AdditionFacts, coded, facts, inputs_of, known_facts, right, targets_of

Newborn = Callable[..., Learners]


def test_there_are_17_ones_and_17_twos_of_which_two_are_the_same() -> None:
    ones, twos = facts(1), facts(2)
    assert len(set(ones)) == len(set(twos)) == len(ones) == len(twos) == 17
    assert all(1 in pair and min(pair) >= 1 and max(pair) <= 9 for pair in ones)
    assert all(2 in pair and min(pair) >= 1 and max(pair) <= 9 for pair in twos)
    assert set(ones) & set(twos) == {(1, 2), (2, 1)}


def test_digits_are_three_neighbours_of_twelve() -> None:
    codes = np.stack([coded(digit) for digit in range(10)])
    assert codes.shape == (10, 12)
    assert (codes.sum(1) == 3).all()
    overlap = codes @ codes.T
    for near in range(10):
        for far in range(10):
            assert overlap[near, far] == max(0, 3 - abs(near - far))


def test_pairs_and_sums_are_coded_side_by_side() -> None:
    inputs, targets = inputs_of([(3, 1), (9, 2)]), targets_of([(3, 1), (9, 2)])
    assert inputs.shape == (2, 28)
    assert targets.shape == (2, 24)
    assert inputs[0].nonzero().flatten().tolist() == [3, 4, 5, 12, 17, 18, 19]
    assert targets[0].nonzero().flatten().tolist() == [0, 1, 2, 16, 17, 18]  # 04
    assert targets[1].nonzero().flatten().tolist() == [1, 2, 3, 13, 14, 15]  # 11


def test_an_answer_is_right_where_both_digits_are_nearest() -> None:
    targets = targets_of([(3, 1), (9, 2), (9, 1)])
    noise = 0.3 * torch.from_numpy(np.random.default_rng(0).normal(size=targets.shape)).float()
    assert right(targets + noise, targets).tolist() == [True] * 3
    assert right(torch.stack((targets + noise, targets.roll(1, 0))), targets).tolist() == [[True] * 3, [False] * 3]
    wrong = targets.clone()
    wrong[:, 12:] = torch.from_numpy(coded(7))
    assert right(wrong, targets).tolist() == [False] * 3


def test_segments_take_turns_and_show_each_fact_once_an_epoch() -> None:
    problem = AdditionFacts(epochs=3, batch=1)
    segments = [problem.segment(torch.tensor([2, 9]), number) for number in range(4)]
    assert [segment.steps for segment in segments] == [51] * 4
    for number, segment in enumerate(segments):
        assert torch.equal(segment.inputs[0], inputs_of(facts(1 + number % 2)))
        assert torch.equal(segment.targets[0], targets_of(facts(1 + number % 2)))
        assert all(sorted(epoch.tolist()) == list(range(17)) for epoch in segment.order.reshape(6, 17))
    assert not torch.equal(segments[0].order, segments[2].order)


def test_plain_descent_forgets_the_ones_and_consolidation_keeps_most_of_both() -> None:
    problem = AdditionFacts(diagnostics=False)
    chosen = [{"step_size": 0.3}, {"step_size": 0.3, "consolidation": 4.0}]
    genome, rows = Learner.for_problem(problem, hidden=(50,)).cohort(chosen, [1, 2, 3], seeds.rng(0, "cohort"))
    first = problem.live(genome.express(rows), 0)
    assert torch.equal(first.measured["test_accuracies"][:, 0], torch.ones(6, dtype=torch.float64))
    assert bool(first.measured["test_accuracies"][:, 1].isnan().all())
    second = problem.live(first.learners, 1)
    plain, held = second.measured["test_accuracies"].view(2, 3, 2).mean(1)
    assert plain[0] < 0.35
    assert plain[1] > 0.9
    assert held[0] > plain[0] + 0.3
    assert held.mean() > plain.mean() + 0.15
    torch.testing.assert_close(second.scores, second.measured["test_accuracies"].mean(1))


def test_learners_know_what_their_outputs_say(newborn: Newborn) -> None:
    problem = AdditionFacts()
    learners = newborn(problem, hidden=())
    layer = learners.architecture.layers[0]
    inputs = torch.cat((inputs_of(facts(1)), torch.ones(17, 1)), 1)
    solution = torch.linalg.lstsq(inputs, targets_of(facts(1))).solution
    learners.weights[0] = torch.cat((solution[:-1].flatten(), solution[-1]))
    expected = right(inputs @ solution, targets_of(facts(1))).double().mean()
    found = known_facts(learners, 1)
    assert layer.fan_in == 28
    assert float(found[0, 0]) == pytest.approx(float(expected))
    assert float(found[1, 0]) < 0.3
    assert bool(found[:, 1].isnan().all())
