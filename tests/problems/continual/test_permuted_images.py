"""Every task shows each picture once, with its pixels in an order of the task's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

import problems
from problems import data
from problems.continual.permuted_images import PermutedImages

DIGITS = PermutedImages(data="digits")


def of(*streams: int) -> torch.Tensor:
    return torch.tensor(streams)


def test_a_task_has_every_picture_once_in_a_random_order() -> None:
    segment = DIGITS.segment(of(4), 0)
    split = data.digits()
    assert segment.steps == len(split.y_train) == 1442
    assert sorted(segment.order.flatten().tolist()) == list(range(1442))
    assert segment.order.flatten().tolist() != list(range(1442))
    np.testing.assert_allclose(segment.inputs[0], split.x_train.reshape(-1, 64) / 16)
    np.testing.assert_array_equal(segment.targets[0], split.y_train)
    assert segment.loss == "cross_entropy"
    assert (segment.classes, segment.reset_head) == (0, False)


def test_pixels_are_permuted_anew_for_each_task_and_stream() -> None:
    seen = []
    for number in range(3):
        segment = DIGITS.segment(of(4, 7), number)
        assert segment.columns is not None
        assert segment.columns.sort(1).values.tolist() == [list(range(64))] * 2
        seen += [*segment.columns.tolist(), *segment.order[..., 0].tolist()]
    assert len({tuple(each) for each in seen}) == 12


def test_permutations_are_uniform() -> None:
    segment = PermutedImages(data="digits", examples=1).segment(torch.arange(1280), 5)
    assert segment.columns is not None
    counts = torch.stack([torch.bincount(column, minlength=64) for column in segment.columns.T])
    assert (counts.float() - 20).abs().max() < 6 * 20**0.5  # each pixel comes to each place 20 times in 1,280


def test_a_stream_is_the_same_in_any_company() -> None:
    together, alone = DIGITS.segment(of(2, 5, 9), 3), DIGITS.segment(of(5), 3)
    assert torch.equal(together.order[1:2], alone.order)
    assert together.columns is not None
    assert alone.columns is not None
    assert torch.equal(together.columns[1:2], alone.columns)


def test_pictures_are_held_once_for_all_streams_and_tasks() -> None:
    first, second = DIGITS.segment(of(1, 2, 3), 0), DIGITS.segment(of(4), 1)
    assert len(first.inputs) == 1
    assert first.table.tolist() == [0, 0, 0]
    assert first.inputs.data_ptr() == second.inputs.data_ptr()


@pytest.mark.parametrize(("examples", "batch", "steps"), [(100, 1, 100), (103, 10, 10), (3000, 1, 3000), (0, 16, 90)])
def test_tasks_may_be_shorter_or_longer(examples: int, batch: int, steps: int) -> None:
    order = PermutedImages(data="digits", examples=examples, batch=batch).segment(of(4), 0).order
    assert order.shape == (1, steps, batch)
    met = order.flatten()
    times = torch.bincount(met, minlength=1442)
    assert times.max() - times.min() <= 1
    if len(met) > 1442:  # again, in another order
        assert not torch.equal(met[:1442], met[1442:2884])
        assert met[1442:2884].unique().numel() == 1442


def test_mnist_has_its_own_shape(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    pictures, classes = rng.integers(256, size=(6, 28, 28), dtype=np.uint8), np.arange(6, dtype=np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=pictures, y_train=classes, x_test=pictures[:2], y_test=classes[:2])
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    problem = PermutedImages()
    segment = problem.segment(of(4), 0)
    assert problem.input_shape == (784,)
    assert problem.output_count == 10
    np.testing.assert_allclose(segment.inputs[0], pictures.reshape(6, 784) / 255, rtol=1e-6)
    assert segment.targets.tolist() == [[0, 1, 2, 3, 4, 5]]


@pytest.mark.skipif("EVO_DATA" not in os.environ, reason="EVO_DATA names no folder with mnist.npz")
def test_a_task_of_mnist_has_60_000_steps() -> None:
    segment = PermutedImages().segment(of(4), 799)
    assert segment.steps == 60_000
    assert segment.inputs.shape == (1, 60_000, 784)
    assert segment.inputs.min() == 0
    assert segment.inputs.max() == 1


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="data: expected one of mnist, digits, got 'svhn'"):
        problems.make("permuted-images-v1", data="svhn")
    with pytest.raises(ValueError, match="examples: expected a number from 0 up"):
        problems.make("permuted-images-v1", examples=-1)
    with pytest.raises(ValueError, match="from 1 to the 5 that there are, got 10"):
        PermutedImages(data="digits", examples=5, batch=10).segment(of(4), 0)
