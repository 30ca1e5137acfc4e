"""Tell two noisy digits apart, then two others: `binary-digits-v1`, PathNet's binary MNIST classification.

Inputs: pixels, 0 to 1, laid flat: 784 of MNIST, 64 of scikit-learn's digits. Salt and pepper: half of all pixels are
replaced, half of those by 0 and half by 1, once for the whole data set, so a picture always looks the same.
Outputs: two, the smaller digit of the pair first. Guessing scores 0.5; published runs stop above 0.998.
Objective, start, end of a task: see `problems.transfer.task_sequence`.
Data: "mnist" (`problems.data.mnist`; where it can't be had, a stand-in is announced), about 12,000 training and 2,000
test pictures a pair; "digits" (`problems.data.digits`), always at hand, about 290 and 70, with which results are not
published ones.
Pairs: those given, the same for all replicates, or drawn by each replicate: disjoint ones, or each sharing one digit
with the pair before.
Version: 1. Published: 3 layers of 10 modules of 20 units, at most 3 active in each, 50 mini-batches of 16.

Source: Fernando et al. 2017 (PathNet, arXiv:1701.08734), section 3.1.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from evo import seeds
from problems import data as data_sets
from problems.transfer.task_data import TaskData
from problems.transfer.task_sequence import TaskSequence

PIXELS = {"mnist": 784, "digits": 64}
BRIGHTEST = {"mnist": 255.0, "digits": 16.0}
BLOCK = 10_000
"""Pictures that noise is drawn for at a time."""


@dataclass(frozen=True)
class BinaryDigits(TaskSequence):
    """Tell two noisy digits apart, then two others (PathNet's binary MNIST classification).

    Attributes:
        digits: "mnist" or "digits".
        pairs: two digits for each task; empty for pairs that each replicate draws.
        tasks: how many pairs; where pairs are given, how many those are.
        shared: whether each pair drawn has one digit of the pair before; otherwise all digits differ.
        noise: share of the pixels that are replaced.
        noise_seed: of which ones.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "binary-digits-v1"

    digits: str = "mnist"
    pairs: tuple[tuple[int, int], ...] = ()
    tasks: int = 2
    shared: bool = False
    noise: float = 0.5
    noise_seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "pairs", tuple((int(one), int(other)) for one, other in self.pairs))
        if self.pairs:
            object.__setattr__(self, "tasks", len(self.pairs))
        super().__post_init__()
        if self.digits not in PIXELS:
            raise ValueError(f"BinaryDigits: digits: expected one of {', '.join(PIXELS)}, got {self.digits!r}")
        if not 0 <= self.noise <= 1:
            raise ValueError(f"BinaryDigits: noise: expected a share from 0 to 1, got {self.noise!r}")
        for pair in self.pairs:
            if len(set(pair)) != 2 or not set(pair) <= set(range(10)):
                raise ValueError(f"BinaryDigits: pairs: expected two different digits from 0 to 9, got {pair}")
        most = 9 if self.shared else 5
        if not self.pairs and self.tasks > most:
            raise ValueError(
                f"BinaryDigits: tasks: ten digits make at most {most} pairs with shared={self.shared}, got "
                f"{self.tasks}; give pairs, which may come again"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The pixels."""
        return (PIXELS[self.digits],)

    def classes(self, number: int) -> int:
        """Two."""
        return 2

    def pair(self, number: int, seed: int) -> tuple[int, int]:
        """Return the two digits of a task of the replicate with a seed, in the order of the outputs."""
        if self.pairs:
            one, other = self.pairs[number]
        else:
            order = seeds.rng(seed, "binary digits: pairs").permutation(10)
            first = number if self.shared else 2 * number
            one, other = (int(digit) for digit in order[first : first + 2])
        return min(one, other), max(one, other)

    def data(self, number: int, seed: int) -> TaskData:
        """Return the pictures of a task's two digits; see `TaskSequence.data`."""
        folders = (data_sets.data_folder(), data_sets.cache_folder())
        return _pair(self.digits, self.noise, self.noise_seed, self.pair(number, seed), *folders)

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data_sets.provenance(self.digits) | super().provenance()


@functools.lru_cache(maxsize=128)
def _pair(digits: str, noise: float, noise_seed: int, pair: tuple[int, int], *folders: Any) -> TaskData:
    """Return the cases of a pair, as rows of the table of all."""
    table = noisy_digits(digits, noise, noise_seed, *folders)
    places, targets = _of(table.targets, pair)
    test_places, test_targets = _of(table.test_targets, pair)
    return TaskData(table.inputs, targets, table.test_inputs, test_targets, places, test_places)


def _of(digits: torch.Tensor, pair: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
    """Return where the digits of a pair are, and which of the two each is."""
    places = torch.nonzero((digits == pair[0]) | (digits == pair[1])).flatten()
    return places, (digits[places] == pair[1]).to(torch.int64)


@functools.lru_cache(maxsize=2)
def noisy_digits(digits: str, noise: float, noise_seed: int, *_folders: Any) -> TaskData:
    """Return all digits, float32 from 0 to 1, with salt and pepper; made once per process for the folders."""
    split = data_sets.mnist() if digits == "mnist" else data_sets.digits()
    parts = []
    for part, (pictures, targets) in enumerate(((split.x_train, split.y_train), (split.x_test, split.y_test))):
        pixels = pictures.reshape(len(pictures), -1).astype(np.float32) / np.float32(BRIGHTEST[digits])
        salt_and_pepper(pixels, noise, seeds.rng(noise_seed, "salt and pepper", part))
        parts += [torch.from_numpy(pixels), torch.from_numpy(targets.astype(np.int64))]
    return TaskData(*parts)


def salt_and_pepper(pixels: np.ndarray, share: float, draws: np.random.Generator) -> None:
    """Replace a share of the pixels `[cases, pixels]`, in place: with equal probability by 0 or by 1."""
    for first in range(0, len(pixels), BLOCK):
        block = pixels[first : first + BLOCK]
        drawn = draws.random(block.shape, np.float32)
        block[drawn < share / 2] = 0.0
        block[drawn >= 1 - share / 2] = 1.0
