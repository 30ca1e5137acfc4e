"""Name handwritten digits of 8 x 8 pixels: `digits-v1`.

Inputs: 64 pixels, 0 to 1 in steps of 1/16. Outputs: the ten digits.
Objectives, start, end: see `problems.classification`.
Data: the 1,797 pictures that scikit-learn ships; the test split is the fifth, tenth ... picture of each digit in the
data's order (355 pictures), the training split the others (1,442). With `permutation_seed` all pictures' pixels stand
in one other order, drawn with it: another task with the same classes, of which nothing but the digits' shapes is lost.
Version: 1. The published code measured on all 1,797: `split="all"`.

Source: Gaier & Ha 2019, published code, task "digits"; data of Alpaydin & Kaynak 1998 (UCI, optical recognition of
handwritten digits, its test part).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar

from evo import seeds
from problems import data
from problems.classification import Classification


@dataclass(frozen=True)
class Digits(Classification):
    """Name handwritten digits of 8 x 8 pixels, scikit-learn's 1,797.

    Attributes:
        permutation_seed: draws the order of the pixels, the same for all pictures; None for their own.
    """

    name: ClassVar[str] = "digits-v1"
    side: ClassVar[int] = 8
    brightest: ClassVar[float] = 16.0

    permutation_seed: int | None = field(default=None, metadata={"later": True})

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.permutation_seed is not None and self.permutation_seed < 0:
            raise ValueError(f"permutation_seed: expected a whole number from 0 up, got {self.permutation_seed}")

    def data(self) -> data.Split:
        """Return the pictures `[cases, 8, 8]`, 0 to 16, and their digits."""
        return _digits() if self.permutation_seed is None else _permuted(self.permutation_seed)

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data.provenance("digits")


@functools.cache
def _digits() -> data.Split:
    return data.digits()


@functools.lru_cache(maxsize=16)
def _permuted(seed: int) -> data.Split:
    """Return the digits with their pixels in the order that a seed draws."""
    split = _digits()
    order = seeds.rng(seed, "order of pixels").permutation(split.x_train[0].size)
    x_train, x_test = (x.reshape(len(x), -1)[:, order].reshape(x.shape) for x in (split.x_train, split.x_test))
    return split._replace(x_train=x_train, x_test=x_test)
