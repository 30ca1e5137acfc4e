"""Name what is in a picture, in one set of pictures and then in another: `image-tasks-v1`, PathNet's CIFAR and SVHN.

Inputs: 3 x 32 x 32 pixels, standardised: less the mean of the set's training pictures, divided by their deviation,
channel by channel. Grey pictures have three equal channels.
Outputs: the ten classes of each set. Guessing scores about 0.1.
Objective, start, end of a task: see `problems.transfer.task_sequence`.
Data: archives in the folder that EVO_DATA names; nothing stands in for them.
"cifar10": see `problems.images`; of the file `cifar10_subset_20k_5k.npz` it is a SUBSET, 2,000 training and 500 test
pictures of each class, and results must say so.
"svhn": the file `svhn_grey_recrop_15k_5k.npz`, NOT the standard cropped SVHN: 15,174 training and 4,667 test digits,
grey, cut anew from pictures of whole house numbers. Results on it compare with no published ones.
Version: 1. Published: 3 layers of 20 modules of 20 units, at most 5 active in each: the default supernet here.

Source: Fernando et al. 2017 (PathNet, arXiv:1701.08734), section 3.2; Krizhevsky 2009; Netzer et al. 2011.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from evo.learning.supernet.supernet import Supernet, dense_supernet
from problems import data as data_sets
from problems.data import Split
from problems.images import channel_statistics, pictures
from problems.transfer.task_data import TaskData
from problems.transfer.task_sequence import TaskSequence

SETS = ("cifar10", "svhn")
SVHN = "svhn_grey_recrop_15k_5k.npz"
SIDE, CLASSES = 32, 10
SUPERNET = dense_supernet(layers=3, modules=20, units=20)


@dataclass(frozen=True)
class ImageTasks(TaskSequence):
    """Name what is in a picture, in one set of pictures and then in another (PathNet's CIFAR-10 and SVHN).

    Attributes:
        sets: one for each task: "cifar10" or "svhn".

    Raises:
        ValueError: a setting is outside its range, or, when data are needed, they are not at hand.
    """

    name: ClassVar[str] = "image-tasks-v1"

    supernet: Supernet = SUPERNET
    sets: tuple[str, ...] = SETS

    def __post_init__(self) -> None:
        object.__setattr__(self, "sets", tuple(self.sets))
        super().__post_init__()
        for each in self.sets:
            if each not in SETS:
                raise ValueError(f"ImageTasks: sets: expected some of {', '.join(SETS)}, got {each!r}")

    @property
    def tasks(self) -> int:
        """As many as sets."""
        return len(self.sets)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Channels, height and width."""
        return (3, SIDE, SIDE)

    def classes(self, number: int) -> int:
        """Ten."""
        return CLASSES

    def data(self, number: int, seed: int) -> TaskData:
        """Return the pictures of a set; see `TaskSequence.data`."""
        return _cases(self.sets[number], data_sets.data_folder())

    def provenance(self) -> dict[str, Any]:
        """Return which files were loaded, subsets by their names; see `problems.data.fingerprint`."""
        folder = data_sets.data_folder()
        return {"sets": [_fingerprint(each, folder) for each in self.sets]} | super().provenance()


@functools.lru_cache(maxsize=2)
def _cases(name: str, folder: Path | None) -> TaskData:
    """Return a set of pictures, loaded once per process."""
    if name == "cifar10":
        held = pictures("cifar10")
        inputs, test_inputs = (held.standardized(part) for part in (held.split.x_train, held.split.x_test))
        return _task(held.split, inputs, test_inputs, None)
    split = _svhn(folder)
    mean, deviation = channel_statistics(split.x_train[:, None])
    inputs, test_inputs = (
        torch.from_numpy((part[:, None].astype(np.float32) - mean) / deviation)
        for part in (split.x_train, split.x_test)
    )
    return _task(split, inputs, test_inputs, torch.arange(SIDE * SIDE).repeat(3))


def _task(split: Split, inputs: torch.Tensor, test_inputs: torch.Tensor, columns: torch.Tensor | None) -> TaskData:
    targets, test_targets = (torch.from_numpy(part.astype(np.int64)) for part in (split.y_train, split.y_test))
    return TaskData(inputs, targets, test_inputs, test_targets, columns=columns)


@functools.lru_cache(maxsize=1)
def _svhn(folder: Path | None) -> Split:
    """Return the grey house numbers; raises ValueError where they are not at hand, or another file has their name."""
    path = None if folder is None else folder / SVHN
    if path is None or not path.is_file():
        where = "the folder that EVO_DATA names, which is not set" if folder is None else folder
        raise ValueError(
            f"sets: 'svhn' is not at hand: expected {SVHN} in {where}; see problems/transfer/image_tasks.py for what "
            f"such a file holds, or use sets=('cifar10',), or problems.transfer.classification_tasks with arrays of "
            f"your own"
        )
    split = data_sets.read_arrays(path)
    for x, y, part in ((*split[:2], "train"), (*split[2:], "test")):
        if x.dtype != np.uint8 or x.shape[1:] != (SIDE, SIDE) or y.shape != x.shape[:1] or y.max(initial=0) >= CLASSES:
            raise ValueError(
                f"{path}: {part}: expected uint8 pictures [cases, {SIDE}, {SIDE}], each of a class from 0 to 9, got "
                f"{x.dtype} {list(x.shape)} and {list(y.shape)} up to {y.max(initial=0)}; is it another archive?"
            )
    return split


@functools.lru_cache(maxsize=4)
def _fingerprint(name: str, folder: Path | None) -> dict[str, Any]:
    if name == "cifar10":
        return dict(pictures("cifar10").provenance)
    return data_sets.fingerprint(SVHN, _svhn(folder))
