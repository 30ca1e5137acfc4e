"""The contract of a stream: an endless series of segments that learners live through, one after the other.

A segment names its cases and the order in which each stream meets them, and nothing of it is random any more: engines
only walk it. Learners on one stream meet the same cases in the same order, whatever their settings (paired streams).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

LOSSES = ("squared", "cross_entropy")


@dataclass(frozen=True)
class Segment:
    """A stretch of one or more streams.

    Attributes:
        streams: `[streams]` int64, the numbers of the streams described, each once, in increasing order.
        inputs: `[tables, cases, *shape]` float32.
        targets: `[tables, cases, outputs]` float32 for squared errors, or `[tables, cases]` int64, classes.
        table: `[streams]` int64, which table each stream draws from.
        order: `[streams, steps, batch]` int64, the cases of each step.
        loss: "squared", the mean over outputs and batch (its gradient has the factor 2), or "cross_entropy" of a
            softmax, in nats, the mean over the batch.
        columns: `[streams, features]` int64, for each input of the network the feature that it reads (a permutation
            of pixels); None where they are read as they stand. Only for inputs without channels.
        classes: how many outputs take part in the softmax, from the first; 0 for all.
        reset_head: whether the last layer's weights and biases are set to 0 before the first step.
        before: steps of all segments before this one; None where each has as many as this one.
    """

    streams: torch.Tensor
    inputs: torch.Tensor
    targets: torch.Tensor
    table: torch.Tensor
    order: torch.Tensor
    loss: str
    columns: torch.Tensor | None = None
    classes: int = 0
    reset_head: bool = False
    before: int | None = None

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise ValueError(f"Segment: loss is one of {', '.join(LOSSES)}, got {self.loss!r}")
        if self.order.dim() != 3 or len(self.order) != len(self.streams) or len(self.table) != len(self.streams):
            raise ValueError(
                f"Segment: order is [streams, steps, batch] and table [streams] for {len(self.streams)} streams, got "
                f"{list(self.order.shape)} and {list(self.table.shape)}"
            )

    @property
    def steps(self) -> int:
        """How many updates each learner makes."""
        return self.order.shape[1]

    @property
    def batch(self) -> int:
        """How many cases each update learns from."""
        return self.order.shape[2]

    def lived(self, segments: torch.Tensor) -> torch.Tensor:
        """Return how many steps learners with so many segments `[n]` behind them have made, `[n]` int64."""
        return segments * self.steps if self.before is None else torch.full_like(segments, self.before)

    def places(self, streams: torch.Tensor) -> torch.Tensor:
        """Return where each of the streams `[n]` stands in this segment, `[n]` int64.

        Raises:
            ValueError: a stream is not described here.
        """
        places = torch.searchsorted(self.streams, streams.to(self.streams))
        if bool((self.streams[places.clamp(max=len(self.streams) - 1)] != streams.to(self.streams)).any()):
            raise ValueError(f"Segment: learners live on streams that are not among {self.streams.tolist()[:8]} ...")
        return places
