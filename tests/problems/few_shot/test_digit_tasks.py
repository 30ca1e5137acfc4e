"""Few-shot tasks of digits: pictures and pairs apart for each split, one order of pixels per task, what steps do."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

import problems
from evo.learning.lifetimes.comparison import Comparison
from evo.tasks import FewShot
from genomes.initial_weights import InitialWeights
from problems.few_shot.digit_pairs import DigitPairs, FewShotDigitPairs, pairs
from problems.few_shot.digit_tasks import DigitTasks
from problems.few_shot.permuted_digits import FewShotPermutedDigits, PermutedPixels
from problems.few_shot.sinusoids import Sinusoids

SPLITS = ("train", "validation", "test")
both = pytest.mark.parametrize("made", [PermutedPixels, DigitPairs])


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def parts_of_the_data() -> dict[str, set[tuple[float, ...]]]:
    """Return the pictures of each split, as the texts say, from scikit-learn itself."""
    loaded, found = load_digits(), {split: set[tuple[float, ...]]() for split in SPLITS}
    for digit in range(10):
        mine = [tuple((picture / 16).tolist()) for picture in loaded.data[loaded.target == digit]]
        training = [picture for number, picture in enumerate(mine) if number % 5 != 4]
        found["test"] |= {picture for number, picture in enumerate(mine) if number % 5 == 4}
        found["validation"] |= {picture for number, picture in enumerate(training) if number % 5 == 4}
        found["train"] |= {picture for number, picture in enumerate(training) if number % 5 != 4}
    return found


def rows(inputs: torch.Tensor) -> list[tuple[float, ...]]:
    return [tuple(row) for row in inputs.double().tolist()]


DIGIT_OF = {tuple((x / 16).tolist()): int(y) for x, y in zip(*load_digits(return_X_y=True), strict=True)}
PARTS = parts_of_the_data()


@both
def test_shapes_and_classes_in_turn(made: type[DigitTasks]) -> None:
    ways = made.ways
    tasks = made(shots=2, queries=3).sample(4, rng())
    assert isinstance(tasks, FewShot)
    assert (tasks.support_inputs.shape, tasks.query_inputs.shape) == ((4, 2 * ways, 64), (4, 3 * ways, 64))
    assert tasks.support_targets.tolist() == [[*range(ways)] * 2] * 4
    assert tasks.query_targets.tolist() == [[*range(ways)] * 3] * 4
    assert (tasks.loss, tasks.classes) == ("cross_entropy", ways)
    assert (tasks.support_inputs.dtype, tasks.support_targets.dtype) == (torch.float32, torch.int64)


def undone(tasks: FewShot, one: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the pictures of a task of permuted digits, with every pixel back in its place, by a search of our own.

    Columns of the task's pictures are those of the data's: brightnesses are compared as sorted rows, which no order
    changes, to find each picture; then columns are matched.
    """
    known = torch.tensor([*DIGIT_OF], dtype=torch.float32)
    names = {tuple(row): number for number, row in enumerate(known.sort(1).values.tolist())}
    shown = torch.cat((tasks.support_inputs[one], tasks.query_inputs[one]))
    originals = known[[names[tuple(row)] for row in shown.sort(1).values.tolist()]]
    return shown, originals


def test_pixels_have_one_order_per_task_and_back_in_it_they_are_pictures_of_their_digits() -> None:
    tasks = PermutedPixels(shots=5, queries=10).sample(3, rng())
    orders = []
    for one in range(3):
        shown, originals = undone(tasks, one)
        targets = torch.cat((tasks.support_targets[one], tasks.query_targets[one]))
        assert [DIGIT_OF[row] for row in rows(originals)] == targets.tolist()
        assert not torch.equal(shown, originals)
        columns = [tuple(column) for column in originals.T.tolist()]
        assert sorted(columns) == sorted(tuple(column) for column in shown.T.tolist())
        orders.append([columns.index(tuple(column)) for column in shown.T.tolist()])
        assert torch.equal(shown, originals[:, orders[-1]])
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.parametrize("split", SPLITS)
def test_pictures_are_those_of_the_split_and_come_once_in_a_task(split: str) -> None:
    tasks = DigitPairs(split, shots=3, queries=4).sample(40, rng())
    for one in range(40):
        support, query = rows(tasks.support_inputs[one]), rows(tasks.query_inputs[one])
        assert {*support, *query} <= PARTS[split]
        assert len({*support, *query}) == 2 * 7
    permuted = PermutedPixels(split, shots=3, queries=4).sample(2, rng())
    for one in range(2):
        originals = rows(undone(permuted, one)[1])
        assert {*originals} <= PARTS[split]
        assert len({*originals}) == 10 * 7


