"""The rows of an evaluation: whether they may come now, and which of them are trained in one go."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from evo.learning.supernet.kinds import size
from evo.learning.supernet.weights import stacks
from evo.pathways import Pathways
from evo.stateful import State

if TYPE_CHECKING:
    from problems.transfer.task_sequence import TaskSequence

PIECE = 2**21
"""Bytes of weights that replicates taught at a time have on their paths, so that they stay in a processor's cache."""


def check(problem: TaskSequence, paths: Pathways, state: State) -> None:
    """Raise ValueError where rows are not for the problem, or for no task that may come now."""
    if paths.counts != problem.modules_per_layer:
        raise ValueError(
            f"phenotypes: {type(problem).__name__} has layers of {problem.modules_per_layer} modules, got pathways for "
            f"{paths.counts}; make the genome with its for_problem"
        )
    for name, most in (("replicate", problem.replicates), ("task", problem.tasks)):
        found = getattr(paths, name)
        if len(found) and int(found.max()) >= most:
            raise ValueError(
                f"{name}: {type(problem).__name__} has {name}s={most}, numbered from 0, got {int(found.max())}; give "
                f"the problem and the algorithm the same {name}s"
            )
    for replicate in torch.unique(paths.replicate).tolist():
        asked = torch.unique(paths.task[paths.replicate == replicate]).tolist()
        at_hand, scored = int(state["task"][replicate]), bool(state["best"][replicate].any())
        if asked not in ([at_hand], [at_hand + 1] if scored else None):
            raise ValueError(
                f"task: replicate {replicate} is at task {at_hand}, "
                f"{'' if scored else 'for which nobody has a score yet, '}got rows for {asked}; a generation's "
                f"rows of a replicate are for that task, or all for the next one, which ends it"
            )


def pieces(problem: TaskSequence, paths: Pathways) -> Iterator[list[torch.Tensor]]:
    """Return rows that are trained in one go: for each turn those of different replicates, in their order.

    Replicates in one piece are at the same task and have as many rows.
    """
    rows_of: dict[int, list[int]] = {}
    for row, replicate in enumerate(paths.replicate.tolist()):
        rows_of.setdefault(replicate, []).append(row)
    alike: dict[tuple[int, int], list[list[int]]] = {}
    for _, rows in sorted(rows_of.items()):
        alike.setdefault((int(paths.task[rows[0]]), len(rows)), []).append(rows)
    most = max(1, PIECE // _bytes(problem, paths))
    for rows_by_replicate in alike.values():
        pieces = -(-len(rows_by_replicate) // most)
        for piece in torch.tensor(rows_by_replicate).tensor_split(pieces):
            yield list(piece.T)


def _bytes(problem: TaskSequence, paths: Pathways) -> int:
    """Return how large the weights of one path are."""
    active = paths.modules.shape[2]
    return 4 * active * sum(size(stack.shape) for stack in stacks(problem.supernet, problem.input_shape))
