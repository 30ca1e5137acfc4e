"""Name ever more classes of pictures, the old ones with the new: `class-incremental-images-v1`.

Inputs, objective, data: see `problems.continual.image_tasks`. Outputs: one per class, in the stream's random order of
classes; the loss is the cross-entropy of the softmax of those in use.
A stream begins with a few classes and is given as many more every 200 epochs, until it has all; it trains on the
pictures of all classes so far, and is tested on those. A segment is one epoch, or a few, in random order. Training
pictures are flipped left to right with probability 1/2, and moved by up to an eighth of their side each way, what moves
in being mirrored (cut from a picture with a reflected border); a picture is changed anew in every epoch.
Start: number 0 of a stream. End: none; after the last classes it goes on with all. The published run has 4,000 epochs.
Version: 1.

Published: CIFAR-100, 5 classes at a time, 450 training pictures of each, batches of 90. Here "cifar10" comes two
classes at a time, 450 pictures of each; "tiny-images" has 200 classes, its subset 100 pictures of each (`images=100`).
Four things of the published runs are not here: rotations by up to 15 degrees, a step size that falls within each
increment, going on with the weights that did best on held-out pictures, and networks with residual connections. So
compare settings with each other, not with the published 76 % on 100 classes.
Memory: a stream's segment holds `epochs` changed copies of its pictures, 12 kB each: 55 MB for 10 classes of 450.

Source: Dohare et al. 2024 (Nature 632), "Class-incremental CIFAR-100", and its code.
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
from problems.images import CLASSES, pictures


@dataclass(frozen=True)
class ClassIncrementalImages(ImageTasks):
    """Name ever more classes of pictures, the old ones with the new (after Dohare et al. 2024).

    Attributes:
        added: classes to begin with, and that are added each time.
        add_after: epochs between additions.
        epochs: of a segment; additions fall between segments.
        augment: whether pictures are flipped and moved.
    """

    name: ClassVar[str] = "class-incremental-images-v1"

    data: str = "cifar10"
    images: int = 450
    batch: int = 90
    added: int = 2
    add_after: int = 200
    epochs: int = 1
    augment: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_least(added=1, add_after=1, epochs=1)
        if self.add_after % self.epochs:
            raise ValueError(
                f"ClassIncrementalImages: epochs: expected a divisor of add_after, {self.add_after}, because classes "
                f"are added between segments, got {self.epochs}"
            )

    @property
    def output_count(self) -> int:
        """One for each class of the set; an archive with fewer leaves the last ones unused."""
        return CLASSES[self.data]

    def classes(self, stream: int, number: int) -> np.ndarray:
        """Return the classes met so far."""
        additions = number * self.epochs // self.add_after
        return self.class_order(stream)[: self.added * (1 + additions)]

    def ends_task(self, number: int) -> bool:
        """Return whether classes are added after a segment."""
        return (number + 1) * self.epochs % self.add_after == 0

    def segment(self, streams: torch.Tensor, number: int) -> Segment:
        """Return some epochs; see `ContinualProblem.segment`."""
        held = pictures(self.data)
        copies = self.epochs if self.augment else 1
        inputs, targets, order = [], [], []
        for stream in streams.tolist():
            places, outputs = self.training(stream, number)
            shown = np.tile(held.split.x_train[places], (copies, 1, 1, 1))
            if self.augment:
                shown = augmented(shown, seeds.rng(stream, "class incremental images: augmentation", number))
            inputs.append(held.standardized(shown))
            targets.append(torch.from_numpy(np.tile(outputs, copies)))
            draws = seeds.rng(stream, "class incremental images: order", number)
            epochs = in_epochs(draws, len(places), self.batch, self.epochs)
            if self.augment:  # each epoch has copies of its own
                epochs += len(places) * np.arange(self.epochs)[:, None, None]
            order.append(epochs.reshape(-1, self.batch))
        return Segment(
            streams=streams,
            inputs=torch.stack(inputs),
            targets=torch.stack(targets),
            table=torch.arange(len(streams)),
            order=torch.from_numpy(np.stack(order)),
            loss="cross_entropy",
            classes=int(targets[0].max()) + 1,
            before=sum(map(self.steps, range(number))),
        )

    def steps(self, number: int) -> int:
        """Return how many updates a segment has, on any stream."""
        held = pictures(self.data)
        images = len(self.classes(0, number)) * (self.images or min(map(len, held.train)))
        return self.epochs * (images // self.batch)


def augmented(shown: np.ndarray, draws: np.random.Generator) -> np.ndarray:
    """Return pictures `[cases, channels, side, side]`, each flipped or not, and moved; see the file's text."""
    cases, side = len(shown), shown.shape[2]
    border = side // 8
    flipped = draws.random(cases) < 0.5
    down, across = draws.integers(2 * border + 1, size=(2, cases, 1))
    rows = (down + np.arange(side))[:, None, :, None]
    columns = across + np.where(flipped[:, None], np.arange(side)[::-1], np.arange(side))
    padded = np.pad(shown, ((0, 0), (0, 0), (border, border), (border, border)), mode="reflect")
    case, channel = np.arange(cases)[:, None, None, None], np.arange(shown.shape[1])[:, None, None]
    return np.asarray(padded[case, channel, rows, columns[:, None, None, :]])
