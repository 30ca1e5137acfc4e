"""Pairs of noisy digits, and digits with their pixels shuffled, of scikit-learn's small ones."""

import itertools

import numpy as np
import pytest
import torch

import problems
from evo import seeds
from evo.pathways import Pathways
from problems import data as data_sets
from problems.transfer.binary_digits import BinaryDigits, salt_and_pepper
from problems.transfer.permuted_digits import PermutedDigits

SMALL = BinaryDigits(digits="digits", replicates=3)


def test_half_of_the_pixels_become_salt_and_pepper_in_equal_parts():
    pixels = np.full((200, 500), 0.5, np.float32)
    salt_and_pepper(pixels, 0.5, np.random.default_rng(0))
    shares = [float((pixels == value).mean()) for value in (0.0, 0.5, 1.0)]
    assert np.allclose(shares, [0.25, 0.5, 0.25], atol=0.01)


def test_noise_is_drawn_once_and_leaves_the_rest():
    split = data_sets.digits()
    held = BinaryDigits(digits="digits", pairs=((3, 8), (0, 1)))
    task, again = held.data(0, 1), held.data(0, 2)
    inputs, targets = task.cases(torch.arange(len(task)))
    assert torch.equal(inputs, again.cases(torch.arange(len(task)))[0])
    mine = np.isin(split.y_train, (3, 8))
    clean = split.x_train[mine].reshape(-1, 64) / 16
    assert targets.tolist() == (split.y_train[mine] == 8).tolist()
    changed = inputs.numpy() != clean.astype(np.float32)
    assert set(inputs.numpy()[changed]) <= {0.0, 1.0}
    assert 0.2 < changed.mean() < 0.5  # half are replaced, some by what they were
    other = BinaryDigits(digits="digits", pairs=((3, 8),), noise_seed=1).data(0, 1)
    assert not torch.equal(inputs, other.cases(torch.arange(len(task)))[0])
    test_inputs, test_targets = task.test_cases()
    assert len(test_inputs) == len(test_targets) == np.isin(split.y_test, (3, 8)).sum()


@pytest.mark.parametrize(("shared", "tasks"), [(False, 5), (True, 9)])
def test_pairs_are_drawn_by_replicate_disjoint_or_with_one_digit_in_common(shared, tasks):
    held = BinaryDigits(digits="digits", shared=shared, tasks=tasks)
    seen = set()
    for seed in range(20):
        pairs = [held.pair(number, seed) for number in range(tasks)]
        assert all(one < other for one, other in pairs)
        for before, after in itertools.pairwise(pairs):
            assert len(set(before) & set(after)) == int(shared)
        assert len({digit for pair in pairs for digit in pair}) == 10
        seen.add(tuple(pairs))
    assert len(seen) == 20


def test_a_path_learns_a_pair():
    state = SMALL.begin(seeds.rng(0, "begin"))
    modules = torch.tensor([[[0, 1, 2]] * 3] * 3)
    rows = Pathways(modules, SMALL.modules_per_layer, torch.arange(3), torch.zeros(3, dtype=torch.int64))
    for _ in range(15):
        outcomes, state = SMALL.evaluate_from(rows, None, state)
    assert float(outcomes.scores.min()) > 0.9
    assert min(SMALL.accuracy(state, replicate, 0) for replicate in range(3)) > 0.75


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"digits": "letters"}, "digits: expected one of mnist, digits, got 'letters'"),
        ({"noise": 1.5}, "noise: expected a share from 0 to 1"),
        ({"pairs": ((3, 3),)}, "pairs: expected two different digits"),
        ({"tasks": 6}, "tasks: ten digits make at most 5 pairs"),
        ({"tasks": 10, "shared": True}, "tasks: ten digits make at most 9 pairs"),
    ],
)
def test_settings_are_checked(settings, message):
    with pytest.raises(ValueError, match=message):
        BinaryDigits(**settings)


def test_pixels_are_shuffled_for_each_task_and_replicate():
    split = data_sets.digits()
    held = PermutedDigits(digits="digits", images=100)
    first, second, others = held.data(0, 1), held.data(1, 1), held.data(1, 2)
    everything = torch.arange(100)
    assert len(first) == len(second) == 100
    plain, targets = first.cases(everything)
    assert np.array_equal(plain.numpy(), (split.x_train[:100].reshape(100, -1) / 16).astype(np.float32))
    assert targets.tolist() == split.y_train[:100].tolist()
    shuffled = second.cases(everything)[0]
    assert not torch.equal(plain, shuffled)
    assert torch.equal(plain.sort(1).values, shuffled.sort(1).values)
    assert torch.equal(shuffled, plain[:, second.columns])
    assert torch.equal(second.test_cases()[0], first.test_cases()[0][:, second.columns])
    assert not torch.equal(second.columns, others.columns)
    common = PermutedDigits(digits="digits", common=7, plain_first=False)
    assert torch.equal(common.data(0, 1).columns, common.data(0, 2).columns)
    assert not torch.equal(common.data(0, 1).columns, common.data(1, 1).columns)


def test_they_are_in_the_catalogue():
    assert problems.make("binary-digits-v1", digits="digits", tasks=3).tasks == 3
    assert problems.make("permuted-digits-v1", digits="digits").classes(0) == 10
    assert problems.make("image-tasks-v1").modules_per_layer == (20, 20, 20)
    with pytest.raises(ValueError, match="classification-tasks-v1 needs sets"):
        problems.make("classification-tasks-v1")
    assert SMALL.provenance()["name"] == "digits"
