"""A pool of worker processes that evaluates plain functions and survives whatever they do.

Built on joblib's loky: an executor of one process per worker, rather than one of many, so that a process that dies
takes only its own few evaluations with it, and who did it is soon known. (`joblib.Parallel` ends a whole call when
one process dies, and evaluates in the parent when there is one worker.) Even one worker is a process of its own, with
one thread for linear algebra, so results are the same for any number of workers.
"""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from math import inf
from os import getpid
from typing import Any, Self

import numpy as np

from evo.evaluation import guard
from evo.evaluation.packing import Packer, Task
from evo.function_problem import FunctionProblem
from evo.outcome import Outcomes

BUDGET = 0.05
"""Seconds after which a worker hands back what it has and the evaluations that it did not begin."""
GRACE = 5.0
"""Seconds beyond time limit and budget after which a worker is killed: its function does not let Python interrupt."""
LOADS = 3
"""How often a worker that dies while it loads the function is started before the function is said to be the reason."""
LARGEST_CHUNK = 256
"""Evaluations that a worker is given at once, at most; how many does not change any result."""
ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",  # sets of strings have one order in all workers
}


class WorkerPool:
    """Worker processes, started when first needed; a context manager that ends them.

    Args:
        workers: how many evaluations run at a time.

    Raises:
        ValueError: `workers` is no whole number from 1 up.
    """

    def __init__(self, workers: int) -> None:
        if not isinstance(workers, int) or workers < 1:
            raise ValueError(f"workers: expected a whole number from 1 up, got {workers!r}")
        self._workers = [_Worker() for _ in range(workers)]
        self.packer = Packer()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the worker processes, and what they are at, at once. A later evaluation starts new ones."""
        for worker in self._workers:
            worker.stop()

    def evaluate(self, problem: FunctionProblem, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Score phenotypes in the workers.

        A worker that dies is forgiven once: what it was given runs again, one by one; an individual with which a
        worker dies again has CRASHED. One that outlasts its time limit where Python cannot interrupt it is killed.

        Args:
            problem: whose function is evaluated.
            phenotypes: n of them, of the type that the problem accepts.
            rng: what the common generators are made from, where the function takes one.

        Raises:
            TypeError: the problem is no function of one phenotype, or something cannot be sent to a process.
            RuntimeError: the function cannot be loaded in a worker process.
        """
        if not isinstance(problem, FunctionProblem):
            raise TypeError(f"problem: expected a FunctionProblem, got {type(problem).__qualname__}; call its evaluate")
        task = self.packer.pack(problem, phenotypes, rng)
        return problem.outcomes(self.results(task), phenotypes)

    def results(self, task: Task) -> list[guard.Result]:
        """Return the results of the evaluations of a task, in their order; raises RuntimeError as `evaluate` does."""
        job = _Job(task, share=2 * len(self._workers))
        try:
            while len(job.results) < len(task.arguments):
                self._advance(job)
        except BaseException:
            self.close()
            raise
        return [job.results[number] for number in range(len(task.arguments))]

    def _advance(self, job: _Job) -> None:
        """Give idle workers something to do, wait until something happens, and take note of it."""
        for worker in self._workers:
            if worker.future is None and job.has_work:
                worker.take(job)
        busy = [worker for worker in self._workers if worker.future is not None]
        patience = min((worker.deadline for worker in busy), default=0.0) - time.monotonic()
        futures = [worker.future for worker in busy if worker.future is not None]
        wait(futures, None if patience == inf else max(patience, 0.0), FIRST_COMPLETED)
        for worker in busy:
            worker.report(job)


