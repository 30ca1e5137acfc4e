"""How the contestants of a replicate share weights while they are trained and scored.

sequential: one after another, each begins with what the one before it has left (PathNet's serial form).
snapshot: all begin with the same weights, and those of the fittest stay; of equals the last.
together: all take each step at the same time on shared weights, their changes summed (PathNet's parallel
form, A3C-like).

Fitness is the mean accuracy on mini-batches before each is learned from. Where numbers stop being finite, a contestant
fails and its weights stay as they were; among those trained together, all of the replicate's do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from evo.learning.supernet.engine import Engine
from evo.learning.supernet.paths import Paths
from evo.learning.supernet.weights import HEAD, Stack, Weights, add, gathered, scatter


@dataclass(frozen=True)
class Window:
    """The mini-batches that contestants of some replicates meet.

    Attributes:
        replicates: `[m]` int64, in increasing order.
        inputs: `[m, batches, batch, *shape]` float32.
        targets: `[m, batches, batch]` int64.
    """

    replicates: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor

    def of(self, paths: Paths) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs and targets of the replicates of some paths."""
        if len(paths) == len(self.replicates):
            return self.inputs, self.targets
        mine = torch.searchsorted(self.replicates, paths.replicate)
        return self.inputs[mine], self.targets[mine]


@dataclass(frozen=True)
class Lesson:
    """What is needed to teach: who teaches, where weights stand, and how large a step is."""

    engine: Engine
    layout: list[Stack]
    step_size: float


@dataclass(frozen=True)
class Seen:
    """How n paths did in a window.

    Attributes:
        accuracy, loss: `[n]` float64, means over its cases, each before it was learned from.
        finite: `[n]`, whether all numbers stayed so.
    """

    accuracy: torch.Tensor
    loss: torch.Tensor
    finite: torch.Tensor


def sequential(lesson: Lesson, weights: Weights, turns: list[Paths], window: Window) -> list[Seen]:
    """Train the contestants of each turn, which are of different replicates, and change the weights in place."""
    seen = []
    for paths in turns:
        active, logits = _taught(lesson, weights, paths, *window.of(paths))
        seen.append(_seen(logits, window.of(paths)[1], active))
        scatter(weights, lesson.layout, paths, active, seen[-1].finite)
    return seen


def snapshot(lesson: Lesson, weights: Weights, turns: list[Paths], window: Window) -> list[Seen]:
    """Train all contestants from the same weights, and keep what the fittest of each replicate learned."""
    trained, seen = [], list[Seen]()
    best = torch.full((int(window.replicates.max()) + 1,), -1.0, dtype=torch.float64)
    for paths in turns:
        active, logits = _taught(lesson, weights, paths, *window.of(paths))
        trained.append(active)
        seen.append(_seen(logits, window.of(paths)[1], active))
        fitness = seen[-1].accuracy.where(seen[-1].finite, -1.0)
        best[paths.replicate] = torch.maximum(best[paths.replicate], fitness)
    for paths, active, one in reversed(list(zip(turns, trained, seen, strict=True))):
        wins = one.finite & (one.accuracy == best[paths.replicate])
        best[paths.replicate[wins]] = 2.0  # equals before it do not win
        scatter(weights, lesson.layout, paths, active, wins)
    return seen


def together(lesson: Lesson, weights: Weights, turns: list[Paths], window: Window) -> list[Seen]:
    """Train all contestants step by step on shared weights, each step by the sum of their changes."""
    mine = window.replicates
    before = {name: weights[name][mine] for name in (*(stack.name for stack in lesson.layout), *HEAD)}
    logits: list[list[torch.Tensor]] = [[] for _ in turns]
    for step in range(window.inputs.shape[1]):
        changes = []
        for paths, found in zip(turns, logits, strict=True):
            inputs, targets = (part[:, step : step + 1] for part in window.of(paths))
            after, answers = _taught(lesson, weights, paths, inputs, targets)
            found.append(answers)
            changes.append((paths, after, gathered(weights, lesson.layout, paths)))
        for paths, after, given in changes:
            add(weights, lesson.layout, paths, after, given)
    seen = [
        _seen(torch.cat(found, 1), window.of(paths)[1], gathered(weights, lesson.layout, paths))
        for paths, found in zip(turns, logits, strict=True)
    ]
    return _all_or_none(weights, before, mine, turns, seen)


def _all_or_none(
    weights: Weights, before: Weights, mine: torch.Tensor, turns: list[Paths], seen: list[Seen]
) -> list[Seen]:
    """Return the same, but failed where any contestant of the replicate failed; weights there are put back."""
    failed = torch.zeros(int(mine.max()) + 1, dtype=torch.bool)
    for paths, one in zip(turns, seen, strict=True):
        failed[paths.replicate] |= ~one.finite
    for name, values in before.items():
        weights[name][mine[failed[mine]]] = values[failed[mine]]
    return [Seen(one.accuracy, one.loss, ~failed[paths.replicate]) for paths, one in zip(turns, seen, strict=True)]


Contest = Callable[[Lesson, Weights, list[Paths], Window], list[Seen]]
CONTESTS: dict[str, Contest] = {"sequential": sequential, "snapshot": snapshot, "together": together}


def _taught(
    lesson: Lesson, weights: Weights, paths: Paths, inputs: torch.Tensor, targets: torch.Tensor
) -> tuple[Weights, torch.Tensor]:
    """Return what paths use after they were trained on mini-batches, and logits; the weights stay as they are."""
    active = gathered(weights, lesson.layout, paths)
    return active, lesson.engine.descend(active, paths, inputs, targets, lesson.step_size)


def _seen(logits: torch.Tensor, targets: torch.Tensor, active: Weights) -> Seen:
    """Return what logits `[n, batches, batch, classes]` say, and whether all that was learned is finite."""
    answers, right = logits.flatten(1, 2), targets.flatten(1)
    hits = (answers.argmax(2) == right).sum(1)
    # classes in front: torch takes several times as long for a softmax over a short last axis
    losses = -answers.mT.contiguous().log_softmax(1).gather(1, right[:, None])
    loss = torch.stack([each.mean() for each in losses])  # path by path, so that sums have one order in any company
    finite = loss.isfinite()
    for values in active.values():
        finite = finite & torch.from_numpy(np.isfinite(values.flatten(1).numpy()).all(1))  # torch's is 10 times slower
    return Seen(hits.to(torch.float64) / right.shape[1], loss.to(torch.float64), finite)
