"""Name digits whose pixels are shuffled anew for every task: `permuted-images-v1`.

Inputs: the pixels, 0 to 1, in an order that is the task's: 784 of MNIST, 64 of scikit-learn's digits.
Outputs: the ten digits; the loss is the cross-entropy of their softmax.
Objective: "accuracy", the share of a task's pictures that are named rightly before they are learned from; more is
better. Guessing scores 0.1. A network of three hidden layers of 2,000 that learns with steps of 0.003 has .95 on its
first tasks of MNIST and .937 at the 800th.
Start: number 0 of a stream. End: none; published runs have 800 tasks. A segment is a task: each training picture once,
in random order, one per update; nothing tells that a task begins.
Data: training pictures only: "mnist" 60,000 (`problems.data.mnist`; where it can't be had, a stand-in is announced),
"digits" 1,442 (`problems.data.digits`), always at hand, with which results are not published ones.
Version: 1.

Published runs shuffle the pixels that the task before has shuffled. A random order of a random order that does not
depend on it is again just a random order, so here each task draws its own.

Source: Dohare et al. 2024 (Nature 632), "Online Permuted MNIST"; pixel permutations: Goodfellow et al. 2013, Zenke,
Poole & Ganguli 2017.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from evo import seeds
from evo.continual import ContinualProblem
from evo.problem import Objective
from evo.stream import Segment
from problems import data as data_sets
from problems.continual.orders import in_whole_batches, shuffled

PIXELS = {"mnist": 784, "digits": 64}
BRIGHTEST = {"mnist": 255.0, "digits": 16.0}


@dataclass(frozen=True)
class PermutedImages(ContinualProblem):
    """Name handwritten digits, with pixels in a new random order for every task (Online Permuted MNIST).

    Attributes:
        data: "mnist" or "digits".
        examples: pictures in a task; 0 for each once. With more than there are, they come again in a new order.
        batch: pictures per update; what fills no batch at the end of a task is left out.

    Raises:
        ValueError: a setting is outside its range.
    """

    name: ClassVar[str] = "permuted-images-v1"

    data: str = "mnist"
    examples: int = 0
    batch: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(examples=0, batch=1)
        if self.data not in PIXELS:
            raise ValueError(f"PermutedImages: data: expected one of {', '.join(PIXELS)}, got {self.data!r}")

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
        """The online accuracy."""
        return (Objective("accuracy"),)

    def provenance(self) -> dict[str, Any]:
        """Return which pictures were loaded; see `problems.data.provenance`."""
        return data_sets.provenance(self.data)

    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        """Return one task; see `ContinualProblem.segment`."""
        inputs, targets = _pictures(self.data, data_sets.data_folder(), data_sets.cache_folder())
        length = in_whole_batches(self.examples or len(targets), self.batch)
        columns, order = [], []
        for stream in streams.tolist():
            columns.append(seeds.rng(stream, "permuted images: pixels", number).permutation(inputs.shape[1]))
            order.append(shuffled(seeds.rng(stream, "permuted images: order", number), len(targets), length))
        return Segment(
            streams=streams,
            inputs=inputs[None],
            targets=targets[None],
            table=torch.zeros(len(streams), dtype=torch.int64),
            order=torch.from_numpy(np.stack(order).reshape(len(streams), -1, self.batch)),
            loss="cross_entropy",
            columns=torch.from_numpy(np.stack(columns)),
        )


@functools.lru_cache(maxsize=2)
def _pictures(name: str, *_folders: object) -> tuple[torch.Tensor, torch.Tensor]:
    """Return training pictures `[cases, pixels]` float32, 0 to 1, and their digits `[cases]`, for all streams."""
    split = data_sets.mnist() if name == "mnist" else data_sets.digits()
    pixels = split.x_train.reshape(len(split.x_train), -1).astype(np.float32) / np.float32(BRIGHTEST[name])
    return torch.from_numpy(pixels), torch.from_numpy(split.y_train.astype(np.int64))
