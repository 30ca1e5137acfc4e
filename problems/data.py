"""Where data sets come from: a folder of your own, a download, or, told aloud, a stand-in.

The folder is named by the environment variable EVO_DATA and holds plain `.npz` archives; no file is ever unpickled.
"""

from __future__ import annotations

import functools
import hashlib
import os
import tempfile
import warnings
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from problems.deskew import resize

TEST_SHARE = 5
"""Where a data set has no test split of its own, every fifth picture of each class is a test case."""


class StandInData(UserWarning):
    """The data set asked for could not be had: other data stand in for it, and results must be named after those."""


class Split(NamedTuple):
    """Pictures `[cases, height, width]` and their classes `[cases]`, for training and for testing."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray


def fingerprint(name: str, split: Split) -> dict[str, Any]:
    """Return what tells data from others: a name, how many cases there are, and a sha256 of the arrays."""
    digest = hashlib.sha256()
    for array in split:
        digest.update(f"{array.dtype} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return {"name": name, "train": len(split.y_train), "test": len(split.y_test), "sha256": digest.hexdigest()}


def data_folder() -> Path | None:
    """Return the folder that EVO_DATA names, or None where it is not set; raises ValueError where it is no folder."""
    named = os.environ.get("EVO_DATA")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise ValueError(f"EVO_DATA: expected the path of a folder with data sets, got {named!r}; correct or unset it")
    return folder


def cache_folder() -> Path:
    """Return the folder that downloads are kept in: `evo-genomes` in XDG_CACHE_HOME or `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "evo-genomes"


def mnist() -> Split:
    """Return MNIST: uint8 pictures `[60000 and 10000, 28, 28]`, classes 0 to 9, in the canonical order.

    From `mnist.npz` in the folder EVO_DATA, else from an earlier download, else from OpenML. Where that fails too,
    scikit-learn's 1,797 small digits, enlarged, stand in, with a `StandInData` warning. Loaded once per process.

    Raises:
        ValueError: a `mnist.npz` is there but holds something else.
    """
    return _mnist(data_folder(), cache_folder())[1]


def provenance(name: str) -> dict[str, Any]:
    """Return what was loaded as "mnist" or "digits", a stand-in too; see `fingerprint`. Made once per process."""
    return dict(_provenance(name, *((data_folder(), cache_folder()) if name == "mnist" else ())))


@functools.cache
def _provenance(name: str, *folders: Any) -> dict[str, Any]:
    return fingerprint(*_mnist(*folders)) if name == "mnist" else fingerprint(name, digits())


@functools.cache
def _mnist(folder: Path | None, cache: Path) -> tuple[str, Split]:
    """Return MNIST, or what stands in for it, and its name."""
    for place in (folder, cache):
        if place is not None and (place / "mnist.npz").is_file():
            return "mnist", read_mnist(place / "mnist.npz")
    try:
        split = _download_mnist(cache)
    except (OSError, ValueError) as error:
        warnings.warn(
            f"MNIST is not at hand ({error}): scikit-learn's 1,797 digits of 8 x 8 pixels, enlarged to 28 x 28, stand "
            f"in for it. Results are not MNIST results and must be named as such. Put mnist.npz into a folder and set "
            f"EVO_DATA to its path, or connect to the internet",
            StandInData,
            stacklevel=3,
        )
        return "digits, enlarged, in place of mnist", enlarged_digits()
    _keep(split, cache / "mnist.npz")
    return "mnist", split


def read_mnist(path: Path) -> Split:
    """Return the four arrays of an archive; raises ValueError, saying what is wrong, where it is not like MNIST."""
    split = read_arrays(path)
    for pictures, classes, part in ((*split[:2], "train"), (*split[2:], "test")):
        _check(pictures, classes, part, path)
    return split


def _check(pictures: np.ndarray, classes: np.ndarray, part: str, path: Path) -> None:
    if pictures.dtype != np.uint8 or pictures.ndim != 3 or pictures.shape[1:] != (28, 28) or len(pictures) == 0:
        raise ValueError(
            f"{path}: x_{part}: expected uint8 [cases, 28, 28], got {pictures.dtype} {list(pictures.shape)}; "
            f"is it another data set, or scaled already?"
        )
    if classes.dtype != np.uint8 or classes.shape != pictures.shape[:1] or classes.max() > 9:
        raise ValueError(
            f"{path}: y_{part}: expected uint8 [{len(pictures)}] of classes 0 to 9, one per picture, got "
            f"{classes.dtype} {list(classes.shape)} up to {classes.max(initial=0)}"
        )


def read_arrays(path: Path) -> Split:
    """Return the four arrays of an archive, whatever they hold; raises ValueError where they cannot be read."""
    try:
        with zipfile.ZipFile(path):
            archive = np.load(path, allow_pickle=False)
        with archive:
            return Split(*(archive[name] for name in Split._fields))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path}: expected a .npz archive with the arrays {', '.join(Split._fields)}, could not read it: {error}; "
            f"was the copy cut short? Remove it, and get it anew; MNIST is then downloaded"
        ) from error


def _download_mnist(cache: Path) -> Split:
    from sklearn.datasets import fetch_openml

    cache.mkdir(parents=True, exist_ok=True)
    fetched = fetch_openml("mnist_784", version=1, as_frame=False, data_home=str(cache), n_retries=1)
    pictures = np.asarray(fetched.data).reshape(-1, 28, 28).astype(np.uint8)
    classes = np.asarray(fetched.target).astype(np.uint8)
    return Split(pictures[:60000], classes[:60000], pictures[60000:], classes[60000:])


def _keep(split: Split, path: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part", delete=False) as file:
        np.savez_compressed(file, **split._asdict())
    os.replace(file.name, path)


def digits() -> Split:
    """Return scikit-learn's digits: 1,797 pictures `[cases, 8, 8]` from 0 to 16 (float64), classes 0 to 9."""
    from sklearn.datasets import load_digits

    loaded = load_digits()
    test = held_out(loaded.target)
    return Split(loaded.images[~test], loaded.target[~test], loaded.images[test], loaded.target[test])


def held_out(classes: np.ndarray) -> np.ndarray:
    """Return which cases `[cases]` are for testing: the fifth, tenth ... of each class, in the order of the data."""
    test = np.zeros(len(classes), dtype=bool)
    for one in np.unique(classes):
        test[np.flatnonzero(classes == one)[TEST_SHARE - 1 :: TEST_SHARE]] = True
    return test


def enlarged_digits() -> Split:
    """Return scikit-learn's digits in MNIST's form: uint8 `[cases, 28, 28]` from 0 to 255, enlarged bilinearly."""
    small = digits()
    x_train, x_test = (np.rint(resize(x, 28) * (255 / 16)).astype(np.uint8) for x in (small.x_train, small.x_test))
    return Split(x_train, small.y_train.astype(np.uint8), x_test, small.y_test.astype(np.uint8))
