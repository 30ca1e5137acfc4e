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
        self.place = segment.places(learners.stream).to(learners.device)
        self.segment = segment.to(learners.device)

    def __call__(self, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the inputs `[n, batch, *shape]` and targets `[n, batch, ...]` of a step."""
        return self.segment.read(self.place, self.segment.order[self.place, step])

    def first(self, most: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs and targets of the first cases, `most` at the most; see `evo.stream.Segment.first`."""
        return self.segment.read(self.place, self.segment.first(self.place, most))
