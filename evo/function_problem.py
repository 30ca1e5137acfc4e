"""A plain Python function as a problem: `@evo.fitness(maximize="score")`."""

from __future__ import annotations

import copy
import hashlib
import inspect
import sys
from abc import abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType
from typing import Any, Literal, final, overload

import numpy as np
import torch

from evo.evaluation.guard import Result, call, explain, guarded, kind_of, own_random_state
from evo.networks import Networks
from evo.outcome import Outcome, Outcomes, join, outcomes_of
from evo.problem import Objective, Problem

PHENOTYPES: dict[str, type] = {"tensor": torch.Tensor, "networks": Networks, "list": list}
"""What a function may score, and what the type is called in settings."""
CALLS = 64
"""How often a batch function is called at most, for one batch, to find out which individuals it fails on."""


@dataclass(frozen=True, eq=False)
class _Decorated(Problem):
    """What problems made of a function share.

    Attributes:
        function: what scores.
        name: the function's, unless another was given.
        objectives: what is scored, those to maximize first.
        phenotypes: "tensor", "networks" or "list": what it scores; `accepts` is the type of that name.
        inputs, outputs: the names of a network's inputs and outputs.
    """

    function: Callable[..., Any]
    name: str = ""  # type: ignore[misc]  # a problem's name belongs to its class, but every function has its own
    objectives: tuple[Objective, ...] = ()
    phenotypes: str = "tensor"
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_function(self.function)
        if not self.objectives:
            raise ValueError('maximize, minimize: expected the name of what is scored, such as maximize="score"')
        names = [objective.name for objective in self.objectives]
        if len(set(names)) != len(names):
            raise ValueError(f"maximize, minimize: expected different names, got {names}")
        if self.phenotypes not in PHENOTYPES:
            raise ValueError(f"phenotypes: expected one of {list(PHENOTYPES)}, got {self.phenotypes!r}")
        object.__setattr__(self, "accepts", PHENOTYPES[self.phenotypes])

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function itself."""
        return self.function(*arguments, **options)

    @property
    def stochastic(self) -> bool:
        """Whether the function takes a generator."""
        return "rng" in _parameters(self.function)

    def seed(self, rng: np.random.Generator) -> int | None:
        """Return what every call's generator is made from, drawn from `rng`; None where the function takes none."""
        return int(rng.integers(2**63)) if self.stochastic else None

    def source_digest(self) -> str:
        """Return the sha256 of the function's source, or of its compiled code where there is no source.

        What the function refers to (other functions, closures, data) is not part of it.
        """
        try:
            return hashlib.sha256(inspect.getsource(self.function).encode()).hexdigest()
        except (OSError, TypeError):
            code = getattr(self.function, "__code__", None)
            text = _code_text(code) if isinstance(code, CodeType) else _name_of(self.function)
            return hashlib.sha256(text.encode()).hexdigest()

    @abstractmethod
    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Score a batch of phenotypes."""


@final
@dataclass(frozen=True, eq=False)
class FunctionProblem(_Decorated):
    """A function of one phenotype; the worker pool runs it in other processes.

    Attributes:
        time_limit: seconds that one evaluation may take; 0 for no limit.
        memory_limit: MiB that one evaluation may take beyond what its process uses; 0 for no limit. Linux only.
    """

    time_limit: float = 60.0
    memory_limit: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.time_limit < float("inf"):
            raise ValueError(f"time_limit: expected seconds, 0 for no limit, got {self.time_limit}")
        if self.memory_limit < 0:
            raise ValueError(f"memory_limit: expected MiB, 0 for no limit, got {self.memory_limit}")
        if self.memory_limit and not sys.platform.startswith("linux"):
            raise ValueError(f"memory_limit: only Linux can limit memory, this is {sys.platform}; leave it at 0")

    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Score phenotypes one by one in this process.

        The function may take this process down with it (`os._exit`, a segmentation fault), and time is limited only
        in the main thread; `evo.evaluation.workers.WorkerPool` has neither weakness.
        """
        limits = (self.seed(rng), self.time_limit, self.memory_limit, self.objective_names)
        return self.outcomes([guarded(self.function, one, *limits) for one in self.arguments(phenotypes)], phenotypes)

    @property
    def objective_names(self) -> tuple[str, ...]:
        """The names of the objectives, in order."""
        return tuple(objective.name for objective in self.objectives)

    def arguments(self, phenotypes: Any) -> list[Any]:
        """Return what the function is given for each phenotype: arrays for tensors, `Networks` of one for networks."""
        if isinstance(phenotypes, Networks):
            return [phenotypes[number : number + 1] for number in range(len(phenotypes))]
        items = phenotypes.detach().cpu().numpy() if isinstance(phenotypes, torch.Tensor) else phenotypes
        return [item.detach().cpu().numpy() if isinstance(item, torch.Tensor) else item for item in items]

    def outcomes(self, results: Sequence[Result], phenotypes: Any) -> Outcomes:
        """Return guarded evaluations' results, in the phenotypes' order, as outcomes on the phenotypes' device."""
        failed = (float("nan"),) * len(self.objectives)
        scores = torch.tensor([scores or failed for _, scores, _ in results], dtype=torch.float64)
        return Outcomes(
            scores.reshape(len(results), len(self.objectives)).to(_device_of(phenotypes)),
            tuple(Outcome[kind] for kind, _, _ in results),
            {number: message for number, (kind, _, message) in enumerate(results) if kind != "OK"},
        )


