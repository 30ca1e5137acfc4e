"""Every network of a population of learners at once, forward: for teaching, for diagnostics, for whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import final

import torch

from evo.learners import Layer, Learners
from evo.learning.hidden_activations import activate, stretches
from evo.learning.layer_sums import convolved, dense, pooled
from evo.learning.plasticity import connections
from evo.learning.plasticity.concatenated_relu import concatenated_relu
from evo.learning.plasticity.layer_norm import layer_normalized
from evo.learning.plasticity.online_normalization import newborn, online_normalized


def forward(learners: Learners, inputs: torch.Tensor) -> torch.Tensor:
    """Return outputs `[n, batch, outputs]`; nothing is learned, nobody is left out.

    Args:
        learners: n of them.
        inputs: `[n, batch, *shape]`, or `[batch, *shape]` for all; float32, on the learners' device.

    Raises:
        ValueError: the inputs have another shape than the architecture's.
    """
    return _passed(learners, inputs)[-1]


def activations(learners: Learners, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return what each hidden layer gives to the next, `[n, batch, units]`, or `[n, batch, units, height, width]`.

    After pooling; where ReLU is concatenated, all units' relu(z) and then all units' relu(-z). Arguments as `forward`.
    """
    return _passed(learners, inputs)[:-1]


@torch.no_grad()
def _passed(learners: Learners, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Return what every layer gives, the outputs last."""
    shape = learners.architecture.inputs
    if inputs.shape[-len(shape) :] != shape or inputs.dim() - len(shape) not in (1, 2):
        raise ValueError(
            f"inputs: expected [batch, {', '.join(map(str, shape))}], or the same for each of {len(learners)} "
            f"learners, got {list(inputs.shape)}; the architecture says what one input looks like"
        )
    if inputs.dim() == len(shape) + 1:
        inputs = inputs.expand(len(learners), *inputs.shape)
    order = learners.activation.argsort(stable=True)
    parts = stretches(learners.activation[order])
    if len(parts) > 1:
        learners, inputs = learners[order], inputs[order]
    network = Network(learners)
    given = [*network.hidden(inputs), network.outputs]
    return [values[order.argsort()] for values in given] if len(parts) > 1 else given


@final
class Network:
    """The networks of n learners as one function of their inputs, differentiable in their weights.

    The weights are views of the learners', so what changes those in place changes this too.

    Args:
        learners: n of them, in order of activation.
        after: where online normalization puts its state after a step; None to learn nothing.

    Attributes:
        outputs: `[n, batch, outputs]`, of the last inputs given.
    """

    outputs: torch.Tensor

    def __init__(self, learners: Learners, after: torch.Tensor | None = None) -> None:
        self.architecture = learners.architecture
        self.kernels = [learners.kernel(layer).detach().requires_grad_() for layer in self.architecture.layers]
        self.biases = [learners.bias(layer).detach().requires_grad_() for layer in self.architecture.layers]
        self.parts = stretches(learners.activation)
        state = learners.normalization_state
        if self.architecture.normalization == "online" and state is None:
            state = newborn(len(learners), self.architecture.units, learners.device)
        self.state, self.after = state, after

    def hidden(
        self,
        inputs: torch.Tensor,
        thin: Callable[[torch.Tensor, Layer], torch.Tensor] | None = None,
        summed: list[torch.Tensor] | None = None,
    ) -> list[torch.Tensor]:
        """Return what each hidden layer gives, and keep the outputs.

        Args:
            inputs: `[n, batch, *shape]`.
            thin: dropout, of a layer's features and the layer; None for none.
            summed: a list that is given what each layer sums, the outputs last.
        """
        given: list[torch.Tensor] = []
        for layer, kernel, bias in zip(self.architecture.layers, self.kernels, self.biases, strict=True):
            if layer.convolution is None:
                sums = dense(inputs, kernel, bias)
            else:
                sums = convolved(inputs, kernel, bias, layer.convolution.size)
            if summed is not None:
                summed.append(sums)
            if layer.first_unit < 0:
                self.outputs = sums
                break
            given.append(self._features(sums, layer))
            inputs = given[-1] if thin is None else thin(given[-1], layer)
        return given

    def _features(self, sums: torch.Tensor, layer: Layer) -> torch.Tensor:
        """Return what a hidden layer gives, of its sums."""
        if self.architecture.normalization == "layer":
            sums = layer_normalized(sums)
        elif self.state is not None:
            after = None if self.after is None else connections.units(self.after, layer)
            sums = online_normalized(sums, connections.units(self.state, layer), after)
        features = concatenated_relu(sums) if self.architecture.concatenated else activate(sums, self.parts)
        return features if layer.convolution is None else pooled(features, layer.convolution)

    def gradient(self, slope: torch.Tensor) -> torch.Tensor:
        """Return the gradient `[n, parameters]`, for that of the last outputs, `[n, batch, outputs]`."""
        leaves = [leaf for pair in zip(self.kernels, self.biases, strict=True) for leaf in pair]
        gradients = torch.autograd.grad(self.outputs, leaves, slope)
        return torch.cat([gradient.flatten(1) for gradient in gradients], 1)
