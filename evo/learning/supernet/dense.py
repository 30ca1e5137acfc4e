"""The fast engine: layers of linear modules with ReLU, the paths of many replicates in one batched computation.

A layer's active modules are one matrix `[units of all places, inputs]` per path, and cases are columns. Gradients are
written out, and a product adds them to the weights in place, so that they are never stored themselves. Inputs of the
first layer need none. What becomes of a path depends on neither its neighbours nor their number, to the bit, with one
thread inside torch as a run has it: every product has the shapes of one path, only how many there are differs.
"""

from __future__ import annotations

from typing import final

import torch
from torch.nn import functional

from evo.learning.supernet.paths import Paths
from evo.learning.supernet.weights import Weights


@final
class DenseEngine:
    """Teaches paths of dense modules.

    Args:
        layers: how many.
        aggregation: one of `evo.learning.supernet.supernet.AGGREGATIONS`.
    """

    def __init__(self, layers: int, aggregation: str) -> None:
        self.layers, self.aggregation = layers, aggregation

    @torch.no_grad()
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
        """
        layers = self._layers(active, paths)
        head, bias = active["head.weight"], active["head.bias"][:, :, None]
        wanted = functional.one_hot(targets, paths.classes).to(inputs.dtype).mT.unbind(1)
        logits = []
        rate = -step_size / inputs.shape[2]
        for shown, right in zip(inputs.flatten(3).mT.unbind(1), wanted, strict=True):
            features = shown
            for layer in layers:
                features = layer.forward(features)
            logits.append(torch.bmm(head, features).add_(bias))
            slope = logits[-1].softmax(1).sub_(right)  # d loss / d logits, times the batch
            below = torch.bmm(head.mT, slope)
            head.baddbmm_(slope, features.mT, alpha=rate)
            bias.add_(slope.sum(2, keepdim=True), alpha=rate)
            for layer in reversed(layers):
                below = layer.backward(below, rate, first=layer is layers[0])
        return torch.stack(logits, 1).mT

    @torch.no_grad()
    def outputs(self, active: Weights, paths: Paths, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits `[n, cases, classes]` of paths as they are, for inputs `[n, cases, *shape]`."""
        features = inputs.flatten(2).mT
        for layer in self._layers(active, paths):
            features = layer.forward(features)
        return torch.bmm(active["head.weight"], features).add_(active["head.bias"][:, :, None]).mT

    def _layers(self, active: Weights, paths: Paths) -> list[_Layer]:
        means = [self.aggregation == "mean"] * (self.layers - 1) + [self.aggregation != "sum"]
        return [_Layer(active, paths, number, mean) for number, mean in enumerate(means)]


@final
class _Layer:
    """The active modules of one layer of n paths.

    Args:
        active: what paths use; weights here are views of it.
        paths: n of them.
        number: of the layer.
        mean: whether outputs are averaged, else summed.
    """

    def __init__(self, active: Weights, paths: Paths, number: int, mean: bool) -> None:
        weight, bias = active[f"modules.{number}.0.weight"], active[f"modules.{number}.0.bias"]
        absent = ~paths.present[:, number]
        weight[absent], bias[absent] = 0.0, 0.0  # what gives 0 counts for nothing, and has no slope
        count, self.places, self.units, inputs = weight.shape
        self.weight = weight.view(count, self.places * self.units, inputs)
        self.bias = bias.view(count, self.places * self.units, 1)
        frozen = bool((paths.present[:, number] & ~paths.trained[:, number]).any())
        self.trained = self._factors(paths.trained[:, number]) if frozen else None
        self.share = 1.0 / paths.present[:, number].sum(1).to(weight.dtype)[:, None, None] if mean else None

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return the joined outputs `[n, units, cases]` for inputs `[n, features, cases]`."""
        self.inputs = inputs
        # baddbmm would copy the bias first, slowly
        self.activations = torch.bmm(self.weight, inputs).add_(self.bias).relu_()
        joined = self._by_module().sum(1)
        return joined if self.share is None else joined * self.share

    def backward(self, slope: torch.Tensor, rate: float, first: bool) -> torch.Tensor:
        """Take a step, and return the slope for the inputs, given that for the outputs.

        Where modules are frozen, slopes go through them and leave them as they are. The activations are used up.
        """
        if self.share is not None:
            slope = slope * self.share
        self._by_module().sign_().mul_(slope[:, None])  # the slope of ReLU is 1 where it gave something, else 0
        own = self.activations
        below = slope if first else torch.bmm(self.weight.mT, own)
        if self.trained is not None:
            own.mul_(self.trained)
        self.weight.baddbmm_(own, self.inputs.mT, alpha=rate)
        self.bias.add_(own.sum(2, keepdim=True), alpha=rate)
        return below

    def _by_module(self) -> torch.Tensor:
        return self.activations.view(len(self.weight), self.places, self.units, -1)

    def _factors(self, wanted: torch.Tensor) -> torch.Tensor:
        """Return which places `[n, places]` are wanted as factors `[n, units of all places, 1]`."""
        return wanted.repeat_interleave(self.units, 1).to(self.weight.dtype)[:, :, None]
