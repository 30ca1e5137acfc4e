"""How an optimiser descends, beside those of people: losses on the way, and the way itself on one quadratic."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.inspect.curves import Line
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.learned_optimiser import Move, Optimise, descend, mover
from evo.optimisees import Quadratics
from evo.optimisers import LearnedOptimisers
from evo.tasks import TaskDistribution
from problems.meta import hand_optimisers

STEP_SIZES = hand_optimisers.STEP_SIZES[::2]
"""Among which people's optimisers get their best, powers of 10 in halves."""
BESIDE = ("SGD", "NAG", "Adam")
"""Those whose way is drawn too."""


def descents(tasks: TaskDistribution, lifetime: Lifetime, optimisers: LearnedOptimisers, count: int) -> list[Chart]:
    """Return charts of the first optimiser's descents on the first `count` test tasks."""
    if not isinstance(lifetime, Optimise):
        return []
    some = replace(tasks, split="test").sample(count, np.random.default_rng(0)).to(optimisers.device)
    others = replace(tasks, split="train").sample(count, np.random.default_rng(1)).to(optimisers.device)
    known = hand_optimisers.baselines(some, others, STEP_SIZES)
    curves = {name: found.losses.mean(0) for name, found in known.items()}
    curves["champion"] = descend(mover(optimisers[:1]), some)[0].mean(0)
    charts = [_losses(curves, count, [name for name, found in known.items() if found.end])]
    if isinstance(some, Quadratics):
        moves = {name: hand_optimisers.OPTIMISERS[name](known[name].step_size) for name in BESIDE}
        charts.append(_ways(some[:1], {**moves, "champion": mover(optimisers[:1])}))
    return charts


def _losses(curves: Mapping[str, torch.Tensor], count: int, at_ends: Sequence[str]) -> Chart:
    lines = [
        Line(
            name,
            list(range(len(losses))),
            [math.log10(loss) if loss > 0 else math.nan for loss in losses.tolist()],
            colour=0 if name == "champion" else 1 + number % 5,
            kind="strong" if name == "champion" else "dashed",
        )
        for number, (name, losses) in enumerate(curves.items())
    ]
    said = f"Mean loss of {count} test tasks, step by step; step sizes of people's optimisers are the best on others."
    if at_ends:
        said += f" Of {', '.join(at_ends)} it is an end of those tried: a better one may lie beyond."
    return Chart("Descents", said, "step", "loss, power of 10", tuple(lines))


def way(move: Move, task: Quadratics) -> torch.Tensor:
    """Return where an optimiser is on its way down one task, `[steps + 1, coordinates]`."""
    places: list[torch.Tensor] = []

    def watched(gradients: torch.Tensor, here: torch.Tensor, number: int) -> torch.Tensor:
        places.append(here[0, 0])
        return move(gradients, here, number)

    descend(watched, replace(task, steps=task.steps + 1))  # the last move is only asked for: it shows where one stands
    return torch.stack(places)


def _ways(task: Quadratics, moves: Mapping[str, Move]) -> Chart:
    """Return the chart of ways in the plane of the steepest direction and a middle one; the lowest point is 0."""
    _, _, directions = torch.linalg.svd(task.matrices[0])
    lowest = torch.linalg.lstsq(task.matrices[0], task.targets[0][:, None]).solution[:, 0]
    plane = directions[[0, len(directions) // 2]].T
    lines = []
    for number, (name, move) in enumerate(moves.items()):
        across, up = ((way(move, task) - lowest) @ plane).T.tolist()
        kind = "strong" if name == "champion" else "dashed"
        lines.append(Line(name, across, up, colour=0 if name == "champion" else 1 + number, kind=kind))
    said = "One test task, in the plane of its steepest direction and a middle one; its lowest point is (0, 0)."
    return Chart("A way down", said, "along the steepest direction", "along the middle one", tuple(lines))
