"""The fast engine: layers of linear modules with ReLU, compiled, one path after another.

What becomes of a path depends on neither its neighbours nor their number, to the bit: it is computed alone. See
`evo.learning.supernet.dense_kernel` for how.
"""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch.nn import functional

from evo.learning.supernet.paths import Paths
from evo.learning.supernet.weights import Weights


@final
class DenseEngine:
    """Teaches paths of dense modules, on the CPU.

    Args:
        layers: how many.
        aggregation: one of `evo.learning.supernet.supernet.AGGREGATIONS`.
    """

    def __init__(self, layers: int, aggregation: str) -> None:
        self.layers, self.aggregation = layers, aggregation

    def descend(
        self, active: Weights, paths: Paths, inputs: torch.Tensor, targets: torch.Tensor, step_size: float
    ) -> torch.Tensor:
        """Train paths by stochastic gradient descent, in place, on the mean cross-entropy of each mini-batch.

        Args:
            active: what n paths use (`gathered`); it becomes what they learned.
            paths: the n paths.
            inputs: `[n, batches, batch, *shape]` float32.
            targets: classes, `[n, batches, batch]` int64.
            step_size: of plain gradient descent.

        Returns:
            Logits before each update, `[n, batches, batch, classes]`.

        Raises:
            ValueError: inputs are not as many numbers as the first layer reads, or a target is no class.
        """
        if targets.numel() and not 0 <= int(targets.min()) <= int(targets.max()) < paths.classes:
            raise ValueError(
                f"targets: expected classes from 0 to {paths.classes - 1}, those of task {paths.task}, got "
                f"{int(targets.min())} to {int(targets.max())}; give the task as many classes as its data have"
            )
        return self._run(active, paths, inputs, targets, -step_size / inputs.shape[2])

    def outputs(self, active: Weights, paths: Paths, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits `[n, cases, classes]` of paths as they are, for inputs `[n, cases, *shape]`.

        Raises:
            ValueError: inputs are not as many numbers as the first layer reads.
        """
        return self._run(active, paths, inputs[:, None], None, 0.0)[:, 0]

    @torch.no_grad()
    def _run(
        self, active: Weights, paths: Paths, inputs: torch.Tensor, targets: torch.Tensor | None, rate: float
    ) -> torch.Tensor:
        """Return logits; where there are targets, weights take a step by each mini-batch."""
        from evo.learning.supernet.dense_packing import kernel, pack, scratch_for, shape_of, unpack

        shape, shown = shape_of(active, self.layers), inputs.flatten(3).to(torch.float32)
        if shown.shape[3] != shape.inputs[0]:
            raise ValueError(
                f"inputs: expected {shape.inputs[0]} numbers a case, which the first layer reads, got "
                f"{shown.shape[3]}; give the supernet the shape of what it is shown"
            )
        right = torch.zeros(shown.shape[:3], dtype=torch.int64) if targets is None else targets
        logits, packed = shown.new_empty(*shown.shape[:3], paths.classes), pack(active, shape)
        there, learn = (functional.pad(places, (0, 0, 0, 1), value=True) for places in (paths.present, paths.trained))
        tensors = (packed, there, learn, self._shares(paths), shown, right, logits)
        arrays = (tensor.contiguous().numpy() for tensor in tensors)
        kernel()(*arrays, np.float32(rate), targets is not None, shape, scratch_for(shape, shown.shape[2]))
        if targets is not None:
            unpack(packed, active, shape)
        return logits

    def _shares(self, paths: Paths) -> torch.Tensor:
        """Return what each layer's summed outputs are multiplied with, `[n, layers]`."""
        means = [self.aggregation == "mean"] * (self.layers - 1) + [self.aggregation != "sum"]
        return (1.0 / paths.present.sum(2)).where(torch.tensor(means), 1.0)
