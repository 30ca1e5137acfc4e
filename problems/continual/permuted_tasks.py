"""Name digits whose pixels each task shuffles in its own way, without unlearning the tasks before: `permuted-tasks-v1`.

Inputs: the pixels, 0 to 1, in an order that is the task's: 784 of MNIST, 64 of scikit-learn's digits.
Outputs: the ten digits, the same ones for all tasks; nothing says which task a picture is from. The loss is the
cross-entropy of their softmax.
Objective: "test_accuracy", the share of test pictures that are named rightly when a segment ends, the mean over the
tasks met so far; more is better. Guessing scores 0.1. Measured too: `test_accuracies` `[n, tasks]`, each task's, NaN
for those to come, from which `evo table` tells average accuracy, forgetting and backward transfer.
A segment is a task: training pictures drawn for the stream, seen for some epochs in new random orders, `batch` per
update; what fills no whole batch at the end of an epoch is left out of it. Test pictures are drawn for the stream from
those of the data that are for testing. Pictures are the same for all tasks of a stream.
Start: number 0 of a stream. End: none; after the last task the first comes again.
Data: "mnist" (`problems.data.mnist`; where it can't be had, a stand-in is announced) or "digits" (1,442 and 355, always
at hand), with which results are not published ones.
Version: 1.

With `joint`, a segment trains on the pictures of all tasks so far, each of them seen `epochs` times, in random order:
the k-th segment has k times the updates of the first. That is no way to learn one task after the other; it is what
these networks could know at best.

Published: all 60,000 pictures, three tasks for 20 epochs, two hidden layers of 400, steps of 0.001 (Fig. 2A), or ten
tasks with sizes, steps and epochs searched for (Fig. 2B); here 12,000 pictures and 5 epochs for each task.

Source: Kirkpatrick et al. 2017 (PNAS 114:3521), after Goodfellow et al. 2013 and Srivastava et al. 2013.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from evo import seeds
from evo.continual import ContinualProblem
from evo.learners import Learners
from evo.lived import Lived
from evo.problem import Objective
from evo.stream import Segment
from problems import data as data_sets
from problems.continual.orders import in_epochs, in_whole_batches
from problems.continual.permuted_images import BRIGHTEST, PIXELS

CASES, LEARNERS = 1000, 16
"""Test pictures, and learners, at a time."""

Pictures = tuple[torch.Tensor, torch.Tensor]
"""Pixels `[cases, pixels]` float32, 0 to 1, and digits `[cases]` int64."""


@dataclass(frozen=True)
class PermutedTasks(ContinualProblem):
    """Name handwritten digits, with pixels in another order for every task, and go on knowing the tasks before.

    Attributes:
        data: "mnist" or "digits".
        tasks: how many; then the first comes again.
        images: training pictures, drawn for each stream; 0 for all.
        test_images: test pictures, drawn likewise; 0 for all.
        epochs: how often a task sees each training picture.
        batch: pictures per update.
        joint: whether a segment trains on all tasks so far.

    Raises:
        ValueError: a setting is outside its range, or, when a segment is made, there are fewer pictures.
    """

    name: ClassVar[str] = "permuted-tasks-v1"

    data: str = "mnist"
    tasks: int = 3
    images: int = 12_000
    test_images: int = 4_000
    epochs: int = 5
    batch: int = 64
    joint: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(tasks=1, images=0, test_images=0, epochs=1, batch=1)
        if self.data not in PIXELS:
            raise ValueError(f"PermutedTasks: data: expected one of {', '.join(PIXELS)}, got {self.data!r}")

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The pixels."""
        return (PIXELS[self.data],)

    @property
    def output_count(self) -> int:
        """The ten digits."""
        return 10

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The mean test accuracy over the tasks so far."""
        return (Objective("test_accuracy"),)

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data_sets.provenance(self.data)

    def met(self, number: int) -> int:
        """Return how many tasks a stream has met when a segment ends."""
        return min(number + 1, self.tasks)

    def columns(self, stream: int, task: int) -> np.ndarray:
        """Return the order of pixels `[pixels]` of a stream's task."""
        return seeds.rng(stream, "permuted tasks: pixels", task).permutation(PIXELS[self.data])

    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        """Return one task, or, where training is joint, all so far; see `ContinualProblem.segment`."""
        inputs, targets = self._pictures(testing=False)
        columns, order = [], []
        for stream in streams.tolist():
            shown = list(range(self.met(number))) if self.joint else [number % self.tasks]
            columns.append([self.columns(stream, task) for task in shown])
            cases = self._drawn(stream, len(targets), self.images, "images")
            of_all = (cases + len(targets) * np.arange(len(shown))[:, None]).flatten()
            draws = seeds.rng(stream, "permuted tasks: order", number)
            order.append(of_all[in_epochs(draws, len(of_all), self.batch, self.epochs)].reshape(-1, self.batch))
        read = torch.from_numpy(np.array(columns))
        return Segment(
            streams=streams,
            inputs=inputs[None],
            targets=targets[None],
            table=torch.zeros(len(streams), dtype=torch.int64),
            order=torch.from_numpy(np.stack(order)),
            loss="cross_entropy",
            columns=read if read.shape[1] > 1 else read[:, 0],
            before=sum(map(self.steps, range(number))) if self.joint else None,
        )

    def steps(self, number: int) -> int:
        """Return how many updates a segment has, on any stream."""
        images = (self.images or len(self._pictures(testing=False)[1])) * (self.met(number) if self.joint else 1)
        return self.epochs * in_whole_batches(images, self.batch) // self.batch

    def live(self, learners: Learners, number: int) -> Lived:
        """Return what becomes of n learners in one segment, and how well they know each task then."""
        lived = super().live(learners, number)
        accuracies = self.accuracies(lived.learners, number)
        accuracies[~lived.measured["loss"].isfinite().all(1).cpu()] = torch.nan  # who failed knows nothing
        scores = accuracies[:, : self.met(number)].mean(1).to(lived.scores)
        return replace(lived, scores=scores, measured={**lived.measured, "test_accuracies": accuracies})

    def accuracies(self, learned: Learners, number: int) -> torch.Tensor:
        """Return the share of test pictures that n learners name rightly after a segment, `[n, tasks]` float64."""
        pixels, digits = self._pictures(testing=True)
        found = torch.full((len(learned), self.tasks), torch.nan, dtype=torch.float64)
        for stream in torch.unique(learned.stream).tolist():
            cases = torch.from_numpy(self._drawn(stream, len(digits), self.test_images, "test_images"))
            there = torch.nonzero(learned.stream == stream).flatten()
            for task in range(self.met(number)):
                shown = pixels[cases][:, torch.from_numpy(self.columns(stream, task))]
                for some in torch.split(there, LEARNERS):
                    found[some.cpu(), task] = share_right(learned[some], shown, digits[cases])
        return found

    def _drawn(self, stream: int, available: int, wanted: int, setting: str) -> np.ndarray:
        """Return the numbers of the pictures that a stream has, of those available."""
        if wanted > available:
            raise ValueError(
                f"PermutedTasks: {setting}: expected at most the {available} that {self.data!r} has, got {wanted}; "
                f"0 is all of them"
            )
        order = seeds.rng(stream, f"permuted tasks: {setting}").permutation(available)
        return order[: wanted or available]

    def _pictures(self, testing: bool) -> Pictures:
        """Return all training pictures, or all test pictures."""
        return _split(self.data, data_sets.data_folder(), data_sets.cache_folder())[testing]


