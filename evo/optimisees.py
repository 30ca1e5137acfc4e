"""Tasks for optimisers: a start, and at every place and step a loss and its gradient.

A learned optimiser is scored by the losses on its way down (Andrychowicz et al. 2016, Learning to learn by gradient
descent by gradient descent, arXiv:1606.04474, section 2), and knows of a task nothing but gradients.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import final

import torch

from evo.tasks import Tasks


@dataclass(frozen=True)
class Optimisees(Tasks):
    """Functions to descend. Subclasses give `start` and `slope`.

    Attributes:
        steps: updates of a lifetime.
    """

    steps: int = field(default=100, kw_only=True)

    @property
    @abstractmethod
    def start(self) -> torch.Tensor:
        """Where each task begins, `[tasks, coordinates]` float32."""

    @abstractmethod
    def slope(self, places: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return losses `[n, tasks]` and gradients `[n, tasks, coordinates]` at places `[n, tasks, coordinates]`.

        Args:
            places: where n optimisers have come to on each task; one's results must not depend on the others'.
            step: updates made so far; a task whose cases are drawn step by step draws the same for all.
        """


@final
@dataclass(frozen=True)
class Quadratics(Optimisees):
    """f(x) = |W x - y|^2.

    Attributes:
        matrices: `[tasks, rows, coordinates]`, W.
        targets: `[tasks, rows]`, y.
        starts: `[tasks, coordinates]`, x at the start.
    """

    matrices: torch.Tensor
    targets: torch.Tensor
    starts: torch.Tensor

    @property
    def start(self) -> torch.Tensor:
        """X at the start."""
        return self.starts

    def slope(self, places: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return losses and gradients, 2 W^T (W x - y)."""
        residuals = (self.matrices * places[..., None, :]).sum(-1) - self.targets
        gradients = 2.0 * (self.matrices.mT * residuals[..., None, :]).sum(-1)
        return residuals.square().sum(-1), gradients


@final
@dataclass(frozen=True)
class SmallNetworks(Optimisees):
    """The cross-entropy of a network with one hidden layer, on other cases of a data set at every step.

    Parameters, in this order: hidden weights `[hidden, inputs]`, hidden biases, output weights `[classes, hidden]`,
    output biases.

    Attributes:
        starts: `[tasks, coordinates]`.
        orders: `[tasks, steps + 1, batch]` int64, the cases of each step.
        inputs: `[cases, inputs]` float32 in a tuple of one, because all tasks have the same.
        labels: `[cases]` int64, likewise.
        hidden: units.
        activation: "sigmoid" or "relu".
    """

    starts: torch.Tensor
    orders: torch.Tensor
    inputs: tuple[torch.Tensor]
    labels: tuple[torch.Tensor]
    hidden: int = 20
    activation: str = "sigmoid"

    @property
    def start(self) -> torch.Tensor:
        """The networks' first parameters."""
        return self.starts

    def slope(self, places: torch.Tensor, step: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Return mean cross-entropies, and gradients by the chain rule written out."""
        cases = self.orders[:, step].cpu()
        seen, labels = (values[0][cases].to(places.device) for values in (self.inputs, self.labels))
        first, first_bias, second, second_bias = self._parts(places)
        sums = seen @ first.mT + first_bias[..., None, :]
        units = torch.sigmoid(sums) if self.activation == "sigmoid" else sums.clamp(min=0.0)
        log_chances = (units @ second.mT + second_bias[..., None, :]).log_softmax(-1)
        wanted = torch.nn.functional.one_hot(labels, second.shape[-2]).to(places)
        losses = -(log_chances * wanted).sum(-1).mean(-1)

        outputs = (log_chances.exp() - wanted) / cases.shape[-1]
        back = outputs @ second
        back = back * units * (1.0 - units) if self.activation == "sigmoid" else back * (units > 0)
        parts = (back.mT @ seen, back.sum(-2), outputs.mT @ units, outputs.sum(-2))
        return losses, torch.cat([part.flatten(2) for part in parts], 2)

    def _parts(self, places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        size, hidden = self.inputs[0].shape[1], self.hidden
        classes = (places.shape[2] - hidden * (size + 1)) // (hidden + 1)
        first, first_bias, second, second_bias = torch.split(
            places, [hidden * size, hidden, classes * hidden, classes], 2
        )
        shape = places.shape[:2]
        return first.reshape(*shape, hidden, size), first_bias, second.reshape(*shape, classes, hidden), second_bias
