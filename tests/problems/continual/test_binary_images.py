"""Tasks go through all pairs of a stream's classes; what is tested was never trained on."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
import torch

import problems
from evo.learners import Convolution
from evo.outcome import Outcome
from genomes.learner import Learner
from problems.continual.binary_images import BinaryImages
from problems.images import Pictures, pictures

TASKS = BinaryImages(data="cifar10", epochs=4, batch=4)


def of(*streams: int) -> torch.Tensor:
    return torch.tensor(streams)


def shown(inputs: torch.Tensor, held: Pictures) -> set[bytes]:
    """Pictures `[cases, 3, 32, 32]` as they were before they were standardised."""
    raw = inputs.numpy() * held.deviation + held.mean
    return {one.tobytes() for one in np.rint(raw).astype(np.uint8)}


def test_tasks_go_through_all_classes_two_by_two_and_come_back(cifar10: dict[str, np.ndarray]) -> None:
    met = [int(one) for number in range(10) for one in TASKS.classes(4, number)]
    assert sorted(met[:5]) == [0, 1, 2, 3, 4]
    assert met == met[:5] * 4  # 5 classes: in every other round, the last class is paired with the first
    orders = {tuple(TASKS.class_order(stream)) for stream in range(20)}
    assert len(orders) > 10
    digits = BinaryImages(data="digits")
    assert sorted(np.concatenate([digits.classes(1, number) for number in range(5)])) == list(range(10))
    np.testing.assert_array_equal(digits.classes(1, 5), digits.classes(1, 0))


def test_a_task_has_the_training_pictures_of_its_classes_and_no_others(cifar10: dict[str, np.ndarray]) -> None:
    held = pictures("cifar10")
    for number in range(5):
        segment = TASKS.segment(of(2, 6), number)
        for place, stream in enumerate((2, 6)):
            first, second = TASKS.classes(stream, number)
            for output, one in enumerate((first, second)):
                cases = segment.inputs[place][segment.targets[place] == output]
                expected = {each.tobytes() for each in cifar10["x_train"][cifar10["y_train"] == one]}
                assert shown(cases, held) == expected
                assert len(expected) == 6


def test_no_test_picture_is_trained_on(cifar10: dict[str, np.ndarray]) -> None:
    held = pictures("cifar10")
    tested = {one.tobytes() for one in cifar10["x_test"]}
    for number in range(5):
        places, outputs = TASKS.testing(2, number)
        assert {held.split.x_test[place].tobytes() for place in places} <= tested
        labels = np.array([cifar10["y_test"][place] for place in places])
        np.testing.assert_array_equal(labels, TASKS.classes(2, number)[outputs])
        assert not shown(TASKS.segment(of(2), number).inputs[0], held) & tested


def test_every_epoch_has_every_picture_once_in_an_order_of_its_own(cifar10: dict[str, np.ndarray]) -> None:
    segment = TASKS.segment(of(2, 6), 1)
    assert segment.order.shape == (2, 4 * 3, 4)
    epochs = segment.order.view(2 * 4, 12)
    assert (epochs.sort(1).values == torch.arange(12)).all()
    assert len(epochs.unique(dim=0)) == 8
    assert not torch.equal(segment.order, TASKS.segment(of(2, 6), 2).order)
    assert segment.reset_head
    assert segment.loss == "cross_entropy"
    assert not BinaryImages(data="cifar10", batch=4, reset_head=False).segment(of(2), 0).reset_head


def test_what_fills_no_batch_is_left_out_of_its_epoch(cifar10: dict[str, np.ndarray]) -> None:
    order = BinaryImages(data="cifar10", epochs=40, batch=5).segment(of(2), 0).order
    assert order.shape == (1, 80, 5)
    assert all(len(set(epoch)) == 10 for epoch in order.view(40, 10).tolist())
    assert order.unique().numel() == 12  # others are left out each time


def test_fewer_pictures_of_each_class(cifar10: dict[str, np.ndarray]) -> None:
    segment = BinaryImages(data="cifar10", images=2, epochs=1, batch=4).segment(of(2), 0)
    assert segment.targets.tolist() == [[0, 0, 1, 1]]
    with pytest.raises(ValueError, match="images: expected at most 6, as the smallest class of 'cifar10' has, got 7"):
        BinaryImages(data="cifar10", images=7).segment(of(2), 0)


def test_a_stream_is_the_same_in_any_company(cifar10: dict[str, np.ndarray]) -> None:
    together, alone = TASKS.segment(of(2, 5, 9), 3), TASKS.segment(of(5), 3)
    for name in ("inputs", "targets", "order"):
        assert torch.equal(getattr(together, name)[1:2], getattr(alone, name))


def test_the_score_is_the_accuracy_on_test_pictures_after_the_task(
    cifar10: dict[str, np.ndarray], newborn: Any
) -> None:
    problem = BinaryImages(data="cifar10", epochs=2, batch=4, diagnostics=False)
    learners = newborn(problem, streams=[2, 6, 2], step_size=0.01)
    outcomes = problem.evaluate(learners, np.random.default_rng(0))
    after = outcomes.learned
    first, last = after.architecture.layers
    for n, stream in enumerate((2, 6, 2)):
        hits = []
        for output, one in enumerate(problem.classes(stream, 0)):
            for picture in cifar10["x_test"][cifar10["y_test"] == one]:
                mean, deviation = cifar10["x_train"].mean((0, 2, 3)), cifar10["x_train"].std((0, 2, 3))
                x = torch.from_numpy((picture - mean[:, None, None]) / deviation[:, None, None]).float().flatten()
                hidden = torch.relu(x @ after.kernel(first)[n] + after.bias(first)[n])
                hits.append((hidden @ after.kernel(last)[n] + after.bias(last)[n]).argmax().item() == output)
        assert outcomes.scores[n, 0].item() == pytest.approx(np.mean(hits))
    assert outcomes.measured["accuracy"].shape == (3, 1)


def test_learners_that_diverge_fail(newborn: Any) -> None:
    problem = BinaryImages(data="digits", images=10, epochs=2, batch=5)
    learners = newborn(problem, streams=[2, 2])
    learners.settings["step_size"][0] = 1e30
    assert problem.evaluate(learners, np.random.default_rng(0)).kinds == (Outcome.NAN, Outcome.OK)


def test_many_pictures_and_learners_are_tested_in_parts(
    cifar10: dict[str, np.ndarray], newborn: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    learners = newborn(TASKS, streams=[2, 6, 2, 2])
    whole = TASKS.score(learners, None, 1)  # type: ignore[arg-type]
    monkeypatch.setattr("problems.continual.image_tasks.CASES", 4)
    monkeypatch.setattr("problems.continual.image_tasks.LEARNERS", 2)
    torch.testing.assert_close(TASKS.score(learners, None, 1), whole)  # type: ignore[arg-type]


@pytest.mark.parametrize("convolutions", [(), (Convolution(6),)], ids=["dense", "convolutional"])
def test_learners_learn_to_tell_digits_apart(convolutions: tuple[Convolution, ...]) -> None:
    problem = BinaryImages(data="digits", epochs=10, batch=20)
    genome = Learner.for_problem(problem, hidden=(20,), convolutions=convolutions, settings={"step_size": 0.05})
    learners = genome.express(genome.sample(1, np.random.default_rng(0)))
    for number in range(2):
        outcomes = problem.evaluate(learners, np.random.default_rng(0))
        assert outcomes.scores.item() > 0.9
        assert outcomes.measured["dead"].shape == (1, 1 + len(convolutions))
        learners = outcomes.learned
        assert learners.segments.item() == number + 1


@pytest.mark.skipif("EVO_DATA" not in os.environ, reason="EVO_DATA names no folder with pictures")
@pytest.mark.parametrize(
    ("data", "classes", "train", "test"), [("tiny-images", 200, 100, 25), ("cifar10", 10, 2000, 500)]
)
def test_the_subsets_hold_what_the_data_sheet_says(data: str, classes: int, train: int, test: int) -> None:
    held = pictures(data)
    assert held.classes == classes
    assert {len(places) for places in held.train} == {train}
    assert {len(places) for places in held.test} == {test}
    problem = BinaryImages(data=data)
    segment = problem.segment(of(0), classes // 2 - 1)
    assert segment.inputs.shape == (1, 2 * train, 3, 32, 32)
    assert segment.steps == 250 * 2 * train // 100
    assert len(problem.testing(0, 0)[0]) == 2 * test


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="BinaryImages: data: expected one of tiny-images, cifar10"):
        problems.make("binary-images-v1", data="mnist")
    with pytest.raises(ValueError, match="BinaryImages: epochs: expected a number from 1 up, got 0"):
        problems.make("binary-images-v1", epochs=0)