def share_right(learners: Learners, inputs: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
    """Return the share of cases whose class n learners name rightly, `[n]` float64, on the CPU.

    Args:
        learners: n of them.
        inputs: `[cases, *shape]` float32, the same for all.
        classes: `[cases]` int64.
    """
    from evo.learning.forward import forward

    hits = torch.zeros(len(learners), dtype=torch.int64)
    for shown, wanted in zip(torch.split(inputs, CASES), torch.split(classes, CASES), strict=True):
        hits += (forward(learners, shown.to(learners.device)).argmax(2).cpu() == wanted).sum(1)
    return hits.to(torch.float64) / len(classes)


@functools.lru_cache(maxsize=2)
def _split(name: str, *_folders: object) -> tuple[Pictures, Pictures]:
    """Return the pictures for training and those for testing, for all streams."""
    split = data_sets.mnist() if name == "mnist" else data_sets.digits()

    def prepared(pictures: np.ndarray, digits: np.ndarray) -> Pictures:
        pixels = pictures.reshape(len(pictures), -1).astype(np.float32) / np.float32(BRIGHTEST[name])
        return torch.from_numpy(pixels), torch.from_numpy(digits.astype(np.int64))

    return prepared(split.x_train, split.y_train), prepared(split.x_test, split.y_test)
