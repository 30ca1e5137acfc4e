"""Tell two digits apart after a few examples of each, then two that never met: `few-shot-digit-pairs-v1`.

Task: two of the ten digits, `shots` pictures of each to learn from, `queries` others of each to be scored on. Which of
the two is class 0 is drawn for each task, so that nobody can be born knowing it.
Inputs: pixels, 0 to 1, laid flat: 64 of scikit-learn's digits, 784 of MNIST; if wanted, with salt and pepper: a share
of all pixels is replaced, half of those by 0 and half by 1, once for the whole data set.
Outputs: a number per class.
Objective: "cross_entropy" of the query, the mean over tasks and horizons; less is better, and to call both equally
likely scores ln 2, 0.693. Measured: `accuracy`; guessing scores 0.5.
Start: the network's initial weights. End: after the last horizon's step.
Data: "digits" (`problems.data.digits`), always at hand, or "mnist" (`problems.data.mnist`; where it can't be had, a
stand-in is announced). Pictures are apart for each split; see `problems.few_shot.digit_tasks`.
Pairs: with the ten digits in a circle, those 3 apart are for testing (10 pairs), those 5 apart, opposite ones, for
validation (5), and those 1, 2 or 4 apart for training (30). So each split has every digit equally often, and what is
held out is the pair. Test tasks are frozen.
Version: 1.

Source: pairs of noisy digits as tasks: Fernando et al. 2017 (PathNet, arXiv:1701.08734), section 3.1; the split of
pairs is ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import ClassVar, final

import numpy as np

from evo.tasks import FewShot, TaskDistribution
from problems.few_shot.digit_tasks import DIGITS, DigitTasks, FewShotDigits

APART = {"train": (1, 2, 4), "validation": (5,), "test": (3,)}
"""How far apart the digits of a split's pairs are, in a circle of ten."""


def pairs(split: str) -> list[tuple[int, int]]:
    """Return the pairs of a split, the smaller digit first, in increasing order."""
    return [
        (one, other)
        for one, other in combinations(range(DIGITS), 2)
        if min(other - one, DIGITS - other + one) in APART[split]
    ]


@final
@dataclass(frozen=True)
class DigitPairs(DigitTasks):
    """Two digits, drawn from the pairs of the split.

    Attributes:
        noise: share of the pixels that are replaced.
        noise_seed: of which ones.

    Raises:
        ValueError: the noise is no share.
    """

    ways: ClassVar[int] = 2

    noise: float = 0.0
    noise_seed: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.noise <= 1:
            raise ValueError(f"DigitPairs: noise: expected a share from 0 to 1, got {self.noise!r}")

    def draw(self, count: int, rng: np.random.Generator) -> FewShot:
        """Return `count` tasks of pictures `[count, 2 * shots, pixels]`."""
        shown, known = self.pictures(self.noise, self.noise_seed), pairs(self.split)
        places = []
        for _ in range(count):
            pair = rng.permutation(known[rng.integers(len(known))]).tolist()
            places.append(self.drawn(shown, pair, rng))
        return self.assembled(shown.inputs, np.stack(places))


@final
@dataclass(frozen=True)
class FewShotDigitPairs(FewShotDigits):
    """Tell two digits apart after a few examples of each, then two that never met."""

    name: ClassVar[str] = "few-shot-digit-pairs-v1"

    tasks: TaskDistribution = DigitPairs()
