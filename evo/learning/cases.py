"""What each of n learners meets in a segment, step by step."""

from __future__ import annotations

from typing import final

import torch

from evo.learners import Learners
from evo.stream import Segment


@final
class Cases:
    """The cases of a segment as n learners meet them.

    Args:
        segment: with the learners' streams among its own.
        learners: n of them.

    Raises:
        ValueError: a stream is not among the segment's.
    """

    def __init__(self, segment: Segment, learners: Learners) -> None:
        device = learners.device
        self.place = segment.places(learners.stream).to(device)
        self.inputs, self.targets, self.order = (
            values.to(device) for values in (segment.inputs, segment.targets, segment.order)
        )
        self.table = segment.table.to(device)[self.place, None]
        self.columns = None if segment.columns is None else segment.columns.to(device)[self.place, None]

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the inputs `[n, batch, *shape]` and targets `[n, batch, ...]` of a step."""
        cases = self.order[self.place, step]
        targets = self.targets[self.table, cases]
        if self.columns is None:
            return self.inputs[self.table, cases], targets
        return self.inputs[self.table[..., None], cases[..., None], self.columns], targets
