"""Teaching any learners on any device: torch, all learners of a population in one batch.

Learners are sorted by activation, so that those with one are neighbours, and taken in pieces that fit the processor's
cache or the device's memory. What becomes of a learner on a CPU depends on neither its neighbours, the pieces nor the
threads, to the bit, with one thread inside torch as a run has it; on other devices libraries choose the order of sums.
"""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import pairwise
from typing import Any

import torch

from evo.evaluation.threads import share
from evo.learners import Learners
from evo.learning.denormals import flushed
from evo.learning.lesson import Lesson
from evo.learning.plasticity.online_normalization import newborn
from evo.learning.training import Record
from evo.stream import Segment

PIECE = {"cpu": 2**23}
"""Bytes of weights, states and features that learners in one piece have together, by the kind of device."""
LARGEST_PIECE = 2**32
"""The same where the kind of device is not named."""


def learn_batched(learners: Learners, segment: Segment, bins: int = 1) -> tuple[Learners, Record]:
    """Return learners as they are after a segment, and what was measured on the way.

    Arguments are those of `evo.learning.training.learn`, which makes sure that they fit one another.

    Raises:
        ValueError: a learner's stream is not among the segment's.
    """
    learners, segment = _with_room(learners), segment.to(learners.device)
    order = learners.activation.argsort(stable=True)
    lessons = [Lesson(learners[some], segment) for some in torch.split(order, _piece(learners, segment.batch))]

    def live(first: int, last: int) -> None:
        with flushed():
            for lesson in lessons[first:last]:
                lesson.live()

    share(live, len(lessons), learners.execution.threads)
    back = order.argsort()
    return _joined([lesson.learners for lesson in lessons])[back], _record(lessons, bins, back)


def _with_room(learners: Learners) -> Learners:
    """Return learners with all the state that their rules need, zeros where they had none."""
    momentum = bool(learners.settings["momentum"].any())
    adam = learners.rules.optimizer == "adam"
    made: dict[str, Any] = {
        name: torch.zeros_like(learners.weights)
        for name, needed in (("first_moment", adam or momentum), ("second_moment", adam), ("moment_steps", adam))
        if needed and not getattr(learners, name).shape[1]
    }
    architecture = learners.architecture
    if architecture.normalization == "online" and learners.normalization_state is None:
        made["normalization_state"] = newborn(len(learners), architecture.units, learners.device)
    return replace(learners, **made)


def _piece(learners: Learners, batch: int) -> int:
    """Return how many learners are taught together."""
    layers, kind = learners.architecture.layers, learners.device.type
    if kind == "cpu" and learners.architecture.convolutions:
        return 1
    features = batch * sum(
        layer.outputs * layer.places * (layer.convolution.pool**2 if layer.convolution else 1) for layer in layers
    )
    each = 4 * (6 * learners.architecture.parameters + 6 * features)
    fitting = max(1, PIECE.get(kind, LARGEST_PIECE) // each)
    return min(fitting, -(-len(learners) // learners.execution.threads))


def _joined(pieces: list[Learners]) -> Learners:
    """Return learners as one population again."""
    first = pieces[0]
    joined: dict[str, Any] = {
        field.name: torch.cat([getattr(piece, field.name) for piece in pieces])
        for field in fields(Learners)
        if isinstance(getattr(first, field.name), torch.Tensor)
    }
    settings = {name: torch.cat([piece.settings[name] for piece in pieces]) for name in first.settings}
    return replace(first, **joined, settings=settings)


def _record(lessons: list[Lesson], bins: int, back: torch.Tensor) -> Record:
    """Return what lessons noted, with learners in the order `back`, `[n]`."""
    steps = lessons[0].segment.steps
    bounds = [-(-number * steps // bins) for number in range(bins + 1)]

    def means(values: list[torch.Tensor]) -> torch.Tensor:
        rows = torch.cat(values).to(torch.float64)[back]
        return torch.stack([rows[:, first:last].mean(1) for first, last in pairwise(bounds)], 1)

    return Record(
        loss=means([lesson.losses for lesson in lessons]),
        correct=means([lesson.right for lesson in lessons]),
        replaced=torch.cat([lesson.turnover.replaced for lesson in lessons])[back],
        gradient_norm=torch.cat([lesson.length for lesson in lessons])[back] / steps,
    )
