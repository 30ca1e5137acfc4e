"""The shared part of few-shot tasks that are made of handwritten digits: pictures apart for each split, and problems.

Pictures: those of `problems.data`, "digits" or "mnist", laid flat, 0 to 1. Tasks of the split "test" have the data's
test part alone; "validation" has the fifth, tenth ... picture of each digit of the training part, "train" the others.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch

from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.comparison import Comparison
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.meta import LifetimeProblem
from evo.parametrised import Parametrised
from evo.problem import Objective
from evo.tasks import FewShot, TaskDistribution
from problems import data
from problems.transfer.binary_digits import PIXELS, noisy_digits

DIGITS = 10
TEN_STEPS = GradientSteps(horizons=(10,), step_size=0.3)


class Pictures(NamedTuple):
    """Pixels `[cases, pixels]` float32, and for each digit the places of its pictures that a split may show."""

    inputs: torch.Tensor
    places: tuple[np.ndarray, ...]


@functools.lru_cache(maxsize=8)
def pictures_of(digits: str, split: str, noise: float, noise_seed: int, *folders: Any) -> Pictures:
    """Return the pictures of a split, with salt and pepper as in `binary-digits-v1`; made once per process."""
    table = noisy_digits(digits, noise, noise_seed, *folders)
    test = split == "test"
    inputs, classes = (table.test_inputs, table.test_targets) if test else (table.inputs, table.targets)
    shown = np.full(len(classes), True) if test else data.held_out(classes.numpy()) == (split == "validation")
    return Pictures(inputs, tuple(np.flatnonzero(shown & (classes.numpy() == digit)) for digit in range(DIGITS)))


@dataclass(frozen=True)
class DigitTasks(TaskDistribution):
    """Tasks of a few pictures of each of some digits. Subclasses give `draw`, and say which digits and how shown.

    Attributes:
        digits: "digits", always at hand, or "mnist", which `problems.data` looks for.
        shots: pictures of each class to learn from.
        queries: other pictures of each.

    Raises:
        ValueError: there are no such data, or no pictures; when drawn, fewer than are asked for.
    """

    ways: ClassVar[int]

    digits: str = "digits"
    shots: int = 5
    queries: int = 10

    def __post_init__(self) -> None:
        super().__post_init__()
        kind = type(self).__name__
        if self.digits not in PIXELS:
            raise ValueError(f"{kind}: digits: expected one of {', '.join(PIXELS)}, got {self.digits!r}")
        if self.shots < 1 or self.queries < 1:
            raise ValueError(f"{kind}: expected 1 shot and 1 query or more, got {self.shots} and {self.queries}")

    def pictures(self, noise: float = 0.0, noise_seed: int = 0) -> Pictures:
        """Return the pictures of the split."""
        return pictures_of(self.digits, self.split, noise, noise_seed, data.data_folder(), data.cache_folder())

    def drawn(self, shown: Pictures, classes: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        """Return places `[shots + queries, ways]` of pictures of the digits, each once; more queries change no shot."""
        many = self.shots + self.queries
        for digit in classes:
            if len(shown.places[digit]) < many:
                raise ValueError(
                    f"{type(self).__name__}: shots and queries: of the digit {digit}, {self.split} has "
                    f"{len(shown.places[digit])} pictures of {self.digits!r}, got {self.shots} + {self.queries}; ask "
                    f"for fewer, or digits='mnist'"
                )
        return np.stack([rng.permutation(shown.places[digit])[:many] for digit in classes], 1)

    def assembled(self, inputs: torch.Tensor, places: np.ndarray, orders: torch.Tensor | None = None) -> FewShot:
        """Return tasks of the pictures at places `[tasks, shots + queries, ways]`, one of each class after another.

        Args:
            inputs: all pictures, `[cases, pixels]`.
            places: of each task; classes are numbered as they stand.
            orders: which pixel stands where in a task, `[tasks, pixels]`; None for their own order.
        """
        x = inputs[torch.from_numpy(places)]
        if orders is not None:
            x = x.take_along_dim(orders[:, None, None], -1)
        y = torch.arange(places.shape[2]).expand(places.shape)
        (support, query), (targets, query_targets) = (
            (part[:, : self.shots].flatten(1, 2), part[:, self.shots :].flatten(1, 2)) for part in (x, y)
        )
        return FewShot(support, targets, query, query_targets, "cross_entropy", places.shape[2])

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data.provenance(self.digits)


@dataclass(frozen=True)
class FewShotDigits(LifetimeProblem):
    """Tell digits apart after a few examples of each. Subclasses give a name, and tasks by default.

    Raises:
        TypeError: tasks are not made of digits.
    """

    accepts: ClassVar[type] = Parametrised
    objectives = (Objective("cross_entropy", maximize=False),)

    lifetime: Lifetime = TEN_STEPS

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.tasks, DigitTasks):
            raise TypeError(
                f"{type(self).__name__}: tasks are made of digits, such as PermutedPixels or DigitPairs, got "
                f"{self.tasks!r}; see problems/few_shot"
            )

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The pixels."""
        return (PIXELS[getattr(self.tasks, "digits", "digits")],)

    @property
    def output_count(self) -> int:
        """One per class, or 0 where embeddings are compared."""
        return 0 if isinstance(self.lifetime, Comparison) else getattr(self.tasks, "ways", 0)
