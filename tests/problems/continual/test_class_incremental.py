"""Classes come in the stream's order, stay, and are tested together; pictures are flipped and moved, and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import problems
from problems.continual.class_incremental import ClassIncrementalImages, augmented
from problems.images import pictures

GROWING = ClassIncrementalImages(data="cifar10", images=6, batch=3, added=2, add_after=4, epochs=2, augment=False)


def of(*streams: int) -> torch.Tensor:
    return torch.tensor(streams)


def test_classes_are_added_in_order_and_stay(cifar10: dict[str, np.ndarray]) -> None:
    order = GROWING.class_order(3)
    assert sorted(order) == [0, 1, 2, 3, 4]
    in_use = [2, 2, 4, 4, 5, 5, 5]
    for number, count in enumerate(in_use):
        np.testing.assert_array_equal(GROWING.classes(3, number), order[:count])
        segment = GROWING.segment(of(3), number)
        assert segment.classes == count
        assert segment.inputs.shape == (1, 6 * count, 3, 32, 32)
        assert torch.bincount(segment.targets[0]).tolist() == [6] * count


def test_outputs_are_numbered_as_classes_come(cifar10: dict[str, np.ndarray]) -> None:
    held = pictures("cifar10")
    segment = GROWING.segment(of(3, 5), 4)
    for place, stream in enumerate((3, 5)):
        raw = np.rint(segment.inputs[place].numpy() * held.deviation + held.mean).astype(np.uint8)
        for picture, output in zip(raw, segment.targets[place].tolist(), strict=True):
            one = GROWING.class_order(stream)[output]
            assert any((picture == other).all() for other in cifar10["x_train"][cifar10["y_train"] == one])


@pytest.mark.parametrize("augment", [False, True])
def test_epochs_have_every_picture_once(cifar10: dict[str, np.ndarray], augment: bool) -> None:
    problem = replace(GROWING, augment=augment)
    segment = problem.segment(of(3, 5), 2)
    assert segment.order.shape == (2, 2 * 24 // 3, 3)
    for stream in range(2):
        first, second = segment.order[stream].flatten().split(24)
        assert sorted(first.tolist()) == list(range(24))
        begin = 24 if augment else 0  # copies of its own
        assert sorted(second.tolist()) == list(range(begin, begin + 24))
        assert not torch.equal(first + begin, second)


def test_flipped_and_moved_pictures_are_all_that_augmentation_makes() -> None:
    one = np.random.default_rng(0).integers(256, size=(1, 3, 16, 16), dtype=np.uint8)
    variants = {}
    for picture, flipped in ((one[0], False), (one[0, :, :, ::-1], True)):
        framed = np.pad(picture, ((0, 0), (2, 2), (2, 2)), mode="reflect")
        for down in range(5):
            for across in range(5):
                cut = framed[:, down : down + 16, across : across + 16]
                variants[cut.tobytes()] = (flipped, down, across)
    assert len(variants) == 50
    made = augmented(np.repeat(one, 5000, axis=0), np.random.default_rng(1))
    found = [variants[np.ascontiguousarray(each).tobytes()] for each in made]  # a KeyError where it is something else
    counts = np.array([found.count(variant) for variant in variants.values()])
    assert (np.abs(counts - 100) < 5 * 10).all()


def test_every_epoch_and_segment_has_changes_of_its_own(cifar10: dict[str, np.ndarray]) -> None:
    problem = replace(GROWING, augment=True)
    first, second = (problem.segment(of(3), number).inputs[0] for number in (0, 1))
    copies = [*first.split(12), *second.split(12)]
    assert not any(torch.equal(one, other) for one in copies for other in copies if one is not other)
    plain = GROWING.segment(of(3), 0).inputs[0]
    assert len(plain) == 12
    same = sum(torch.equal(one, other) for copy in copies for one, other in zip(copy, plain, strict=True))
    assert same < 6  # one in 162 stays as it is


def test_a_stream_is_the_same_in_any_company(cifar10: dict[str, np.ndarray]) -> None:
    problem = replace(GROWING, augment=True)
    together, alone = problem.segment(of(2, 5, 9), 3), problem.segment(of(5), 3)
    for name in ("inputs", "targets", "order"):
        assert torch.equal(getattr(together, name)[1:2], getattr(alone, name))


def test_outputs_of_classes_to_come_do_not_count(cifar10: dict[str, np.ndarray], newborn: Any) -> None:
    problem = ClassIncrementalImages(data="cifar10", images=6, batch=3, diagnostics=False)
    learners = newborn(problem, streams=[3, 3])
    assert problem.output_count == 10
    layer = learners.architecture.layers[-1]
    learners.kernel(layer).zero_()
    learners.bias(layer)[:] = torch.tensor([[0.0, 1.0], [1.0, 0.0]]).repeat(1, 5)
    learners.bias(layer)[:, 2:] = 5.0  # sure of classes that have not come yet
    assert problem.score(learners, None, 0).tolist() == [0.5, 0.5]  # type: ignore[arg-type]
    assert problem.score(learners, None, 10_000).tolist() == [0.2, 0.2]  # type: ignore[arg-type]


def test_a_segment_knows_the_steps_before_it() -> None:
    made = 0
    for number in range(2 * GROWING.add_after):
        segment = GROWING.segment(torch.tensor([3, 7]), number)
        assert segment.before == made
        assert segment.lived(torch.tensor([number, 0])).tolist() == [made, made]
        made += segment.steps


def test_tests_are_of_all_classes_so_far(cifar10: dict[str, np.ndarray]) -> None:
    places, outputs = GROWING.testing(3, 2)
    np.testing.assert_array_equal(cifar10["y_test"][places], GROWING.classes(3, 2)[outputs])
    assert np.bincount(outputs).tolist() == [3, 3, 3, 3]


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match=r"epochs: expected a divisor of add_after, 200, .* got 3"):
        problems.make("class-incremental-images-v1", epochs=3)
    with pytest.raises(ValueError, match="added: expected a number from 1 up, got 0"):
        problems.make("class-incremental-images-v1", added=0)
