"""Tasks for searches: functions of which nothing is known but their values, with or without noise.

Noise multiplies: f exp(beta N(0, 1)), Gaussian noise of Hansen, Finck, Ros & Auger 2009 (Real-parameter black-box
optimization benchmarking 2009: noisy functions definitions, INRIA research report 6869), beta 0.01 or 1 there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import torch

from evo.black_box_functions import FUNCTIONS, NAMES, Points
from evo.tasks import Tasks

LARGEST = 1e12
"""Value beyond which none is told."""


@final
@dataclass(frozen=True)
class BlackBoxes(Tasks):
    """Functions, each with its rotations, its optimum, its noise and where searches begin.

    Attributes:
        functions: `[tasks]` int64, places in `evo.black_box_functions.NAMES`.
        sizes: `[tasks]` int64, how many coordinates each one has, the first of those of the batch.
        optima, starts: `[tasks, coordinates]` float32.
        first, second: rotations, `[tasks, coordinates, coordinates]`.
        noise: `[tasks]`, beta.
    """

    functions: torch.Tensor
    sizes: torch.Tensor
    optima: torch.Tensor
    starts: torch.Tensor
    first: torch.Tensor
    second: torch.Tensor
    noise: torch.Tensor

    def values(self, places: torch.Tensor) -> torch.Tensor:
        """Return values without noise, `[rules, tasks, n]`, at places `[rules, tasks, coordinates, n]`."""
        mask = (torch.arange(self.optima.shape[1], device=places.device) < self.sizes[:, None]).to(places)
        away = (places - self.optima[:, :, None]) * mask[:, :, None]
        values = torch.empty_like(places[:, :, 0])
        for number in sorted(set(self.functions.tolist())):
            which = (self.functions == number).nonzero()[:, 0]
            points = Points(away[:, which], self.first[which], self.second[which], self.optima[which], mask[which])
            values[:, which] = FUNCTIONS[NAMES[number]](points)
        return values.nan_to_num(nan=LARGEST, posinf=LARGEST).clamp(max=LARGEST)

    def disturbed(self, values: torch.Tensor, normal: torch.Tensor) -> torch.Tensor:
        """Return values as a search sees them, for standard normal numbers `[tasks, n]`."""
        return values * (self.noise[:, None] * normal).exp()
