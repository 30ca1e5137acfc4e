"""Which units are replaced at a step: the continual half of continual backprop (Dohare et al. 2024, algorithm 1).

Of each layer, a share of the units that are old enough, those of least utility. Units are seldom due, so what this
step asks every time is only how many.
"""

from __future__ import annotations

import torch

from evo.learners import Rules
from evo.learning import draws


def numbers_due(
    rules: Rules,
    rate: torch.Tensor,
    eligible: torch.Tensor,
    units: torch.Tensor,
    due: torch.Tensor,
    start: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return how many units of each layer are replaced now, `[n, layers]` int64.

    Args:
        rules: how fractions of a unit are dealt with.
        rate: `[n, 1]` float64, replacement rates.
        eligible: `[n, layers]` int64, units that are old enough.
        units: `[layers]` int64, all units.
        due: `[n, layers]` float64, fractions of units from earlier steps; changed in place where they add up.
        start: `[n]` int64, of `draws.moment`; needed where they do not.
    """
    counted = torch.where(eligible > 0, units, 0) if rules.count_all else eligible
    expected = rate * counted
    if rules.accumulate:
        due.add_(expected)
        numbers = torch.minimum(due.floor().to(torch.int64), eligible)
        due.sub_(numbers)
        return numbers
    if start is None:
        raise ValueError("numbers_due: start: draws are needed where rules.accumulate is False, got None")
    drawn = draws.uniform(start, torch.arange(len(units), device=start.device))
    return torch.where(expected < 1, drawn < expected, expected.floor()).to(torch.int64).minimum(eligible)


def least(ranking: torch.Tensor, eligible: torch.Tensor, numbers: torch.Tensor) -> torch.Tensor:
    """Return which units are least: that many of the eligible ones, the first of equals, `[n, units]` bool.

    Args:
        ranking: `[n, units]`; what is not a number ranks last.
        eligible: `[n, units]` bool.
        numbers: `[n]` int64, at most as many as are eligible.
    """
    largest = torch.finfo(ranking.dtype).max
    ranking = torch.where(eligible, ranking.nan_to_num(nan=largest, posinf=largest), torch.inf)
    places = ranking.argsort(dim=1, stable=True).argsort(dim=1)
    return places < numbers[:, None]
