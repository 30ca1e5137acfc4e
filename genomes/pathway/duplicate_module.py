"""Module duplication: a useful module is taken into other pathways.

Source: PathNet (Fernando et al. 2017, arXiv:1701.08734), the Labyrinth experiments, where globally useful modules are
copied into other slots. There the weights are copied; here it is a pathway's slot that is given a useful module's
number, so that the two share the weights.
"""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds


def usefulness(modules: torch.Tensor, counts: tuple[int, ...], fitness: torch.Tensor) -> torch.Tensor:
    """Return the mean fitness of the pathways that have each module, `[layers, modules of the largest layer]` float64.

    NaN for a module that none of them has.

    Args:
        modules: `[n, layers, active]`; a number that comes twice in a layer counts once.
        counts: how many modules each layer has.
        fitness: `[n]`, more is better; NaN for a pathway that takes no part.
    """
    known = ~fitness.isnan()
    have = torch.zeros(int(known.sum()), len(counts), max(counts), dtype=torch.float64, device=modules.device)
    have.scatter_(2, modules[known].to(torch.int64), 1.0)
    return (have * fitness[known].to(have)[:, None, None]).sum(0) / have.sum(0)


def duplicate_module(
    modules: torch.Tensor, weights: torch.Tensor, rate: float, rng: np.random.Generator
) -> torch.Tensor:
    """Return modules of which, with probability `rate`, a pathway has one slot of one layer given to a drawn module.

    Args:
        modules: `[n, layers, active]`, whole numbers.
        weights: `[layers, modules of the largest layer]`: modules of a layer are drawn in proportion; not negative, 0
            where a layer has no such module. A layer without any weight stays as it is.
        rate: see above.
        rng: draws the layer, the slot and the module.
    """
    n, layers, active = modules.shape
    layer, slot = (seeds.integers(rng, high, (n,), modules) for high in (layers, active))
    ends = weights.to(torch.float64).cumsum(1)[layer]
    drawn = torch.from_numpy(rng.random((n, 1))).to(ends) * ends[:, -1:]
    module = torch.searchsorted(ends, drawn, right=True).squeeze(1).clamp(max=weights.shape[1] - 1)
    copied = torch.from_numpy(rng.random(n) < rate).to(modules.device) & (ends[:, -1] > 0)
    duplicated = modules.clone()
    places = torch.nonzero(copied).flatten()
    duplicated[places, layer[places], slot[places]] = module[places].to(modules)
    return duplicated
