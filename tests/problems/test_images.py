"""Sets of pictures are found, checked, standardised, and never silently replaced."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from problems import images
from problems.continual.binary_images import BinaryImages


def small_set() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    x = rng.integers(256, size=(12, 3, 32, 32), dtype=np.uint8)
    x[:, 1] //= 4  # a channel that is darker
    y = np.array([2, 0, 1] * 4, dtype=np.uint16)
    return {"x_train": x[:9], "y_train": y[:9], "x_test": x[9:], "y_test": y[9:]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVO_DATA", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("file", ["tiny_imagenet32.npz", "tiny_imagenet32_subset_20k_5k.npz"])
def test_sets_come_from_the_folder_class_by_class(folder: Path, file: str) -> None:
    arrays = small_set()
    np.savez(folder / file, **arrays)  # type: ignore[arg-type]
    held = images.pictures("tiny-images")
    assert held.classes == 3
    assert [places.tolist() for places in held.train] == [[1, 4, 7], [2, 5, 8], [0, 3, 6]]
    assert [places.tolist() for places in held.test] == [[1], [2], [0]]
    np.testing.assert_array_equal(held.split.x_train, arrays["x_train"])


def test_channels_are_standardized_by_the_training_pictures(folder: Path) -> None:
    arrays = small_set()
    np.savez(folder / "cifar10.npz", **arrays)  # type: ignore[arg-type]
    held = images.pictures("cifar10")
    training = held.standardized(held.split.x_train).double()
    np.testing.assert_allclose(training.mean((0, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(training.std((0, 2, 3), correction=0), 1, atol=1e-5)
    x = arrays["x_train"].astype(np.float64)
    expected = (arrays["x_test"][1, 2, 3, 4] - x[:, 2].mean()) / x[:, 2].std()
    assert held.standardized(held.split.x_test)[1, 2, 3, 4].item() == pytest.approx(expected, rel=1e-5)


def test_a_channel_without_contrast_is_left_at_0() -> None:
    mean, deviation = images.channel_statistics(np.full((2, 1, 4, 4), 7, np.uint8))
    assert (mean.item(), deviation.item()) == (7.0, 1.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((9, 32, 32, 3), np.uint8)}, r"x_train: expected uint8 \[cases, 3, 32, 32\].*last"),
        ({"x_test": np.zeros((3, 3, 32, 32), np.float32)}, "x_test: expected uint8"),
        ({"y_train": np.zeros(8, np.uint8)}, "y_train: expected whole numbers"),
        ({"y_test": np.zeros(3)}, "y_test: expected whole numbers"),
        ({"y_test": np.array([0, 0, 1])}, "the same classes"),
        ({"y_train": np.array([3, 0, 1] * 3), "y_test": np.array([3, 0, 1])}, "without a gap"),
        ({"y_test": None}, "could not read"),
    ],
)
def test_files_that_hold_something_else_are_refused(folder: Path, change: dict[str, Any], message: str) -> None:
    arrays = {name: array for name, array in (small_set() | change).items() if array is not None}
    np.savez(folder / "cifar10.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        images.pictures("cifar10")


def test_more_classes_than_a_set_has_are_refused(folder: Path) -> None:
    arrays = {name: np.tile(array, (4,) + (1,) * (array.ndim - 1)) for name, array in small_set().items()}
    for part in ("train", "test"):
        arrays[f"y_{part}"] = np.arange(len(arrays[f"y_{part}"])) % 11
    np.savez(folder / "cifar10.npz", **arrays)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="10 at most"):
        images.pictures("cifar10")


def test_sets_that_are_not_at_hand_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=f"imagenet32.npz in {folder}.*data='digits'"):
        images.pictures("imagenet32")
    monkeypatch.delenv("EVO_DATA")
    with pytest.raises(ValueError, match=r"cifar10.npz or cifar10_subset_20k_5k.npz in .*EVO_DATA.*not set"):
        images.pictures("cifar10")
    with pytest.raises(ValueError, match="expected one of tiny-images"):
        images.pictures("cifar")


def test_digits_need_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVO_DATA", raising=False)
    held = images.pictures("digits")
    assert held.classes == 10
    assert held.split.x_train.shape == (1442, 1, 8, 8)
    assert held.split.x_train.max() == 16


@pytest.mark.parametrize("file", ["tiny_imagenet32.npz", "tiny_imagenet32_subset_20k_5k.npz"])
def test_what_was_loaded_is_told(folder: Path, file: str) -> None:
    arrays = small_set()
    np.savez(folder / file, **arrays)  # type: ignore[arg-type]
    digest = hashlib.sha256()
    for name, described in (
        ("x_train", b"uint8 (9, 3, 32, 32)"),
        ("y_train", b"uint16 (9,)"),
        ("x_test", b"uint8 (3, 3, 32, 32)"),
        ("y_test", b"uint16 (3,)"),
    ):
        digest.update(described + arrays[name].tobytes())
    expected = {"name": file, "train": 9, "test": 3, "sha256": digest.hexdigest()}
    assert BinaryImages(data="tiny-images").provenance() == expected
    assert images.pictures("tiny-images").provenance is images.pictures("tiny-images").provenance, "hashed once"


def test_no_two_sets_are_told_alike(folder: Path) -> None:
    arrays = small_set()
    np.savez(folder / "cifar10.npz", **arrays)  # type: ignore[arg-type]
    arrays["x_test"][1, 2, 3, 4] ^= 1
    np.savez(folder / "tiny_imagenet32.npz", **arrays)  # type: ignore[arg-type]
    found = [BinaryImages(data=name).provenance()["sha256"] for name in ("cifar10", "tiny-images", "digits")]
    assert len(set(found)) == 3
