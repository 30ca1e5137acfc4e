"""The shared part of tasks made of classes of pictures: learners train on some pictures and are scored on others.

Inputs: pixels, standardised: less the mean of all the set's training pictures, divided by their deviation, channel by
channel. Digits have 1 x 8 x 8 of them, the other sets 3 x 32 x 32.
Objective: "test_accuracy", the share of test pictures of the task's classes that are named rightly when a segment
ends; more is better. Accuracy and loss on the way are measured too.
Data: `problems.images`. No test picture is ever trained on. Where classes have different numbers of pictures, each
takes part with as many as the smallest has, the first in the data's order.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from evo import seeds
from evo.continual import ContinualProblem
from evo.learners import Learners
from evo.problem import Objective
from problems.images import SHAPES, Pictures, pictures

if TYPE_CHECKING:
    from evo.learning.training import Record

CASES, LEARNERS = 256, 16
"""Test pictures, and learners, at a time; what a convolution makes of a picture is several times as large."""


@dataclass(frozen=True)
class ImageTasks(ContinualProblem):
    """Name the classes of pictures, of which some are trained on and some are for testing.

    Subclasses give `output_count`, `segment` and `classes`.

    Attributes:
        data: "tiny-images", "cifar10", "imagenet32" or "digits".
        images: training pictures of each class; 0 for all.
        batch: pictures per update.

    Raises:
        ValueError: a setting is outside its range, or, when a segment is made, the data are not at hand.
    """

    data: str = "tiny-images"
    images: int = 0
    batch: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(images=0, batch=1)
        if self.data not in SHAPES:
            raise ValueError(f"{type(self).__name__}: data: expected one of {', '.join(SHAPES)}, got {self.data!r}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        return SHAPES[self.data]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The accuracy on test pictures."""
        return (Objective("test_accuracy"),)

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded, all of them or a subset; see `problems.data.fingerprint`."""
        return dict(pictures(self.data).provenance)

    @abstractmethod
    def classes(self, stream: int, number: int) -> np.ndarray:
        """Return the classes of a stream's segment, as the data number them, in the order of the outputs."""

    def class_order(self, stream: int) -> np.ndarray:
        """Return the order in which a stream meets the classes, all of them."""
        return seeds.rng(stream, f"{self.name}: classes").permutation(pictures(self.data).classes)

    def training(self, stream: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of a segment's training pictures in the data `[cases]`, and their outputs `[cases]`."""
        held = pictures(self.data)
        least = min(map(len, held.train))
        if self.images > least:
            raise ValueError(
                f"{type(self).__name__}: images: expected at most {least}, as the smallest class of {self.data!r} has, "
                f"got {self.images}"
            )
        return _places(held.train, self.classes(stream, number), self.images or least)

    def testing(self, stream: int, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of a segment's test pictures in the data `[cases]`, and their outputs `[cases]`."""
        held = pictures(self.data)
        return _places(held.test, self.classes(stream, number), min(map(len, held.test)))

    def score(self, learned: Learners, record: Record, number: int) -> torch.Tensor:
        """Return the accuracy on test pictures `[n]`, among the outputs in use; see `ContinualProblem.score`."""
        accuracy = torch.empty(len(learned), dtype=torch.float64)
        for stream in torch.unique(learned.stream).tolist():
            places, outputs = self.testing(stream, number)
            for some in torch.split(torch.nonzero(learned.stream == stream).flatten(), LEARNERS):
                accuracy[some.cpu()] = _accuracy(learned[some], pictures(self.data), places, outputs)
        return accuracy


def _places(by_class: tuple[np.ndarray, ...], classes: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first `count` pictures of each class, class after class, and the classes' places in their order."""
    return np.concatenate([by_class[one][:count] for one in classes]), np.repeat(np.arange(len(classes)), count)


def _accuracy(learners: Learners, held: Pictures, places: np.ndarray, outputs: np.ndarray) -> torch.Tensor:
    """Return the share of test pictures `[n]` that learners of one stream name rightly, on the CPU."""
    from evo.learning.forward import forward

    hits = torch.zeros(len(learners), dtype=torch.int64)
    for first in range(0, len(places), CASES):
        inputs = held.standardized(held.split.x_test[places[first : first + CASES]]).to(learners.device)
        answers = forward(learners, inputs)[..., : outputs.max() + 1].argmax(2).cpu()
        hits += (answers == torch.from_numpy(outputs[first : first + CASES])).sum(1)
    return hits.to(torch.float64) / len(places)
