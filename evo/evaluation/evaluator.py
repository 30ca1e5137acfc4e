"""From rows to outcomes: express, run where the problem runs best, and turn every failure into an outcome."""

from __future__ import annotations

import traceback
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import numpy as np
import torch

from evo import seeds
from evo.evaluation.cluster import Cluster, ClusterPool
from evo.evaluation.guard import own_place
from evo.evaluation.workers import WorkerPool
from evo.function_problem import FunctionProblem
from evo.genome import Genome
from evo.learners import Learners
from evo.networks import Execution, Networks
from evo.outcome import Outcome, Outcomes, join
from evo.problem import Problem
from evo.stateful import State, StatefulProblem


class Evaluator:
    """Scores rows of any genome on one problem.

    A user's function of one genome runs in worker processes; everything else is a batch in this process, compiled
    networks on several threads; or both run on a cluster. Results are the same for any number of workers and nodes.

    Args:
        problem: what to score on.
        workers: how many processes, or threads, share the work.
        engine: "compiled" or "torch", what runs networks.
        cluster: whose nodes do the work; None for this machine. It stays open.

    Attributes:
        state: of a problem that has one, as the last evaluation left it; while it is None, each evaluation begins
            with a new one.
    """

    def __init__(
        self, problem: Problem, workers: int = 1, engine: str = "compiled", cluster: Cluster | None = None
    ) -> None:
        self.problem = problem
        self.execution = Execution(engine, 1 if cluster else workers)
        self._stack = ExitStack()
        self._pool: WorkerPool | None = None
        self.state: State | None = None
        self._cluster = ClusterPool(cluster) if cluster else None
        if cluster is None and isinstance(problem, FunctionProblem):
            self._pool = self._stack.enter_context(WorkerPool(workers))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def evaluate(self, genome: Genome, rows: torch.Tensor, rng: np.random.Generator) -> Outcomes:
        """Return the outcomes of rows `[n, L]`; an exception in a batch fails all of it, and is recorded."""
        try:
            phenotypes = genome.express(rows)
            heirs = self._heirs(len(rows), rng)
            if isinstance(self.problem, StatefulProblem) and self.state is not None:
                with own_place():
                    outcomes, state = self.problem.evaluate_from(phenotypes, rng, self.state)
                outcomes = inherit(genome, rows, outcomes, heirs)
                self.state = state  # last: what raises leaves it as it was
                return outcomes
            first, parts = 0, []
            for part in self._scored(phenotypes, rng):
                here = slice(first, first + len(part))
                parts.append(inherit(genome, rows[here], part, heirs[here]))
                first += len(part)
            return parts[0] if len(parts) == 1 else join(parts)
        except Exception:
            scores = torch.full((len(rows), len(self.problem.objectives)), torch.nan, dtype=torch.float64)
            return Outcomes(scores, (Outcome.RAISED,) * len(rows), {0: traceback.format_exc(limit=-8)})

    def _heirs(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        """Return which of `count` individuals may take over what they learn; `rng` is left as it was."""
        share = getattr(self.problem, "inheriting_share", 1.0)
        if share >= 1:
            return torch.ones(count, dtype=torch.bool)
        root = int(deepcopy(rng).integers(2**63))  # tasks stay those of any share, and of any count
        return torch.from_numpy(seeds.rng(root, "heirs").random(count) < share)

    def score(self, phenotypes: Any, rng: np.random.Generator) -> Outcomes:
        """Return the outcomes of phenotypes; raises what a batch problem raises."""
        parts = self._scored(phenotypes, rng)
        return parts[0] if len(parts) == 1 else join(parts)

    def _scored(self, phenotypes: Any, rng: np.random.Generator) -> list[Outcomes]:
        """Return the outcomes of phenotypes, in parts where they were scored in parts."""
        if isinstance(phenotypes, Networks | Learners):
            phenotypes = phenotypes.on(self.execution)
        if self._cluster is not None:
            return self._cluster.evaluate(self.problem, phenotypes, rng)
        if self._pool is not None and isinstance(self.problem, FunctionProblem):
            return [self._pool.evaluate(self.problem, phenotypes, rng)]
        with own_place():
            return [self.problem.evaluate(phenotypes, rng)]


def inherit(genome: Genome, rows: torch.Tensor, outcomes: Outcomes, heirs: torch.Tensor) -> Outcomes:
    """Return outcomes with the rows `[n, L]` that took over what was learned, where anything was to be taken over.

    Rows that are no `heirs` `[n]`, and those whose evaluation failed, stay as they were.

    Raises:
        TypeError: the genome cannot take anything over.
        ValueError: it returned rows of another shape.
    """
    if outcomes.learned is None:
        return outcomes
    absorbed = genome.absorb(rows, outcomes.learned)
    if absorbed.shape != rows.shape:
        raise ValueError(
            f"absorb: expected rows of shape {list(rows.shape)}, as it was given, got {list(absorbed.shape)} from "
            f"{type(genome).__name__}"
        )
    takes = (outcomes.ok.cpu() & heirs).to(rows.device)
    kept = torch.where(takes[:, None], absorbed.to(rows), rows)
    return replace(outcomes, learned=None, rows=kept)
