"""Who is better than whom, when there are several objectives: fronts, crowding and the order they give.

Source: NSGA-II, Deb et al. 2002, section III. Fronts come from moocore (López-Ibáñez), written in C. Fitness is
turned so that more is better; individuals whose evaluation failed (NaN) come last, whatever the rest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

FloatArray = npt.NDArray[np.float64]


def fronts(fitness: torch.Tensor) -> torch.Tensor:
    """Return the non-dominated front `[n]` (int64) of each individual, 0 the best; failed ones are behind all others.

    Args:
        fitness: `[n, objectives]`, more is better; a row with NaN has failed.
    """
    import moocore

    values = fitness.detach().cpu().numpy().astype(np.float64)
    failed = np.isnan(values).any(axis=1)
    ranks = np.zeros(len(values), dtype=np.int64)
    if not failed.all():
        ranks[~failed] = moocore.pareto_rank(values[~failed], maximise=True)
    ranks[failed] = ranks[~failed].max(initial=-1) + 1
    return torch.from_numpy(ranks).to(fitness.device)


def crowding(fitness: torch.Tensor, front: torch.Tensor, published: bool = False) -> torch.Tensor:
    """Return the crowding distance `[n]` of each individual within its front; more is lonelier, ends are infinite.

    Args:
        fitness: `[n, objectives]`, more is better; no NaN where it matters.
        front: `[n]` the front of each.
        published: scale by `abs(1 / max - min)`, as the published weight agnostic networks code does, in place of
            the `1 / (max - min)` it meant.
    """
    values, ranks = fitness.detach().cpu().numpy(), front.cpu().numpy()
    distance = np.zeros(len(values))
    for column in values.T:
        order = np.lexsort((column, ranks))
        ordered = column[order]
        starts = np.flatnonzero(np.diff(ranks[order], prepend=-1))
        ends = np.append(starts, len(order))[1:] - 1
        gaps = np.zeros(len(order))
        gaps[1:-1] = ordered[2:] - ordered[:-2]
        gaps[gaps > 0] *= np.repeat(_scale(ordered[starts], ordered[ends], published), ends - starts + 1)[gaps > 0]
        gaps[starts] = gaps[ends] = np.inf
        distance[order] += gaps
    return torch.from_numpy(distance).to(fitness.device)


def _scale(low: FloatArray, high: FloatArray, published: bool) -> FloatArray:
    """Return what each front's gaps are multiplied with: 1 where all its values are equal."""
    with np.errstate(divide="ignore"):
        scale = np.abs(1 / high - low) if published else 1 / (high - low)
    return np.where(high > low, scale, 1.0)


def pareto_order(fitness: torch.Tensor, published: bool = False) -> torch.Tensor:
    """Return the individuals `[n]` from best to worst: by front, then by crowding, then by place.

    Args:
        fitness: `[n, objectives]`, more is better; rows with NaN come last.
        published: see `crowding`.
    """
    front = fronts(fitness)
    lonely = crowding(fitness.nan_to_num(nan=0.0), front, published)
    order = np.lexsort((-lonely.cpu().numpy(), front.cpu().numpy()))
    return torch.from_numpy(order.copy()).to(fitness.device)


def score_order(fitness: torch.Tensor) -> torch.Tensor:
    """Return the individuals `[n]` from best to worst of one objective `[n]`; NaN comes last, ties keep their order."""
    return torch.argsort(fitness.nan_to_num(nan=-torch.inf), descending=True, stable=True)


def repeats(values: torch.Tensor) -> torch.Tensor:
    """Return how many earlier rows equal each row of `values` `[n, columns]`: `[n]` int64, 0 where it is the first."""
    _, group = torch.unique(values, dim=0, return_inverse=True)
    order = torch.argsort(group, stable=True)
    place = torch.arange(len(values), device=values.device)
    starts = torch.searchsorted(group[order], group[order])
    return torch.empty_like(place).index_put_((order,), place - starts)
