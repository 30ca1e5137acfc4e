"""Paths through a supernet, as engines take them: which modules, whose weights, and which of them learn."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evo.pathways import modules_used


@dataclass(frozen=True)
class Paths:
    """Some paths, all for one task.

    Places that hold no module, or one that is there already, are not `present`: they count for nothing.

    Attributes:
        replicate: `[n]` int64, whose weights each uses; each once, in increasing order.
        modules: `[n, layers, places]` int64.
        present: `[n, layers, places]` bool.
        trained: `[n, layers, places]` bool: present, and not frozen.
        task: which head they use.
        classes: outputs of that head.
    """

    replicate: torch.Tensor
    modules: torch.Tensor
    present: torch.Tensor
    trained: torch.Tensor
    task: int
    classes: int

    def __len__(self) -> int:
        return len(self.replicate)


def places(sets: torch.Tensor, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return sets of modules `[n, layers, most]` as numbers in increasing order, and which of them are there.

    Returns:
        Modules `[n, layers, width]`, and booleans of that shape; what is not there is 0.
    """
    order = (~sets).to(torch.uint8).argsort(dim=2, stable=True)[:, :, :width]
    there = sets.gather(2, order)
    return order.where(there, 0), there


def routed(
    modules: torch.Tensor,
    distinct: torch.Tensor,
    counts: tuple[int, ...],
    replicate: torch.Tensor,
    frozen: torch.Tensor,
    carried: torch.Tensor | None,
    task: int,
    classes: int,
) -> Paths:
    """Return paths as engines take them.

    Args:
        modules, distinct: `[n, layers, active]`, of a `Pathways`.
        counts: modules of each layer; the largest is `most`.
        replicate: `[n]`.
        frozen: `[n, layers, most]`, the modules that must not learn.
        carried: `[n, layers, most]`, modules that are active beside the path; None for none.
        task, classes: of the head.
    """
    present = distinct
    if carried is not None:
        active, most = modules.shape[2], max(counts)
        added = carried & ~modules_used(modules, counts)
        # as many places for every replicate at this task, so that sums have one order in any company
        width = min(most, max(active * task, int(added.sum(2).max())))
        others, there = places(added, width)
        modules, present = torch.cat([modules, others], 2), torch.cat([present, there], 2)
    return Paths(replicate, modules, present, present & ~frozen.gather(2, modules), task, classes)
