"""The phenotype of pathway genomes: which modules of a large shared network each individual runs through and trains.

Source: PathNet (Fernando et al. 2017, arXiv:1701.08734), section 2: a layer has many modules, and a pathway chooses at
most so many distinct ones in each. The weights are no part of it: they are the problem's state (`evo.stateful`), shared
by all individuals of a replicate.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch


@final
@dataclass(frozen=True)
class Pathways:
    """A population of pathways.

    Attributes:
        modules: `[n, layers, active]` int64: for each layer the numbers of the modules chosen. It is a set: a number
            that comes again counts once; see `distinct`.
        counts: how many modules each layer of the network has; numbers in layer l are from 0 to `counts[l] - 1`.
        replicate: `[n]` int64: the independent run that each belongs to. A replicate has weights and draws of its own.
        task: `[n]` int64: which task of the sequence each is for, from 0.

    Raises:
        ValueError: shapes do not fit, or a module, replicate or task is out of range.
    """

    modules: torch.Tensor
    counts: tuple[int, ...]
    replicate: torch.Tensor
    task: torch.Tensor

    def __post_init__(self) -> None:
        n, layers = len(self.modules), len(self.counts)
        if self.modules.dim() != 3 or self.modules.shape[1] != layers or self.modules.shape[2] < 1:
            raise ValueError(
                f"Pathways: modules has the shape [n, layers, active] with {layers} layers (one per count in "
                f"{self.counts}), got {list(self.modules.shape)}"
            )
        if self.replicate.shape != (n,) or self.task.shape != (n,):
            raise ValueError(
                f"Pathways: replicate and task have the shape [{n}], one number per pathway, got "
                f"{list(self.replicate.shape)} and {list(self.task.shape)}"
            )
        for name in ("modules", "replicate", "task"):
            values = getattr(self, name)
            if values.dtype != torch.int64:
                raise ValueError(f"Pathways: {name} is int64, got {values.dtype}; convert with .to(torch.int64)")
            if bool((values < 0).any()):
                raise ValueError(f"Pathways: {name} are numbers from 0 up, got {int(values.min())}")
        limits = torch.tensor(self.counts, device=self.modules.device)[:, None]
        if bool((self.modules >= limits).any()):
            raise ValueError(
                f"Pathways: layers have {self.counts} modules, numbered from 0, got a number up to "
                f"{int(self.modules.max())}; was the genome made for another problem?"
            )

    def __len__(self) -> int:
        return len(self.modules)

    def __getitem__(self, chosen: slice | torch.Tensor) -> Pathways:
        """Return some of the pathways: a slice, or numbers or booleans of them."""
        return Pathways(self.modules[chosen], self.counts, self.replicate[chosen], self.task[chosen])

    def distinct(self) -> torch.Tensor:
        """Return which entries count, booleans `[n, layers, active]`: of equal ones in a layer the first."""
        return first_of_each(self.modules)

    def used(self) -> torch.Tensor:
        """Return which modules each pathway has, booleans `[n, layers, modules of the largest layer]`."""
        return modules_used(self.modules, self.counts)


def first_of_each(modules: torch.Tensor) -> torch.Tensor:
    """Return which entries of sets written as lists `[..., active]` are the first of their kind, booleans alike."""
    same = modules[..., :, None] == modules[..., None, :]
    return ~same.tril(-1).any(-1)


def modules_used(modules: torch.Tensor, counts: tuple[int, ...]) -> torch.Tensor:
    """Return which modules are in sets `[n, layers, active]` int64: `[n, layers, modules of the largest layer]`."""
    found = torch.zeros(*modules.shape[:2], max(counts), dtype=torch.bool, device=modules.device)
    return found.scatter_(2, modules, True)