def test_no_two_splits_share_a_pair_and_each_has_every_digit_equally_often() -> None:
    found = [pair for split in SPLITS for pair in pairs(split)]
    assert sorted(found) == [*combinations(range(10), 2)]
    assert [len(pairs(split)) for split in SPLITS] == [30, 5, 10]
    for split in SPLITS:
        counts = np.bincount(np.array(pairs(split)).ravel())
        assert counts.tolist() == [len(pairs(split)) // 5] * 10
    assert pairs("validation") == [(0, 5), (1, 6), (2, 7), (3, 8), (4, 9)]
    assert (0, 3) in pairs("test")
    assert (0, 7) in pairs("test")


@pytest.mark.parametrize("split", SPLITS)
def test_tasks_are_of_the_split_s_pairs_in_either_order(split: str) -> None:
    tasks = DigitPairs(split, shots=1, queries=1).sample(200, rng())
    drawn = [[DIGIT_OF[row] for row in rows(task)] for task in tasks.support_inputs]
    assert [[DIGIT_OF[row] for row in rows(task)] for task in tasks.query_inputs] == drawn
    assert {(min(pair), max(pair)) for pair in drawn} == {*pairs(split)}
    assert 0.3 < np.mean([one < other for one, other in drawn]) < 0.7


@both
def test_test_tasks_are_frozen_and_others_are_drawn(made: type[DigitTasks]) -> None:
    small: dict[str, Any] = {"shots": 1, "queries": 1}
    frozen = [made("test", **small).sample(count, rng(count)) for count in (3, 120)]
    assert torch.equal(frozen[0].support_inputs, frozen[1].support_inputs[:3])
    assert torch.equal(frozen[0].query_inputs, frozen[1].query_inputs[:3])
    drawn = [made("validation", **small).sample(3, rng(seed)).query_inputs for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


@both
def test_more_queries_change_no_support(made: type[DigitTasks]) -> None:
    few, more = (made(queries=queries).sample(3, rng()) for queries in (2, 20))
    assert torch.equal(few.support_inputs, more.support_inputs)
    assert torch.equal(few.query_inputs, more.query_inputs[:, : few.query_inputs.shape[1]])


def test_salt_and_pepper_replaces_its_share_the_same_in_every_task() -> None:
    clean, noisy, again, other = (
        DigitPairs("test", noise=noise, noise_seed=seed).sample(50, rng()).query_inputs
        for noise, seed in ((0.0, 0), (0.5, 0), (0.5, 0), (0.5, 1))
    )
    assert torch.equal(noisy, again)
    assert not torch.equal(noisy, other)
    between = (clean > 0) & (clean < 1)
    assert (noisy != clean)[between].float().mean().item() == pytest.approx(0.5, abs=0.02)
    assert {*noisy[between & (noisy != clean)].tolist()} == {0.0, 1.0}
    assert len({*rows(noisy.flatten(0, 1))}) == len({*rows(clean.flatten(0, 1))})


@pytest.mark.parametrize(
    ("name", "chance", "learned"), [("few-shot-permuted-digits-v1", 0.1, 0.18), ("few-shot-digit-pairs-v1", 0.5, 0.8)]
)
def test_the_newborn_guess_and_steps_are_worth_something(name: str, chance: float, learned: float) -> None:
    problem: Any = problems.make(name)
    genome = InitialWeights.for_problem(problem)
    born = genome.express(genome.sample(6, rng()))
    tasks = type(problem.tasks)("test").sample(25, rng())
    guesses = born.network.answers(
        born.network.split(born.parameters[:, None]), tasks.query_inputs.flatten(0, 1)
    ).argmax(-1)
    assert (guesses == tasks.query_targets.flatten()).float().mean().item() == pytest.approx(chance, abs=0.03)
    outcomes = problem.evaluate(born, rng(1))
    assert (outcomes.measured["after"][:, 0] < outcomes.measured["before"]).all()
    assert outcomes.measured["accuracy"].mean() > learned
    assert outcomes.measured["before"].tolist() == pytest.approx([-np.log(chance)] * 6, abs=0.05)


@pytest.mark.parametrize("made", [FewShotPermutedDigits, FewShotDigitPairs])
def test_embeddings_that_are_compared_tell_digits_apart(made: Any) -> None:
    problem = made(lifetime=Comparison())
    assert problem.output_count == 0
    genome = InitialWeights.for_problem(problem)
    outcomes = problem.evaluate(genome.express(genome.sample(2, rng())), rng(1))
    assert (outcomes.measured["accuracy"] > 0.4).all()


@both
def test_provenance_tells_the_pictures(made: Any) -> None:
    problem = (FewShotPermutedDigits if made is PermutedPixels else FewShotDigitPairs)()
    found = problem.provenance()
    assert (found["name"], found["train"], found["test"]) == ("digits", 1442, 355)


def test_mnist_is_shown_when_asked(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = rng().integers(256, size=(300, 28, 28), dtype=np.uint8)
    classes = np.arange(300, dtype=np.uint8) % 10
    arrays = {"x_train": pictures[:200], "y_train": classes[:200], "x_test": pictures[200:], "y_test": classes[200:]}
    np.savez(tmp_path / "mnist.npz", **arrays)
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    problem = FewShotDigitPairs(DigitPairs("test", "mnist"))
    assert (problem.input_shape, problem.output_count) == ((784,), 2)
    tasks = DigitPairs("test", "mnist", shots=2, queries=3).sample(5, rng())
    shown = (tasks.query_inputs * 255).round().to(torch.uint8).flatten(0, 1)
    assert {tuple(row) for row in shown.tolist()} <= {tuple(row) for row in pictures[200:].reshape(100, -1).tolist()}
    assert problem.provenance()["test"] == 100


@pytest.mark.parametrize(
    ("made", "changed", "said"),
    [
        (PermutedPixels, {"digits": "svhn"}, "PermutedPixels: digits: expected one of mnist, digits, got 'svhn'"),
        (PermutedPixels, {"shots": 0}, "1 shot and 1 query or more, got 0 and 10"),
        (DigitPairs, {"queries": 0}, "1 shot and 1 query or more, got 5 and 0"),
        (DigitPairs, {"noise": 1.5}, "noise: expected a share from 0 to 1, got 1.5"),
    ],
)
def test_settings_outside_their_range(made: Any, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        made(**changed)


def test_more_pictures_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the digit 0, validation has 28 pictures of 'digits', got 20 \+ 10; ask"):
        PermutedPixels("validation", shots=20).sample(1, rng())


def test_other_tasks_are_refused() -> None:
    with pytest.raises(TypeError, match="FewShotDigitPairs: tasks are made of digits"):
        FewShotDigitPairs(tasks=Sinusoids())
