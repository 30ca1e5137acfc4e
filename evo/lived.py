"""What became of learners in a stretch of their lives, and how groups of them become one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import torch

from evo.learners import Learners


@dataclass(frozen=True)
class Lived:
    """What became of n learners.

    Attributes:
        learners: as they are afterwards.
        scores: `[n]` float64; NaN where a learner's numbers stopped being finite.
        measured: what else was seen, by name, `[n, ...]`.
    """

    learners: Learners
    scores: torch.Tensor
    measured: dict[str, torch.Tensor]


def joined(lived: Sequence[Lived], order: torch.Tensor) -> Lived:
    """Return groups of learners as one batch, in the order `[n]` given."""

    def together(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
        widest = max(each.shape[1:].numel() for each in tensors)
        if any(each.shape[1:].numel() < widest for each in tensors):  # an optimiser's state that only some have yet
            tensors = [torch.nn.functional.pad(each, (0, widest - each.shape[1])) for each in tensors]
        return torch.cat(list(tensors))[order.to(tensors[0].device)]

    groups = [part.learners for part in lived]
    changed: dict[str, Any] = {
        field.name: together([getattr(group, field.name) for group in groups])
        for field in fields(Learners)
        if isinstance(getattr(groups[0], field.name), torch.Tensor)
    }
    settings = {name: together([group.settings[name] for group in groups]) for name in groups[0].settings}
    measured = {name: together([part.measured[name] for part in lived]) for name in lived[0].measured}
    return Lived(replace(groups[0], **changed, settings=settings), together([part.scores for part in lived]), measured)
