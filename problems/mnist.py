"""Name handwritten digits of MNIST: `mnist-v1`, and `mnist-256-v1` in the form of weight agnostic networks.

Inputs: mnist-v1: 784 pixels, 0 to 1. mnist-256-v1: 256: shrunk to 16 x 16, slanted digits straightened
(`problems.deskew`); training pictures then have mean .1306 and standard deviation .2733.
Outputs: the ten digits.
Objectives, start, end: see `problems.classification`.
Data: MNIST, 60,000 training and 10,000 test pictures (`problems.data.mnist`). Where it can't be had, scikit-learn's
small digits stand in, with a `StandInData` warning; such results are not MNIST results.
Version: 1.

Source: LeCun, Cortes & Burges 1998 (MNIST); Gaier & Ha 2019 (arXiv:1906.04358), section 4 (mnist-256).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from problems import data
from problems.classification import Classification
from problems.deskew import deskew, resize

SMALL = 16
"""Pixels per side in mnist-256-v1."""
BLOCK = 10_000
"""Pictures prepared at a time."""


@dataclass(frozen=True)
class Mnist(Classification):
    """Name handwritten digits of 28 x 28 pixels, MNIST's 70,000."""

    name: ClassVar[str] = "mnist-v1"
    side: ClassVar[int] = 28
    brightest: ClassVar[float] = 255.0

    def data(self) -> data.Split:
        """Return the pictures `[cases, 28, 28]`, 0 to 255, and their digits."""
        return data.mnist()

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data.provenance("mnist")


@dataclass(frozen=True)
class Mnist256(Classification):
    """Name MNIST's handwritten digits, shrunk to 16 x 16 pixels and straightened (Gaier & Ha 2019)."""

    name: ClassVar[str] = "mnist-256-v1"
    side: ClassVar[int] = SMALL

    def data(self) -> data.Split:
        """Return the pictures `[cases, 16, 16]`, 0 to 1, and their digits."""
        return _prepared(data.data_folder(), data.cache_folder())

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data.provenance("mnist")


@functools.cache
def _prepared(*_folders: object) -> data.Split:
    """Return MNIST prepared, made once per process for the folders it may come from."""
    split = data.mnist()
    return split._replace(x_train=prepare(split.x_train), x_test=prepare(split.x_test))


def prepare(pictures: np.ndarray) -> np.ndarray:
    """Return pictures `[n, side, side]`, 0 to 255, as float32 `[n, 16, 16]`, 0 to 1, shrunk and straightened."""
    prepared = np.empty((len(pictures), SMALL, SMALL), np.float32)
    for first in range(0, len(pictures), BLOCK):
        prepared[first : first + BLOCK] = deskew(resize(pictures[first : first + BLOCK] / 255.0, SMALL))
    return prepared
