"""Name digits whose pixels are shuffled anew for every task, after a few examples: `few-shot-permuted-digits-v1`.

Task: one order of the pixels, `shots` pictures of each of the ten digits to learn from, `queries` others of each to be
scored on, all in that order.
Inputs: pixels, 0 to 1, laid flat: 64 of scikit-learn's digits, 784 of MNIST. Outputs: a number per digit.
Objective: "cross_entropy" of the query, the mean over tasks and horizons; less is better, and to call all digits
equally likely scores ln 10, 2.303. Measured: `accuracy`; guessing scores 0.1.
Start: the network's initial weights. End: after the last horizon's step.
Data: "digits" (`problems.data.digits`), always at hand, or "mnist" (`problems.data.mnist`; where it can't be had, a
stand-in is announced). Pictures are apart for each split; see `problems.few_shot.digit_tasks`. Orders are drawn, too
many for one to come twice; those of test tasks are frozen.
Version: 1.

Where a pixel stands says nothing, so what is worth being born with is how to learn, and what digits have in common
whatever the order: how bright they are.

Source: pixel permutations: Goodfellow et al. 2013 (arXiv:1312.6211); as tasks to learn in a lifetime they are ours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import torch

from evo.tasks import FewShot, TaskDistribution
from problems.few_shot.digit_tasks import DIGITS, DigitTasks, FewShotDigits


@final
@dataclass(frozen=True)
class PermutedPixels(DigitTasks):
    """All ten digits, with the pixels in an order that is the task's."""

    ways: ClassVar[int] = DIGITS

    def draw(self, count: int, rng: np.random.Generator) -> FewShot:
        """Return `count` tasks of pictures `[count, 10 * shots, pixels]`."""
        shown = self.pictures()
        places, orders = [], []
        for _ in range(count):
            orders.append(rng.permutation(shown.inputs.shape[1]))
            places.append(self.drawn(shown, range(DIGITS), rng))
        return self.assembled(shown.inputs, np.stack(places), torch.from_numpy(np.stack(orders)))


@final
@dataclass(frozen=True)
class FewShotPermutedDigits(FewShotDigits):
    """Name digits whose pixels are shuffled anew for every task, after a few examples."""

    name: ClassVar[str] = "few-shot-permuted-digits-v1"

    tasks: TaskDistribution = PermutedPixels()
