"""Evaluations on the nodes of a cluster: each evaluates its share as this machine would, and is replaced when it dies.

A share of a plain function's evaluations runs on a node in a worker process of the node's own
(`evo.evaluation.workers`), so whatever the function does is caught there, and told by name, as on one machine. What is
left to the cluster's scheduler is the loss of a node: it runs the node's shares again on another. Batch problems are
shared out too: a score depends neither on place nor on neighbours, so parts of a batch score as the whole does.

What is sent: the function or the problem once per evaluation of a generation, each share's phenotypes, and results
back. Nothing is stored on nodes: journals, champions and states stay with the process that runs the campaign.
"""

from __future__ import annotations

import multiprocessing
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, Self, final

import cloudpickle
import numpy as np
import torch

from evo.evaluation import guard
from evo.evaluation.packing import Packer, Task, as_bytes
from evo.function_problem import FunctionProblem
from evo.outcome import Outcomes
from evo.problem import Problem
from evo.stateful import StatefulProblem

SHARES = 4
"""Shares of a batch that each slot gets on average, so that no slot waits long for the last one."""


class Cluster(ABC):
    """Nodes that run functions, and a scheduler that runs what was lost with a node on another."""

    @abstractmethod
    def slots(self) -> int:
        """Return how many functions may run at a time now, over all nodes; at least 1."""

    @abstractmethod
    def map(self, function: Callable[..., Any], shared: bytes, parts: list[bytes]) -> list[Any]:
        """Return `function(shared, part)` for each part, in order; `shared` is sent to a node once, not once a part.

        Raises:
            RuntimeError: the function raised, or could not be run anywhere; the text says what to do.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of the nodes."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@final
class ClusterPool:
    """Scores on a cluster as `evo.evaluation.workers.WorkerPool` does on a machine.

    Args:
        cluster: where.
    """

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self._packer = Packer()

    def evaluate(self, problem: Problem, phenotypes: Any, rng: np.random.Generator) -> list[Outcomes]:
        """Score phenotypes on the nodes, and return the outcomes of one part after the other.

        Joined, they are those of one machine.

        Args:
            problem: a function of one phenotype, or any problem whose phenotypes can be taken in slices. One with a
                state, or whose individuals live on, is evaluated here.
            phenotypes: n of them, of the type that the problem accepts.
            rng: all draws; each node draws the same from it.

        Raises:
            RuntimeError: the cluster could not do it.
        """
        if isinstance(problem, FunctionProblem):
            return [self._one_by_one(problem, phenotypes, rng)]
        if isinstance(problem, StatefulProblem) or problem.lifelong or not hasattr(phenotypes, "__getitem__"):
            return [problem.evaluate(phenotypes, rng)]
        shares = self._shares(len(phenotypes))
        parts = [as_bytes(phenotypes[share], f"{problem.name}: a share of the phenotypes") for share in shares]
        return self.cluster.map(evaluate_slice, cloudpickle.dumps((problem, rng)), parts)

    def _one_by_one(self, problem: FunctionProblem, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        task = self._packer.pack(problem, phenotypes, rng)
        parts = [cloudpickle.dumps(task.arguments[share]) for share in self._shares(len(task.arguments))]
        shared = cloudpickle.dumps((task.name, task.payload, task.settings))
        results: list[list[guard.Result]] = self.cluster.map(evaluate_one_by_one, shared, parts)
        return problem.outcomes([result for part in results for result in part], phenotypes)

    def _shares(self, count: int) -> Iterator[slice]:
        """Yield slices that make up `count` individuals, about as many each."""
        size = max(1, -(-count // (SHARES * self.cluster.slots())))
        for first in range(0, count, size):
            yield slice(first, min(first + size, count))


# What follows runs on nodes.

_here = threading.local()


def evaluate_one_by_one(shared: bytes, part: bytes) -> list[guard.Result]:
    """Return the results of a share of a plain function's evaluations, from a worker process of this node's."""
    from evo.evaluation.workers import WorkerPool

    name, payload, settings = cloudpickle.loads(shared)
    if not hasattr(_here, "pool"):
        _may_have_children()
        _here.pool = WorkerPool(1)
    pool: WorkerPool = _here.pool
    return pool.results(Task(name, payload, cloudpickle.loads(part), settings))


def _may_have_children() -> None:
    """Let this node's process start others, where its nanny has made it a daemon, as Dask's do.

    Daemons may not, lest their children outlive them; ours end with their parent (`guard.end_with`).
    """
    settings: dict[str, Any] = getattr(multiprocessing.current_process(), "_config", {})
    settings["daemon"] = False


def evaluate_slice(shared: bytes, part: bytes) -> Outcomes:
    """Return the outcomes of a slice of a batch."""
    problem, rng = cloudpickle.loads(shared)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as a run has it: more threads change sums' last bits
    try:
        outcomes: Outcomes = problem.evaluate(cloudpickle.loads(part), rng)
        return outcomes
    finally:
        torch.set_num_threads(threads)
