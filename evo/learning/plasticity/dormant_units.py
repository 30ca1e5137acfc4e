"""Which units are dormant (ReDo: Sokar et al. 2023, definition 3.1): they give little beside others of their layer.

Age does not protect a unit, as published. A unit that was replaced at this very step has given nothing yet: it is left
alone, and no part of the mean. Where all units of a layer give nothing, all are dormant.
"""

from __future__ import annotations

import torch


def dormant(magnitudes: torch.Tensor, ages: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
    """Return which units of a layer are dormant, `[n, units]` bool.

    Args:
        magnitudes: `[n, units]`, the mean size of what units give.
        ages: `[n, units]`.
        threshold: `[n, 1]`, as a share of the layer's mean.
    """
    scored = ages > 0
    mean = torch.where(scored, magnitudes, 0.0).sum(1, keepdim=True) / scored.sum(1, keepdim=True)
    return scored & (magnitudes <= threshold * mean)


def renewal_due(period: torch.Tensor, lived: torch.Tensor, step: int) -> torch.Tensor:
    """Return whose dormant units are renewed after a step, `[n]` bool.

    Args:
        period: `[n]` int64, steps between renewals, 0 for never.
        lived: `[n]` int64, the learners' steps before this segment.
        step: of the segment, from 0.
    """
    return (period > 0) & ((lived + step + 1) % period.clamp(min=1) == 0)
