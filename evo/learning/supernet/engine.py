"""Which engine teaches which supernet."""

from __future__ import annotations

from typing import Protocol

import torch

from evo.learning.supernet.dense import DenseEngine
from evo.learning.supernet.kinds import Dense, Shape
from evo.learning.supernet.modules import ModuleEngine
from evo.learning.supernet.paths import Paths
from evo.learning.supernet.supernet import AGGREGATIONS, Supernet
from evo.learning.supernet.weights import Weights


class Engine(Protocol):
    """What teaches paths; see `evo.learning.supernet.dense.DenseEngine` for the arguments."""

    def descend(
        self, active: Weights, paths: Paths, inputs: torch.Tensor, targets: torch.Tensor, step_size: float
    ) -> torch.Tensor:
        """Train paths in place, and return logits from before each update `[n, batches, batch, classes]`."""
        ...

    def outputs(self, active: Weights, paths: Paths, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits `[n, cases, classes]` for inputs `[n, cases, *shape]`."""
        ...


def engine_for(supernet: Supernet, input_shape: Shape, aggregation: str) -> Engine:
    """Return the fast engine where all modules are `Dense`, else the general one.

    Raises:
        ValueError: there is no such aggregation.
    """
    if aggregation not in AGGREGATIONS:
        raise ValueError(f"aggregation: expected one of {', '.join(AGGREGATIONS)}, got {aggregation!r}")
    if all(len(layer.kinds) == 1 and isinstance(layer.kinds[0], Dense) for layer in supernet.layers):
        return DenseEngine(len(supernet.layers), aggregation)
    return ModuleEngine(supernet, input_shape, aggregation)
