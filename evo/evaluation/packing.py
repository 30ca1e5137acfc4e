"""What goes to another process for an evaluation of a plain function: the function, phenotypes, limits; as bytes."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import cloudpickle
import numpy as np
import torch

from evo.function_problem import FunctionProblem


@dataclass(frozen=True)
class Task:
    """Evaluations of one function, ready to be sent.

    Attributes:
        name: the problem's.
        payload: the function, pickled.
        arguments: the phenotypes, each pickled.
        settings: seed, time limit, memory limit and objectives, for the guard.
    """

    name: str
    payload: bytes
    arguments: list[bytes]
    settings: tuple[int | None, float, int, tuple[str, ...]]

    def part(self, first: int, last: int) -> Task:
        """Return the evaluations `first` to `last - 1` of these."""
        return replace(self, arguments=self.arguments[first:last])


class Packer:
    """Makes tasks; a function that comes again is not packed again."""

    def __init__(self) -> None:
        self._packed: tuple[Callable[..., Any] | None, bytes] = (None, b"")

    def pack(self, problem: FunctionProblem, phenotypes: Any, rng: np.random.Generator) -> Task:
        """Return the evaluation of phenotypes as a task; see `evo.evaluation.workers.WorkerPool.evaluate`.

        Raises:
            TypeError: something cannot be sent to a process.
        """
        if self._packed[0] is not problem.function:
            self._packed = (problem.function, as_bytes(problem.function, f"{problem.name}: the function"))
        arguments = [
            as_bytes(argument, f"{problem.name}: individual {number}'s phenotype")
            for number, argument in enumerate(problem.arguments(phenotypes))
        ]
        limits = (problem.seed(rng), problem.time_limit, problem.memory_limit, problem.objective_names)
        return Task(problem.name, self._packed[1], arguments, limits)


def register_by_value(module: ModuleType) -> None:
    """Let functions and classes of a module reach worker processes that cannot import it.

    Args:
        module: one loaded from a file, and entered in `sys.modules`.
    """
    cloudpickle.register_pickle_by_value(module)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no annotations
    """Sends tensors as arrays: a view takes only its own elements along, and no shared memory is involved."""

    def reducer_override(self, obj: Any) -> Any:
        """Return how to make the object again; the name is the standard library's."""
        plain = type(obj) is torch.Tensor and not obj.requires_grad and obj.layout is torch.strided
        if plain and obj.dtype is not torch.bfloat16:  # which numpy does not have
            return torch.from_numpy, (obj.cpu().numpy().copy(),)
        return super().reducer_override(obj)


def as_bytes(thing: Any, what: str) -> bytes:
    """Return `thing` pickled, functions and classes of `__main__` and registered modules by value."""
    buffer = io.BytesIO()
    try:
        _Pickler(buffer, protocol=pickle.HIGHEST_PROTOCOL).dump(thing)
    except Exception as error:
        raise TypeError(
            f"{what} cannot be sent to a worker process ({type(error).__name__}: {error}); look for an open file, a "
            "lock, a generator or a connection that it refers to, and make it inside the function instead"
        ) from error
    return buffer.getvalue()
