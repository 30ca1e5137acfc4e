"""Distributions of tasks: what a lifetime is lived on, drawn anew each generation, the same for all individuals.

A task has a part to learn from (support) and a part to be scored on (query), drawn apart (Vinyals et al. 2016, Matching
networks, section 4.1). Tasks to train on and to validate with are drawn from the generator handed in; those to test
with are frozen: the first so many of an endless series that nothing but the distribution's settings decides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self, TypeVar, final

import numpy as np
import torch

from evo import seeds

SPLITS = ("train", "validation", "test")
FROZEN_SEED = 20_170_309
"""The root of all test tasks; never a run's seed."""
BLOCK = 100
"""Test tasks are drawn so many at a time, so that fewer are always the first of more."""

SomeTasks = TypeVar("SomeTasks", bound="Tasks")


@dataclass(frozen=True)
class Tasks:
    """A batch of tasks: every tensor's first dimension is tasks, all else is common to them.

    Slicing, joining and moving to a device work on all tensors alike; subclasses only name them.
    """

    def __len__(self) -> int:
        return len(next(iter(self._tensors().values())))

    def __getitem__(self, which: slice | torch.Tensor) -> Self:
        return replace(self, **{name: values[which] for name, values in self._tensors().items()})

    def to(self, device: torch.device | str) -> Self:
        """Return the same tasks on another device."""
        return replace(self, **{name: values.to(device) for name, values in self._tensors().items()})

    def _tensors(self) -> dict[str, torch.Tensor]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, torch.Tensor)}


@final
@dataclass(frozen=True)
class FewShot(Tasks):
    """Tasks to learn from a few examples: regression (float targets) or classification (int64 targets).

    Attributes:
        support_inputs: `[tasks, shots, *input]` float32, what is learned from.
        support_targets: `[tasks, shots, outputs]` float32, or `[tasks, shots]` int64, classes from 0.
        query_inputs: `[tasks, queries, *input]`, what is scored; no example of the support is among them.
        query_targets: as `support_targets`.
        loss: "squared" or "cross_entropy".
        classes: how many classes a task has; 0 for regression.
    """

    support_inputs: torch.Tensor
    support_targets: torch.Tensor
    query_inputs: torch.Tensor
    query_targets: torch.Tensor
    loss: str = "squared"
    classes: int = 0

    def __post_init__(self) -> None:
        if self.loss not in ("squared", "cross_entropy") or (self.loss == "squared") != (self.classes == 0):
            raise ValueError(
                f"FewShot: loss is 'squared', without classes, or 'cross_entropy', with their number, got "
                f"{self.loss!r} and classes={self.classes}"
            )


def joined(parts: Sequence[SomeTasks]) -> SomeTasks:
    """Return the tasks of several batches, in order, as one."""
    names = parts[0]._tensors()
    return replace(parts[0], **{name: torch.cat([getattr(part, name) for part in parts]) for name in names})


@dataclass(frozen=True)
class TaskDistribution(ABC):
    """Where tasks come from. Subclasses give `draw`; make them frozen dataclasses, whose fields are settings.

    Attributes:
        split: "train", "validation" or "test"; test tasks are the same for ever, whatever generator is handed in.

    Raises:
        ValueError: there is no such split.
    """

    split: str = "train"

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise ValueError(f"{type(self).__name__}: split is one of {', '.join(SPLITS)}, got {self.split!r}")

    @abstractmethod
    def draw(self, count: int, rng: np.random.Generator) -> Any:
        """Return `count` tasks, support and query drawn apart, on the CPU; all chance comes from `rng`."""

    @final
    def sample(self, count: int, rng: np.random.Generator) -> Any:
        """Return `count` tasks: drawn from `rng`, or, of the split "test", the first so many of the frozen series.

        Raises:
            ValueError: `count` is less than 1.
        """
        if count < 1:
            raise ValueError(f"{type(self).__name__}: count: expected 1 task or more, got {count}")
        if self.split != "test":
            return self.draw(count, rng)
        purpose = f"test tasks of {type(self).__name__}"
        blocks = [
            self.draw(BLOCK, seeds.rng(FROZEN_SEED, purpose, 0, number)) for number in range((count - 1) // BLOCK + 1)
        ]
        return joined(blocks)[:count]

    def provenance(self) -> dict[str, Any]:
        """Return which data tasks are made of, as `Problem.provenance` does; by default nothing."""
        return {}
