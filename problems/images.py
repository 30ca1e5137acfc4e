"""Sets of pictures of many classes, from archives in the folder that EVO_DATA names.

An archive is a plain `.npz` with `x_train`, `x_test`, uint8 `[cases, channels, height, width]`, and `y_train`,
`y_test`, whole numbers from 0 `[cases]`. We may not hand these sets on, and nothing stands in for them: what needs one
says which file to put where. scikit-learn's digits are always at hand.

Sets: "tiny-images" is Tiny ImageNet (200 classes, Stanford CS231n) at 32 x 32 pixels; "cifar10" that of Krizhevsky
2009; "imagenet32" the downsampled ImageNet of Chrabaszcz, Loshchilov & Hutter 2017, all 1,000 classes or fewer. Files
named `..._subset_20k_5k` hold parts of them, and results must say so.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from problems import data
from problems.data import Split

FILES = {
    "tiny-images": ("tiny_imagenet32.npz", "tiny_imagenet32_subset_20k_5k.npz"),
    "cifar10": ("cifar10.npz", "cifar10_subset_20k_5k.npz"),
    "imagenet32": ("imagenet32.npz",),
}
SHAPES = {"tiny-images": (3, 32, 32), "cifar10": (3, 32, 32), "imagenet32": (3, 32, 32), "digits": (1, 8, 8)}
CLASSES = {"tiny-images": 200, "cifar10": 10, "imagenet32": 1000, "digits": 10}
"""At most; an archive may have fewer."""


@dataclass(frozen=True)
class Pictures:
    """A set of pictures, class by class.

    Attributes:
        source: where they come from: a file's name, or "digits".
        split: the pictures, uint8, and their classes.
        train, test: for each class the places of its pictures in the training and in the test part, in their order.
        mean, deviation: `[channels, 1, 1]` float32, of all training pictures.
    """

    source: str
    split: Split
    train: tuple[np.ndarray, ...]
    test: tuple[np.ndarray, ...]
    mean: np.ndarray
    deviation: np.ndarray

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.train)

    @functools.cached_property
    def provenance(self) -> dict[str, Any]:
        """What tells this set from others; see `problems.data.fingerprint`."""
        return data.fingerprint(self.source, self.split)

    def standardized(self, pictures: np.ndarray) -> torch.Tensor:
        """Return uint8 pictures `[..., channels, height, width]` as float32, each channel with mean 0, deviation 1."""
        values = pictures.astype(np.float32)
        values -= self.mean
        values /= self.deviation
        return torch.from_numpy(values)


def pictures(name: str) -> Pictures:
    """Return a set of pictures, loaded once per process; raises ValueError where it is not at hand, or broken."""
    if name not in SHAPES:
        raise ValueError(f"data: expected one of {', '.join(SHAPES)}, got {name!r}")
    return _pictures(name, data.data_folder())


@functools.lru_cache(maxsize=2)
def _pictures(name: str, folder: Path | None) -> Pictures:
    file = None if name == "digits" else _find(name, folder)
    split = _digits() if file is None else read(file, SHAPES[name], CLASSES[name])
    classes = int(split.y_train.max()) + 1
    mean, deviation = channel_statistics(split.x_train)
    train, test = (
        tuple(np.flatnonzero(labels == number) for number in range(classes)) for labels in (split.y_train, split.y_test)
    )
    return Pictures(name if file is None else file.name, split, train, test, mean, deviation)


def _digits() -> Split:
    small = data.digits()
    x_train, x_test = (part[:, None].astype(np.uint8) for part in (small.x_train, small.x_test))
    return Split(x_train, small.y_train, x_test, small.y_test)


def _find(name: str, folder: Path | None) -> Path:
    for file in FILES[name]:
        if folder is not None and (folder / file).is_file():
            return folder / file
    where = "the folder that EVO_DATA names, which is not set" if folder is None else folder
    raise ValueError(
        f"data: {name!r} is not at hand: expected {' or '.join(FILES[name])} in {where}; see problems/images.py for "
        f"what such a file holds, or use data='digits', which needs none"
    )


def read(path: Path, shape: tuple[int, ...], most: int) -> Split:
    """Return the four arrays of an archive; raises ValueError, saying what is wrong, where they are not as they must.

    Pictures have the shape given, and each of at most so many classes has some in both parts.
    """
    split = data.read_arrays(path)
    for x, y, part in ((*split[:2], "train"), (*split[2:], "test")):
        if x.dtype != np.uint8 or x.shape[1:] != shape or len(x) == 0:
            raise ValueError(
                f"{path}: x_{part}: expected uint8 [cases, {', '.join(map(str, shape))}], got {x.dtype} "
                f"{list(x.shape)}; are channels last, or is it scaled already?"
            )
        if y.dtype.kind not in "ui" or y.shape != x.shape[:1]:
            raise ValueError(
                f"{path}: y_{part}: expected whole numbers [{len(x)}], one class per picture, got {y.dtype} "
                f"{list(y.shape)}"
            )
    found = [np.unique(labels).tolist() for labels in (split.y_train, split.y_test)]
    if found[0] != found[1] or found[0] != list(range(len(found[0]))) or len(found[0]) > most:
        raise ValueError(
            f"{path}: y_train, y_test: expected the same classes, {most} at most, numbered from 0 without a gap, got "
            f"{found[0][:12]} and {found[1][:12]}; number them anew"
        )
    return split


def channel_statistics(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the deviation of each channel of uint8 pictures, `[channels, 1, 1]` float32 each."""
    values = np.arange(256.0)
    shares = np.stack([np.bincount(channel.ravel(), minlength=256) for channel in np.moveaxis(pictures, 1, 0)])
    shares = shares / shares.sum(1, keepdims=True)
    mean = shares @ values
    deviation = np.sqrt(shares @ values**2 - mean**2)
    mean, deviation = (each.astype(np.float32)[:, None, None] for each in (mean, deviation))
    return mean, np.where(deviation > 0, deviation, np.float32(1))
