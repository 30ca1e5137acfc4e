"""Data sets are found, checked, and never silently replaced."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import sklearn.datasets

from evo.learning.weight_tuning import TunedWeights
from evo.problem import Problem
from problems import data
from problems.continual.permuted_images import PermutedImages
from problems.digits import Digits
from problems.mnist import Mnist, Mnist256


def small_mnist(cases: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    pictures = rng.integers(256, size=(2, cases, 28, 28), dtype=np.uint8)
    classes = rng.integers(10, size=(2, cases), dtype=np.uint8)
    return {"x_train": pictures[0], "y_train": classes[0], "x_test": pictures[1], "y_test": classes[1]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder and an empty cache; downloads fail."""
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("EVO_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def offline(*_: Any, **__: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(sklearn.datasets, "fetch_openml", offline)
    return tmp_path / "data"


def test_mnist_comes_from_the_folder(folder: Path) -> None:
    arrays = small_mnist()
    np.savez(folder / "mnist.npz", **arrays)
    for name, found in data.mnist()._asdict().items():
        np.testing.assert_array_equal(found, arrays[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x_train": np.zeros((4, 28, 28))}, "x_train: expected uint8"),
        ({"x_test": np.zeros((4, 784), np.uint8)}, "x_test: expected uint8"),
        ({"y_train": np.zeros(3, np.uint8)}, "y_train: expected uint8"),
        ({"y_test": np.full(4, 10, np.uint8)}, "up to 10"),
        ({"x_test": np.array([{}] * 4)}, "could not read"),
        ({"y_test": None}, "could not read"),
    ],
)
def test_files_that_are_not_mnist_are_refused(folder: Path, change: dict[str, Any], message: str) -> None:
    arrays = {name: array for name, array in (small_mnist() | change).items() if array is not None}
    np.savez(folder / "mnist.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        data.mnist()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut short"])
def test_broken_files_are_refused(folder: Path, content: bytes) -> None:
    (folder / "mnist.npz").write_bytes(content)
    with pytest.raises(ValueError, match="could not read"):
        data.mnist()


def test_a_folder_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EVO_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(ValueError, match="EVO_DATA"):
        data.mnist()


def test_the_stand_in_is_announced(folder: Path) -> None:
    with pytest.warns(data.StandInData, match=r"no network.*must be named as such"):
        split = data.mnist()
    assert split.x_train.shape == (1442, 28, 28)
    assert split.x_test.shape == (355, 28, 28)
    assert all(array.dtype == np.uint8 for array in split)
    assert split.x_train.max() > 200


def test_a_download_is_kept(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures = np.arange(70000) % 251
    classes = (np.arange(70000) % 10).astype(str)
    fetched = SimpleNamespace(data=np.broadcast_to(pictures[:, None], (70000, 784)), target=classes)
    monkeypatch.setattr(sklearn.datasets, "fetch_openml", lambda *_, **__: fetched)
    split = data.mnist()
    kept = data.read_mnist(tmp_path / "cache" / "evo-genomes" / "mnist.npz")
    assert split.x_train.shape == (60000, 28, 28)
    assert split.x_test[0, 3, 4] == 60000 % 251
    assert all(np.array_equal(one, two) for one, two in zip(split, kept, strict=True))
    assert [path.name for path in (tmp_path / "cache" / "evo-genomes").iterdir()] == ["mnist.npz"]


def test_digits_are_split_by_class() -> None:
    split = data.digits()
    assert len(split.x_train) + len(split.x_test) == 1797
    shares = np.bincount(split.y_test) / (np.bincount(split.y_test) + np.bincount(split.y_train))
    assert shares.min() > 0.19
    assert shares.max() <= 0.2


def test_every_fifth_case_of_a_class_is_held_out() -> None:
    assert np.flatnonzero(data.held_out(np.array([0, 1] * 10))).tolist() == [8, 9, 18, 19]


@pytest.mark.skipif("EVO_DATA" not in os.environ, reason="EVO_DATA names no folder with mnist.npz")
def test_the_real_data_are_mnist() -> None:
    split = data.mnist()
    assert (split.x_train.shape, split.x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert split.y_train[:5].tolist() == [5, 0, 4, 1, 9]


@pytest.mark.parametrize("make", [Mnist, Mnist256, PermutedImages])
def test_a_stand_in_is_told_by_name(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Problem]
) -> None:
    with pytest.warns(data.StandInData):
        told = make().provenance()
    assert (told["name"], told["train"], told["test"]) == ("digits, enlarged, in place of mnist", 1442, 355)
    (tmp_path / "other").mkdir()
    np.savez(tmp_path / "other" / "mnist.npz", **small_mnist())
    monkeypatch.setenv("EVO_DATA", str(tmp_path / "other"))
    other = make().provenance()
    assert (other["name"], other["train"], other["test"]) == ("mnist", 4, 4)
    assert other["sha256"] != told["sha256"]


def test_small_digits_are_told() -> None:
    told = Digits().provenance()
    assert (told["name"], told["train"], told["test"]) == ("digits", 1442, 355)
    assert PermutedImages(data="digits").provenance() == TunedWeights(Digits()).provenance() == told