@final
@dataclass(frozen=True, eq=False)
class BatchFunctionProblem(_Decorated):
    """A function of a whole batch of phenotypes, run in this process, on the phenotypes' device.

    Where it raises, it is called again with halves of the batch, and halves of these, 64 times at most, so that only
    the individuals that it fails on fail (all of the undecided ones, should 64 calls not be enough).
    """

    def evaluate(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Score a batch of phenotypes; the function is given a copy of them."""
        seed = self.seed(rng)
        finished: list[tuple[int, Outcomes]] = []
        waiting = deque([(0, len(phenotypes))])
        calls = 0
        while waiting:
            first, last = waiting.popleft()
            part = self._evaluate_part(phenotypes[first:last], seed)
            calls += 1
            failed = part.kinds[:1] in ((Outcome.RAISED,), (Outcome.OUT_OF_MEMORY,))
            if failed and last - first > 1 and calls + len(waiting) + 2 <= CALLS:
                middle = (first + last) // 2
                waiting.extend([(first, middle), (middle, last)])
            else:
                finished.append((first, part))
        return join([part for _, part in sorted(finished, key=lambda pair: pair[0])])

    def _evaluate_part(self, phenotypes: Any, seed: int | None) -> Outcomes:
        """Call the function once; where it raises or returns something else than scores, all fail."""
        given = phenotypes.clone() if isinstance(phenotypes, torch.Tensor) else copy.deepcopy(phenotypes)
        count, device = len(phenotypes), _device_of(phenotypes)
        if not count:
            return outcomes_of(torch.zeros(0, len(self.objectives), device=device))
        try:
            with own_random_state(seed):
                value = call(self.function, given, seed)
            scores = self._scores(value, count)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            return self._failed(kind_of(error), explain(error), count, device)
        if isinstance(scores, str):
            return self._failed("WRONG_TYPE", scores, count, device)
        return outcomes_of(scores.to(device))

    def _scores(self, value: Any, count: int) -> torch.Tensor | str:
        """Return a function's value as scores `[count, objectives]`, or what is wrong with it."""
        names = [objective.name for objective in self.objectives]
        expected = f"expected a tensor of shape {[count, len(names)]}" + (f" or {[count]}" if len(names) == 1 else "")
        if isinstance(value, dict):
            if set(value) != set(names):
                return f"returned a dict with keys {list(value)}; expected {names}"
            columns = [torch.as_tensor(value[name]).reshape(-1) for name in names]
            if any(len(column) != count for column in columns):
                return f"returned a dict of tensors of {[len(column) for column in columns]} numbers; expected {count}"
            value = torch.stack([column.to(torch.float64) for column in columns], 1)
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            value = torch.from_numpy(value.copy())
        if not isinstance(value, torch.Tensor):
            return f"returned {type(value).__qualname__}; {expected}"
        if value.is_complex():
            return f"returned complex numbers; {expected}"
        if value.shape not in ((count, len(names)), *([(count,)] if len(names) == 1 else [])):
            return f"returned a tensor of shape {list(value.shape)}; {expected}"
        return value.reshape(count, len(names))

    def _failed(self, kind: str, message: str, count: int, device: torch.device) -> Outcomes:
        scores = torch.full((count, len(self.objectives)), torch.nan, dtype=torch.float64, device=device)
        return Outcomes(scores, (Outcome[kind],) * count, dict.fromkeys(range(count), message))


@overload
def fitness(
    *,
    maximize: str | Sequence[str] = ...,
    minimize: str | Sequence[str] = ...,
    batch: Literal[False] = ...,
    time_limit: float = ...,
    memory_limit: int = ...,
    accepts: type = ...,
    name: str = ...,
    inputs: Sequence[str] = ...,
    outputs: Sequence[str] = ...,
) -> Callable[[Callable[..., Any]], FunctionProblem]: ...
@overload
def fitness(
    *,
    maximize: str | Sequence[str] = ...,
    minimize: str | Sequence[str] = ...,
    batch: Literal[True],
    accepts: type = ...,
    name: str = ...,
    inputs: Sequence[str] = ...,
    outputs: Sequence[str] = ...,
) -> Callable[[Callable[..., Any]], BatchFunctionProblem]: ...
def fitness(
    function: None = None,
    /,
    *,
    maximize: str | Sequence[str] = (),
    minimize: str | Sequence[str] = (),
    batch: bool = False,
    time_limit: float | None = None,
    memory_limit: int | None = None,
    accepts: type = torch.Tensor,
    name: str = "",
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
) -> Callable[[Callable[..., Any]], FunctionProblem | BatchFunctionProblem]:
    """Make a problem of the function that follows; it can still be called like a function.

    Without `batch`, the function scores one phenotype at a time, in worker processes: a numpy array of the genome's
    values, one item of a list, or `Networks` of one. It returns a number, or one per objective (tuple, list, array or
    a dict by name). With `batch`, it scores all at once, on their device: a tensor `[n, ...]` in, a tensor `[n]` or
    `[n, objectives]` out.

    A function with a parameter `rng` is given a numpy generator, in the same state for all individuals of a
    generation (common random numbers), and must take all chance from it: the global generators start every evaluation
    in the same state. A function should keep nothing between calls: which of them share a process is not said.

    Args:
        function: nothing; `fitness` needs parentheses.
        maximize: the name, or names, of scores of which more is better.
        minimize: the name, or names, of scores of which less is better; they come after those to maximize.
        batch: whether the function takes a whole batch.
        time_limit: seconds per evaluation, 60 if not given, 0 for no limit; not for a batch.
        memory_limit: MiB per evaluation beyond what its process uses, 0 for no limit; Linux; not for a batch.
        accepts: the type of phenotypes: `torch.Tensor`, `evo.Networks` or `list`.
        name: what the problem is called; the function's name if not given.
        inputs: the names of a network's inputs, where networks are scored.
        outputs: the names of a network's outputs.

    Raises:
        TypeError: the function cannot be called with one phenotype (and `rng`), or `accepts` is another type.
        ValueError: no objective, a name twice, a negative limit, or a limit for a batch.
    """
    if function is not None:
        raise TypeError('fitness: needs parentheses that say what is scored, such as @evo.fitness(maximize="score")')
    kinds = {kind: word for word, kind in PHENOTYPES.items()}
    if accepts not in kinds:
        raise TypeError(f"accepts: expected torch.Tensor, evo.Networks or list, got {accepts!r}")
    if batch and (time_limit is not None or memory_limit is not None):
        raise ValueError("time_limit, memory_limit: a batch function runs in the campaign's own process, unlimited")
    objectives = tuple(
        Objective(objective, better_is_more)
        for given, better_is_more in ((maximize, True), (minimize, False))
        for objective in ((given,) if isinstance(given, str) else given)
    )

    def decorate(function: Callable[..., Any]) -> FunctionProblem | BatchFunctionProblem:
        shared = (function, name or _name_of(function), objectives, kinds[accepts], tuple(inputs), tuple(outputs))
        if batch:
            return BatchFunctionProblem(*shared)
        return FunctionProblem(*shared, 60.0 if time_limit is None else time_limit, memory_limit or 0)

    return decorate


def _check_function(function: Callable[..., Any]) -> None:
    if not callable(function):
        raise TypeError(f"problem: expected a function below the decorator, got {type(function).__qualname__}")
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(f"{_name_of(function)}: expected a plain function, got an async one or a generator")
    rng = {"rng": None} if "rng" in _parameters(function) else {}
    try:
        inspect.signature(function).bind(None, **rng)
    except TypeError as error:
        raise TypeError(
            f"{_name_of(function)}: expected a function of one phenotype, and of rng if it wants a generator; called "
            f"so, this one says: {error}. Give other parameters default values"
        ) from None
    except ValueError:  # some functions written in C have no signature
        return


def _parameters(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except ValueError:
        return {}


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _device_of(phenotypes: Any) -> torch.device:
    return phenotypes.device if isinstance(phenotypes, torch.Tensor | Networks) else torch.device("cpu")


def _code_text(code: CodeType) -> str:
    """Return compiled code as text, without the places in memory that its representation would hold."""
    constants = [_code_text(item) if isinstance(item, CodeType) else repr(item) for item in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"
