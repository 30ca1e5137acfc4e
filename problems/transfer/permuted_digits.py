"""Name digits whose pixels are shuffled anew for every task: `permuted-digits-v1`.

Inputs: pixels, 0 to 1, laid flat, in an order that is the task's: 784 of MNIST, 64 of scikit-learn's digits.
Outputs: the ten digits. Guessing scores 0.1.
Objective, start, end of a task: see `problems.transfer.task_sequence`.
Data: "mnist", 60,000 training and 10,000 test pictures (`problems.data.mnist`; where it can't be had, a stand-in is
announced), or the first so many training ones; "digits", 1,442 and 355 (`problems.data.digits`), always at hand, with
which results are not published ones.
Orders: each replicate draws its own, or all have the same (`common`); the first task's pixels may stay in place.
Version: 1.

Source: pixel permutations: Goodfellow et al. 2013 (arXiv:1312.6211), Kirkpatrick et al. 2017 (arXiv:1612.00796).
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import torch

from evo import seeds
from problems import data as data_sets
from problems.transfer.binary_digits import PIXELS, noisy_digits
from problems.transfer.task_data import TaskData
from problems.transfer.task_sequence import TaskSequence


@dataclass(frozen=True)
class PermutedDigits(TaskSequence):
    """Name handwritten digits, with pixels in a new random order for every task.

    Attributes:
        digits: "mnist" or "digits".
        tasks: how many orders.
        images: training pictures, the first so many; 0 for all.
        plain_first: whether the first task has the pixels in their own order.
        common: a number for orders that all replicates share; None where each draws its own.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "permuted-digits-v1"

    digits: str = "mnist"
    tasks: int = 3
    images: int = 0
    plain_first: bool = True
    common: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(images=0)
        if self.digits not in PIXELS:
            raise ValueError(f"PermutedDigits: digits: expected one of {', '.join(PIXELS)}, got {self.digits!r}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The pixels."""
        return (PIXELS[self.digits],)

    def classes(self, number: int) -> int:
        """The ten digits."""
        return 10

    def data(self, number: int, seed: int) -> TaskData:
        """Return all digits with their pixels in the task's order; see `TaskSequence.data`."""
        table = noisy_digits(self.digits, 0.0, 0, data_sets.data_folder(), data_sets.cache_folder())
        if self.images > len(table):
            raise ValueError(f"PermutedDigits: images: expected at most {len(table)}, got {self.images}")
        targets = table.targets[: self.images] if self.images else table.targets
        if self.plain_first and number == 0:
            return replace(table, targets=targets)
        columns = _order(seed if self.common is None else self.common, number, *self.input_shape)
        return replace(table, targets=targets, columns=columns)

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data_sets.provenance(self.digits) | super().provenance()


@functools.lru_cache(maxsize=1024)
def _order(seed: int, number: int, pixels: int) -> torch.Tensor:
    return torch.from_numpy(seeds.rng(seed, "permuted digits: pixels", number).permutation(pixels))
