"""Classification problems of your own, one after another: `classification-tasks-v1`.

    ClassificationTasks(sets=(("small", x_train, y_train, x_test, y_test), ("large", ...)), replicates=5)

Inputs: arrays of numbers, all tasks' of one shape, used as they are: scale them first. Outputs: the classes of each
task, whole numbers from 0; tasks may have different numbers of them.
Objective, start, end of a task: see `problems.transfer.task_sequence`.
Data: those given; campaigns record names, sizes and a sha256 of the arrays.
Version: 1.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch

from problems.data import Split, fingerprint
from problems.transfer.task_data import TaskData
from problems.transfer.task_sequence import TaskSequence

Set = tuple[str, Any, Any, Any, Any]
"""A name, training inputs `[cases, *shape]` and classes `[cases]`, and those for testing; arrays or CPU tensors."""


@dataclass(frozen=True, eq=False)
class ClassificationTasks(TaskSequence):
    """Classification problems of your own, one after another.

    Attributes:
        sets: for each task (name, training inputs, training classes, test inputs, test classes).

    Raises:
        ValueError: arrays do not fit one another.
    """

    name: ClassVar[str] = "classification-tasks-v1"

    sets: tuple[Set, ...] = field(kw_only=True)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sets", tuple(self.sets))
        if not self.sets:
            raise ValueError("ClassificationTasks: sets: expected one task or more, got none")
        super().__post_init__()
        for number in range(self.tasks):
            _check(self._cases[number], self.sets[number][0], self.input_shape)

    @property
    def tasks(self) -> int:
        """As many as sets."""
        return len(self.sets)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """That of the first set's inputs."""
        return tuple(self._cases[0].inputs.shape[1:])

    def classes(self, number: int) -> int:
        """Return how many there are: one more than the largest in the training cases."""
        return int(self._cases[number].targets.max()) + 1

    def data(self, number: int, seed: int) -> TaskData:
        """Return a task's cases, the same for all replicates; see `TaskSequence.data`."""
        return self._cases[number]

    def provenance(self) -> dict[str, Any]:
        """Return names, sizes and a sha256 of each set's arrays."""
        parts = [
            (
                each[0],
                Split(case.inputs.numpy(), case.targets.numpy(), case.test_inputs.numpy(), case.test_targets.numpy()),
            )
            for each, case in zip(self.sets, self._cases, strict=True)
        ]
        return {"sets": [fingerprint(*part) for part in parts]} | super().provenance()

    @functools.cached_property
    def _cases(self) -> tuple[TaskData, ...]:
        return tuple(
            TaskData(_inputs(x_train), _targets(y_train, name), _inputs(x_test), _targets(y_test, name))
            for name, x_train, y_train, x_test, y_test in self.sets
        )


def _inputs(values: Any) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))


def _targets(values: Any, name: str) -> torch.Tensor:
    found = np.asarray(values)
    if found.dtype.kind not in "ui" or found.ndim != 1 or found.min(initial=0) < 0:
        raise ValueError(
            f"sets: {name}: expected classes as whole numbers from 0, [cases], got {found.dtype} {list(found.shape)} "
            f"from {found.min(initial=0)}"
        )
    return torch.from_numpy(found.astype(np.int64))


def _check(cases: TaskData, name: str, shape: tuple[int, ...]) -> None:
    """Raise ValueError where a task's arrays fit neither one another nor the first task's."""
    for inputs, targets, part in (
        (cases.inputs, cases.targets, "training"),
        (cases.test_inputs, cases.test_targets, "test"),
    ):
        if inputs.dim() < 2 or inputs.shape[1:] != shape or inputs.shape[:1] != targets.shape or not len(inputs):
            raise ValueError(
                f"sets: {name}: {part}: expected inputs [cases, {', '.join(map(str, shape))}], as the first task has, "
                f"and a class for each, got {list(inputs.shape)} and {list(targets.shape)}"
            )
    if cases.test_targets.max() > cases.targets.max():
        raise ValueError(
            f"sets: {name}: expected test cases of the classes trained on, 0 to {int(cases.targets.max())}, got class "
            f"{int(cases.test_targets.max())}; number classes without a gap"
        )
