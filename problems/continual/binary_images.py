"""Tell two classes of pictures apart, then two others, and so on (Continual ImageNet): `binary-images-v1`.

Inputs, objective, data: see `problems.continual.image_tasks`. Outputs: two; the loss is the cross-entropy of their
softmax. Guessing scores 0.5.
A segment is a task: the next two classes of the stream's random order of all classes, which is gone through again and
again, so tasks come back after half as many tasks as there are classes. Pictures are seen for 250 epochs, each in a new
random order, 100 per update. The output layer's weights and biases are 0 when a task begins (`reset_head`).
Start: number 0 of a stream. End: none; published runs have 2,000 or 5,000 tasks.
Version: 1.

Published runs have 1,000 classes of ImageNet at 32 x 32 pixels, per class 600 training and 100 test pictures, so 3,000
updates a task; `data="imagenet32"` is that where the archive holds those. "tiny-images" has 200 classes, so 100 tasks
before they come back; its subset has 100 training and 25 test pictures of each, so 500 updates a task, and an accuracy
is a multiple of 1/50. "cifar10" has 5 tasks; its subset has 2,000 and 500 pictures of each class, so 10,000 updates a
task. How published pixels were scaled is not said; here they are standardised.

Source: Dohare et al. 2024 (Nature 632), "Continual ImageNet", and its code.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from evo import seeds
from evo.stream import Segment
from problems.continual.image_tasks import ImageTasks
from problems.continual.orders import in_epochs
from problems.images import pictures


@dataclass(frozen=True)
class BinaryImages(ImageTasks):
    """Tell two classes of pictures apart, two others in every task (Continual ImageNet, Dohare et al. 2024).

    Attributes:
        epochs: how often each training picture of a task is seen.
        reset_head: whether the output layer begins each task with zeros.
    """

    name: ClassVar[str] = "binary-images-v1"

    epochs: int = 250
    reset_head: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(epochs=1)

    @property
    def output_count(self) -> int:
        """One for each of the two classes."""
        return 2

    def classes(self, stream: int, number: int) -> np.ndarray:
        """Return the two classes of a task."""
        order = self.class_order(stream)
        return order[np.arange(2 * number, 2 * number + 2) % len(order)]

    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        """Return one task; see `ContinualProblem.segment`."""
        held = pictures(self.data)
        inputs, targets, order = [], [], []
        for stream in streams.tolist():
            places, outputs = self.training(stream, number)
            inputs.append(held.standardized(held.split.x_train[places]))
            targets.append(torch.from_numpy(outputs))
            draws = seeds.rng(stream, "binary images: order", number)
            order.append(in_epochs(draws, len(places), self.batch, self.epochs).reshape(-1, self.batch))
        return Segment(
            streams=streams,
            inputs=torch.stack(inputs),
            targets=torch.stack(targets),
            table=torch.arange(len(streams)),
            order=torch.from_numpy(np.stack(order)),
            loss="cross_entropy",
            reset_head=self.reset_head,
        )
