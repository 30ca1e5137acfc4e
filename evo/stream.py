"""The contract of a stream: an endless series of segments that learners live through, one after the other.

A segment names its cases and the order in which each stream meets them, and nothing of it is random any more: engines
only walk it. Learners on one stream meet the same cases in the same order, whatever their settings (paired streams).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

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
            of pixels); None where they are read as they stand. Only for inputs without channels. With several of them,
            `[streams, several, features]`, a stream has as many times the cases: number `k * cases + i` is case `i`
            read by the k-th.
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

    def to(self, device: torch.device) -> Segment:
        """Return the segment on a device."""
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        moved: dict[str, Any] = {
            name: part.to(device) for name, part in parts.items() if isinstance(part, torch.Tensor)
        }
        return replace(self, **moved)

    def read(self, places: torch.Tensor, cases: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs `[n, k, *shape]`, as networks read them, and targets `[n, k, ...]`.

        Args:
            places: `[n]` int64, of streams in this segment.
            cases: `[n, k]` int64, numbers of cases of each.
        """
        table = self.table[places, None]
        if self.columns is None:
            return self.inputs[table, cases], self.targets[table, cases]
        columns = self.columns[places, None]
        if self.columns.dim() == 3:
            count = self.inputs.shape[1]
            columns, cases = self.columns[places[:, None], cases // count], cases % count
        return self.inputs[table[..., None], cases[..., None], columns], self.targets[table, cases]

    def first(self, places: torch.Tensor, most: int) -> torch.Tensor:
        """Return the numbers of the first cases that streams at `places` `[n]` meet, `[n, k]` int64, at most `most`.

        Where there are no more than that, all of them, in the order of the table.
        """
        several = self.columns.shape[1] if self.columns is not None and self.columns.dim() == 3 else 1
        count = several * self.inputs.shape[1]
        if count <= most:
            return torch.arange(count, device=self.order.device).expand(len(places), count)
        return self.order[:, :most].flatten(1)[:, :most][places]

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
