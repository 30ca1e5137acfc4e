"""Name handwritten digits of 8 x 8 pixels: `digits-v1`.

Inputs: 64 pixels, 0 to 1 in steps of 1/16. Outputs: the ten digits.
Objectives, start, end: see `problems.classification`.
Data: the 1,797 pictures that scikit-learn ships; the test split is the fifth, tenth ... picture of each digit in the
data's order (355 pictures), the training split the others (1,442). Nothing is drawn, so there is no seed.
Version: 1. The published code measured on all 1,797: `split="all"`.

Source: Gaier & Ha 2019, published code, task "digits"; data of Alpaydin & Kaynak 1998 (UCI, optical recognition of
handwritten digits, its test part).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

from problems import data
from problems.classification import Classification


@dataclass(frozen=True)
class Digits(Classification):
    """Name handwritten digits of 8 x 8 pixels, scikit-learn's 1,797."""

    name: ClassVar[str] = "digits-v1"
    side: ClassVar[int] = 8
    brightest: ClassVar[float] = 16.0

    def data(self) -> data.Split:
        """Return the pictures `[cases, 8, 8]`, 0 to 16, and their digits."""
        return _digits()

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data.provenance("digits")


@functools.cache
def _digits() -> data.Split:
    return data.digits()
