"""The phenotype of genomes that grow: paths of components that are shared as they are, or cloned and trained.

Source: muNet (Gesmundo & Dean 2022, arXiv:2205.10937). Components are weights in slots, which are the problem's state
(`evo.stateful`); a path says, layer by layer, which slot it uses, and whether it trains what is there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch


@final
@dataclass(frozen=True)
class GrownPaths:
    """A population of paths. The last layer is the read-out.

    Attributes:
        component: `[n, layers + 1]` int64: the slot of each layer that is used.
        origin: `[n, layers + 1]` int64: the slot that a component which is trained begins as a copy of; -1 for a new
            read-out.
        trained: `[n, layers + 1]` bool: what is trained; the rest is shared, and frozen. The read-out always is.
        step_size: `[n]` float64.
        slots: how many each layer has.
        replicate: `[n]` int64: the independent run that each belongs to.
        task: `[n]` int64: which task of the sequence each is for, from 0.

    Raises:
        ValueError: shapes do not fit, or a slot is out of range.
    """

    component: torch.Tensor
    origin: torch.Tensor
    trained: torch.Tensor
    step_size: torch.Tensor
    slots: int
    replicate: torch.Tensor
    task: torch.Tensor

    def __post_init__(self) -> None:
        shape, n = self.component.shape, len(self.component)
        if len(shape) != 2 or shape[1] < 2 or self.origin.shape != shape or self.trained.shape != shape:
            raise ValueError(
                f"GrownPaths: component, origin and trained have one shape [n, layers + 1], the read-out last, got "
                f"{list(shape)}, {list(self.origin.shape)} and {list(self.trained.shape)}"
            )
        for name in ("step_size", "replicate", "task"):
            if getattr(self, name).shape != (n,):
                raise ValueError(f"GrownPaths: {name} has the shape [{n}], got {list(getattr(self, name).shape)}")
        lowest = torch.tensor([*[0] * (shape[1] - 1), -1])
        inside = (self.component >= 0) & (self.origin >= lowest.to(self.origin))
        if not bool((inside & (self.component < self.slots) & (self.origin < self.slots)).all()):
            raise ValueError(
                f"GrownPaths: slots are numbered from 0 to {self.slots - 1} (and -1 as the origin of a new read-out), "
                f"got components from {int(self.component.min())} to {int(self.component.max())} and origins from "
                f"{int(self.origin.min())} to {int(self.origin.max())}"
            )
        if not bool(self.trained[:, -1].all()):
            raise ValueError("GrownPaths: trained: expected True for the read-out, which is nobody else's, got False")

    def __len__(self) -> int:
        return len(self.component)

    def __getitem__(self, chosen: slice | torch.Tensor) -> GrownPaths:
        """Return some of the paths: a slice, or numbers or booleans of them."""
        return GrownPaths(
            self.component[chosen],
            self.origin[chosen],
            self.trained[chosen],
            self.step_size[chosen],
            self.slots,
            self.replicate[chosen],
            self.task[chosen],
        )
