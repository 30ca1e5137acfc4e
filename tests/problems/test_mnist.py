"""The pictures' preparation is the paper's."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from problems.deskew import deskew, resize, slant
from problems.mnist import Mnist, Mnist256, prepare


@pytest.mark.parametrize("size", [16, 40])
def test_resize_is_bilinear_with_half_pixel_centres(size: int) -> None:
    images = np.random.default_rng(0).random((3, 28, 28))
    expected = torch.nn.functional.interpolate(torch.from_numpy(images)[None], size=(size, size), mode="bilinear")[0]
    np.testing.assert_allclose(resize(images, size), expected.numpy(), atol=1e-12)


def test_slant_is_that_of_the_moments() -> None:
    image = np.random.default_rng(1).random((16, 16))
    rows, columns = np.mgrid[:16, :16]
    down = rows - (image * rows).sum() / image.sum()
    across = columns - (image * columns).sum() / image.sum()
    expected = (image * down * across).sum() / (image * down**2).sum()
    np.testing.assert_allclose(slant(image[None]), [expected])


def test_a_slanted_bar_is_put_upright() -> None:
    image = np.zeros((16, 16))
    for row in range(4, 13):  # the row in the middle, 8, stays in place
        image[row, 8 + (row - 8) // 2] = 0.5 + 0.5 * (row % 2 == 0)
        image[row, 8 + -(-(row - 8) // 2)] = 0.5 + 0.5 * (row % 2 == 0)
    upright = deskew(image[None])[0]
    assert slant(image[None])[0] == pytest.approx(0.5, abs=0.02)
    assert abs(slant(upright[None])[0]) < 0.05
    assert upright[:, 8].sum() > 0.75 * upright.sum() > 2 * image[:, 8].sum()


def test_the_middle_row_stays_and_black_comes_in() -> None:
    image = np.triu(np.ones((16, 16)))
    moved = deskew(image[None])[0]
    lean = slant(image[None])[0]
    np.testing.assert_array_equal(moved[8], image[8])
    position = np.arange(16) + lean * (0 - 8)
    expected = np.interp(position, np.arange(-2, 18), np.pad(image[0], 2))
    np.testing.assert_allclose(moved[0], expected, atol=1e-12)
    assert moved[0].min() == 0.0


def test_empty_and_tiny_pictures_stay() -> None:
    images = np.zeros((2, 16, 16))
    images[1, 3, 4] = 1.0
    np.testing.assert_array_equal(deskew(images), images)


def test_preparation_does_not_depend_on_neighbours() -> None:
    pictures = np.random.default_rng(2).integers(256, size=(3, 28, 28), dtype=np.uint8)
    prepared = prepare(pictures)
    assert prepared.shape == (3, 16, 16)
    assert prepared.dtype == np.float32
    np.testing.assert_allclose(prepare(pictures[1:2])[0], prepared[1], atol=1e-7)


def test_names_fit_the_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.random.default_rng(3).integers(256, size=(6, 28, 28), dtype=np.uint8)
    classes = np.arange(6, dtype=np.uint8)
    np.savez(tmp_path / "mnist.npz", x_train=pictures, y_train=classes, x_test=pictures, y_test=classes)
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    for problem, width in ((Mnist(batch=0), 784), (Mnist256(batch=0), 256)):
        inputs, drawn = problem.draw(np.random.default_rng(0))
        assert inputs.shape == (6, width)
        assert len(problem.inputs) == width
        assert drawn.tolist() == list(range(6))
        assert inputs.min() >= 0
        assert 0.5 < inputs.max() <= 1
    assert problem.inputs[17] == "pixel 1,1"


@pytest.mark.skipif("EVO_DATA" not in os.environ, reason="EVO_DATA names no folder with mnist.npz")
def test_training_pictures_have_the_published_mean_and_deviation() -> None:
    inputs, _ = Mnist256(batch=0).draw(np.random.default_rng(0))
    assert inputs.shape == (60000, 256)
    assert round(inputs.double().mean().item(), 4) == 0.1306
    assert round(inputs.double().std().item(), 4) == 0.2733