@dataclass
class _Job:
    """The evaluations of one batch: which wait, which are done.

    Attributes:
        task: what is to be evaluated.
        share: the part of what waits that a worker takes at most, as a divisor.
        waiting: numbers of individuals that no worker has.
        suspects: those that were with a worker when it died or hung; each runs alone.
        struck: those with which a worker died before.
        results: what is known.
    """

    task: Task
    share: int
    waiting: deque[int] = field(init=False)
    suspects: deque[int] = field(default_factory=deque)
    struck: set[int] = field(default_factory=set)
    results: dict[int, guard.Result] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.waiting = deque(range(len(self.task.arguments)))

    @property
    def has_work(self) -> bool:
        """Whether there is anything that no worker has."""
        return bool(self.waiting or self.suspects)

    def next(self, size: int) -> list[int]:
        """Return what a worker does next: `size` individuals, fewer where little is left, or one suspect."""
        if not self.waiting:
            return [self.suspects.popleft()]
        count = min(size, -(-len(self.waiting) // self.share))
        return [self.waiting.popleft() for _ in range(count)]

    def finished(self, chunk: list[int], results: list[guard.Result]) -> None:
        """Take note of the results of a chunk's first individuals; the others wait again."""
        self.results.update(zip(chunk, results, strict=False))
        self.waiting.extendleft(reversed(chunk[len(results) :]))

    def died(self, chunk: list[int], how: str) -> None:
        """Take note that a worker died with this chunk."""
        if len(chunk) == 1 and chunk[0] in self.struck:
            self.results[chunk[0]] = ("CRASHED", (), f"ended its worker process{how}")
        else:
            self.suspects.extend(chunk)
            self.struck.update(chunk)

    def hung(self, chunk: list[int]) -> None:
        """Take note that a worker had to be killed with this chunk."""
        if len(chunk) == 1:
            self.results[chunk[0]] = ("TIMED_OUT", (), guard.timed_out(self.task.settings[1]))
        else:
            self.suspects.extend(chunk)


class _Worker:
    """One worker process, and what it is doing.

    Attributes:
        future: what it is doing; None when it is idle.
        chunk: the individuals it is evaluating; empty while it loads the function.
        deadline: when it is to be killed, by the monotonic clock.
    """

    def __init__(self) -> None:
        self.future: Future[Any] | None = None
        self.chunk: list[int] = []
        self.deadline = inf
        self._started = 0.0
        self._executor: Any = None
        self._payload = b""
        self._size = 1
        self._lost_loading = 0

    def take(self, job: _Job) -> None:
        """Begin with the job's function, or with the next of its individuals."""
        chunk: list[int] = []
        try:
            if self._payload != job.task.payload:
                self._submit(guard.load, job.task.payload)
                self._payload = job.task.payload
                return
            chunk = job.next(self._size)
            self._submit(guard.run, [job.task.arguments[number] for number in chunk], *job.task.settings, BUDGET)
        except BrokenProcessPool:  # it died while it was idle: no evaluation's fault
            self.stop()
            job.finished(chunk, [])
            return
        self.chunk = chunk
        self._started = time.monotonic()
        time_limit = job.task.settings[1]
        self.deadline = self._started + time_limit + BUDGET + GRACE if time_limit else inf

    def report(self, job: _Job) -> None:
        """Tell the job what became of the chunk, if anything did."""
        if self.future is not None and self.future.done():
            future, chunk = self.future, self.chunk
            self.future, self.chunk, self.deadline = None, [], inf
            error = future.exception()
            if isinstance(error, BrokenProcessPool) and chunk:
                self.stop()
                job.died(chunk, _exit_code(error))
            elif isinstance(error, BrokenProcessPool) and self._lost_loading < LOADS - 1:
                self._lost_loading += 1  # killed from outside, while it loaded the function: it loads it again
                self.stop()
            elif error is not None and not chunk:
                raise RuntimeError(
                    f"{job.task.name}: a worker process could not load the function ({type(error).__name__}: {error}); "
                    "does it import a module that only this process can find? Install it, or register_by_value it"
                ) from error
            elif error is not None:
                raise error
            elif chunk:
                results = future.result()
                self._resize(len(chunk), len(results))
                self._lost_loading = 0
                job.finished(chunk, results)
        elif time.monotonic() > self.deadline:
            chunk = self.chunk
            self.stop()
            job.hung(chunk)

    def stop(self) -> None:
        """Kill the process, if there is one."""
        executor, self._executor = self._executor, None
        self.future, self.chunk, self.deadline, self._payload = None, [], inf, b""
        if executor is not None:
            executor.shutdown(wait=True, kill_workers=True)

    def _submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        if self._executor is None:
            from joblib.externals.loky import ProcessPoolExecutor

            self._executor = ProcessPoolExecutor(1, initializer=guard.prepare, initargs=(getpid(),), env=ENVIRONMENT)
        self.future = self._executor.submit(function, *arguments)

    def _resize(self, given: int, done: int) -> None:
        """Choose how much to take next time, so that a chunk lasts about as long as the budget."""
        if done < given:
            self._size = done
        elif time.monotonic() - self._started < BUDGET / 2:
            self._size = min(2 * self._size, LARGEST_CHUNK)


def _exit_code(error: BaseException) -> str:
    code = re.search(r"\{(.+?)\}", str(error))
    return f", exit code {code[1]}" if code else ""
