"""Contestants of a replicate share weights as each policy says; expected ones are made by plain steps in a row."""

import copy
from dataclasses import replace

import torch
from learning.supernet.some_supernet import NET, SHAPE, begun, cases, paths_of

from evo.learning.supernet.contest import CONTESTS, Lesson, Window
from evo.learning.supernet.dense import DenseEngine
from evo.learning.supernet.weights import gathered, scatter, stacks

COUNTS = NET.modules_per_layer
FIRST = [[[0, 3, 1], [2, 1, 0], [3, 1, 2]], [[4, 1, 0], [1, 0, 2], [0, 2, 1]]]
SECOND = [[[0, 2, 1], [2, 1, 1], [3, 1, 0]], [[4, 1, 3], [1, 0, 0], [0, 2, 3]]]
EVERYONE = torch.ones(2, dtype=torch.bool)
STEP = 0.1
LESSON = Lesson(DenseEngine(3, "sum"), stacks(NET, SHAPE), STEP)


def held(policy, *, turns=None, window=None):
    weights = begun(NET, 2)
    turns = turns or [paths_of(FIRST, COUNTS), paths_of(SECOND, COUNTS)]
    window = window or Window(torch.arange(2), *cases(2, batches=8, batch=5))
    seen = CONTESTS[policy](LESSON, weights, turns, window)
    return weights, seen


def taught(weights, paths, window):
    """Return weights after one contestant of each replicate has been trained from those given."""
    after = copy.deepcopy(weights)
    active = gathered(weights, LESSON.layout, paths)
    logits = LESSON.engine.descend(active, paths, window.inputs, window.targets, STEP)
    scatter(after, LESSON.layout, paths, active, EVERYONE)
    hits = (logits.argmax(3) == window.targets).flatten(1)
    return after, hits.sum(1).to(torch.float64) / hits.shape[1]


def same(one, other):
    return all(torch.equal(values, other[name]) for name, values in one.items())


def test_sequential_contestants_begin_where_the_one_before_ended():
    window = Window(torch.arange(2), *cases(2, batches=8, batch=5))
    after, first = taught(begun(NET, 2), paths_of(FIRST, COUNTS), window)
    after, second = taught(after, paths_of(SECOND, COUNTS), window)
    weights, seen = held("sequential")
    assert same(weights, after)
    assert torch.equal(seen[0].accuracy, first)
    assert torch.equal(seen[1].accuracy, second)


def test_snapshot_contestants_begin_alike_and_the_fittest_stays():
    window = Window(torch.arange(2), *cases(2, batches=8, batch=5))
    outcomes = [taught(begun(NET, 2), paths_of(modules, COUNTS), window) for modules in (FIRST, SECOND)]
    weights, seen = held("snapshot")
    for one, (_, accuracy) in zip(seen, outcomes, strict=True):
        assert torch.equal(one.accuracy, accuracy)
    for replicate in (0, 1):
        scores = [float(accuracy[replicate]) for _, accuracy in outcomes]
        winner = 0 if scores[0] > scores[1] else 1  # of equals the last
        for name, values in weights.items():
            assert torch.equal(values[replicate], outcomes[winner][0][name][replicate])
    assert len({float(accuracy[0] > 0) for _, accuracy in outcomes}) == 1
    assert any(outcomes[0][1] != outcomes[1][1])


def test_of_equally_fit_snapshot_contestants_the_last_stays():
    weights, layout = begun(NET, 1), LESSON.layout
    twins = {0: 4, 1: 2, 2: 3}  # in each layer, a module that begins as the first one's copy
    for layer, twin in twins.items():
        for part in ("weight", "bias"):
            weights[f"modules.{layer}.0.{part}"][:, twin] = weights[f"modules.{layer}.0.{part}"][:, 0]
    before = copy.deepcopy(weights)
    turns = [paths_of([rows], COUNTS) for rows in ([[0]] * 3, [[twin] for twin in twins.values()])]
    one, other = CONTESTS["snapshot"](LESSON, weights, turns, Window(torch.arange(1), *cases(1)))
    assert torch.equal(one.accuracy, other.accuracy)
    for stack in layout:
        changed = (weights[stack.name] != before[stack.name])[0].flatten(1).any(1)
        assert changed.nonzero().flatten().tolist() == [twins[stack.layer]]


def test_together_takes_each_step_by_the_sum_of_all_gradients():
    window = Window(torch.arange(2), *cases(2, batches=8, batch=5))
    weights, seen = held("together")
    expected = begun(NET, 2)
    for step in range(8):
        one = Window(window.replicates, window.inputs[:, step : step + 1], window.targets[:, step : step + 1])
        changed = [taught(expected, paths_of(modules, COUNTS), one)[0] for modules in (FIRST, SECOND)]
        expected = {name: sum(each[name] - values for each in changed) + values for name, values in expected.items()}
    for name, values in weights.items():
        torch.testing.assert_close(values, expected[name], atol=1e-5, rtol=0)
    assert not same(weights, held("sequential")[0])
    assert len(seen) == 2


def test_what_stops_being_finite_fails_and_leaves_weights_as_they_were():
    inputs, targets = cases(2, batches=8, batch=5)
    inputs[1] *= 1e30  # the second replicate's
    for policy in CONTESTS:
        weights, seen = held(policy, window=Window(torch.arange(2), inputs, targets))
        before = begun(NET, 2)
        for one in seen:
            assert one.finite.tolist() == [True, False]
        for name, values in weights.items():
            assert torch.equal(values[1], before[name][1]), (policy, name)
        assert not torch.equal(weights["head.weight"][0], before["head.weight"][0])


def test_weights_that_the_last_update_makes_infinite_fail_though_no_output_was():
    inputs, targets = cases(2, batches=1, batch=5)
    inputs[1] *= 1e35  # finite outputs, and slopes that a step of 1e6 is too large for
    before = begun(NET, 2)
    window, lesson = Window(torch.arange(2), inputs, targets), replace(LESSON, step_size=1e6)
    for policy in CONTESTS:
        weights = copy.deepcopy(before)
        seen = CONTESTS[policy](lesson, weights, [paths_of(FIRST, COUNTS)], window)
        assert seen[0].loss.isfinite().all()
        assert seen[0].finite.tolist() == [True, False]
        for name, values in weights.items():
            assert torch.equal(values[1], before[name][1]), (policy, name)


def test_a_replicate_with_fewer_contestants_meets_its_own_cases():
    window = Window(torch.arange(2), *cases(2, batches=8, batch=5))
    second = paths_of(SECOND, COUNTS)
    only = replace(
        second,
        replicate=second.replicate[1:],
        modules=second.modules[1:],
        present=second.present[1:],
        trained=second.trained[1:],
    )
    for policy in CONTESTS:
        both, _ = held(policy)
        some, _ = held(policy, turns=[paths_of(FIRST, COUNTS), only], window=window)
        for name, values in some.items():
            assert torch.equal(values[1], both[name][1])
        assert not torch.equal(some["head.weight"][0], both["head.weight"][0]) or policy == "snapshot"
