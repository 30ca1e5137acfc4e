"""The phenotype of genomes that are a network's initial weights: one network, n sets of numbers for it.

What learns in a lifetime needs a function of its weights that can be differentiated, twice too, for all individuals on
all tasks at once: products of matrices with leading dimensions, `[individuals, tasks, ...]`. Convolutions are those of
Finn, Abbeel & Levine 2017 (section 5.2): 3 x 3, stride 2, normalised by the statistics of the cases that are answered
together (transductive).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self, final

import torch
from torch.nn import functional

Weights = tuple[torch.Tensor, ...]
"""A network's tensors, each with leading dimensions: `[..., *shape]`."""
ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}
NORMAL_EPSILON = 1e-5


@final
@dataclass(frozen=True)
class Tensor:
    """One of a network's tensors of numbers, and where it stands among the flat parameters.

    Attributes:
        name: such as "layer 1 weights".
        shape: its own.
        begin, end: its columns in `[parameters]`.
        fan_in: how many inputs a unit sums; 0 for what starts at 1 (gains) or 0 (shifts).
        start: where its numbers start where they are not drawn.
    """

    name: str
    shape: tuple[int, ...]
    begin: int
    fan_in: int = 0
    start: float = 0.0

    @property
    def end(self) -> int:
        """The column behind its last."""
        return self.begin + math.prod(self.shape)


@final
@dataclass(frozen=True)
class LayeredNetwork:
    """A network of fixed shape as a function of its parameters.

    Attributes:
        inputs: the shape of one input: `(features,)`, or `(channels, height, width)`.
        outputs: how many; 0 for the features that the last hidden layer gives, an embedding.
        hidden: units of each dense hidden layer.
        filters: channels of each convolution before them.
        activation: of hidden units, "relu" or "tanh".
        normalized: whether convolutions are normalised over the cases answered together, with a gain and a shift.

    Raises:
        ValueError: the shapes do not fit, or there is no such activation.
    """

    inputs: tuple[int, ...]
    outputs: int
    hidden: tuple[int, ...] = ()
    filters: tuple[int, ...] = ()
    activation: str = "relu"
    normalized: bool = False

    def __post_init__(self) -> None:
        if len(self.inputs) != 3 and (self.filters or len(self.inputs) != 1):
            raise ValueError(
                f"LayeredNetwork: inputs is (features,), or (channels, height, width) for convolutions, got "
                f"{self.inputs} with filters {self.filters}"
            )
        if min(*self.inputs, *self.hidden, *self.filters, self.outputs + 1) < 1 or not self.layers:
            raise ValueError(
                f"LayeredNetwork: expected layers of 1 unit or more, and one layer at least, got "
                f"filters={self.filters}, hidden={self.hidden}, outputs={self.outputs}"
            )
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"LayeredNetwork: activation: one of {', '.join(ACTIVATIONS)}, got {self.activation!r}")

    @property
    def layers(self) -> int:
        """How many layers of weights there are."""
        return len(self.filters) + len(self.hidden) + (self.outputs > 0)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """Its tensors, layer by layer: weights, then biases, or a gain and a shift."""
        made: list[Tensor] = []

        def add(name: str, *shape: int, fan_in: int = 0, start: float = 0.0) -> None:
            made.append(Tensor(name, shape, made[-1].end if made else 0, fan_in, start))

        channels, sides = self.inputs[0], self.inputs[1:]
        for number, filters in enumerate(self.filters, 1):
            fan_in = channels * 9
            add(f"convolution {number} weights", filters, channels, 3, 3, fan_in=fan_in)
            if self.normalized:
                add(f"convolution {number} gains", filters, start=1.0)
            add(f"convolution {number} biases", filters, fan_in=0 if self.normalized else fan_in)
            channels, sides = filters, tuple((side + 1) // 2 for side in sides)
        features = channels * math.prod(sides)
        for number, units in enumerate((*self.hidden, *([self.outputs] if self.outputs else [])), 1):
            add(f"layer {number} weights", units, features, fan_in=features)
            add(f"layer {number} biases", units, fan_in=features)
            features = units
        return tuple(made)

    @property
    def parameters(self) -> int:
        """How many numbers one network has."""
        return self.tensors[-1].end

    def split(self, flat: torch.Tensor) -> Weights:
        """Return the tensors `[..., *shape]` that flat parameters `[..., parameters]` hold, as views if possible."""
        return tuple(flat[..., one.begin : one.end].reshape(*flat.shape[:-1], *one.shape) for one in self.tensors)

    def answers(self, weights: Weights, inputs: torch.Tensor) -> torch.Tensor:
        """Return the outputs `[..., cases, outputs]` of many networks.

        Args:
            weights: their tensors `[..., *shape]`, as `split` returns them.
            inputs: `[..., cases, *inputs]` float32; leading dimensions, such as individuals and tasks, are broadcast
                with the weights'. Where convolutions are normalised, an answer depends on the other cases.
        """
        activate = ACTIVATIONS[self.activation]
        left = iter(weights)
        values = inputs
        for _ in self.filters:
            sums = convolved(values, next(left))
            if self.normalized:
                sums = _normalized(sums) * next(left)[..., None, :, None, None]
            values = activate(sums + next(left)[..., None, :, None, None])
        values = values.flatten(-len(self.inputs))
        for number in range(len(self.filters) + 1, self.layers + 1):
            values = values @ next(left).transpose(-1, -2) + next(left).unsqueeze(-2)
            values = values if number == self.layers and self.outputs else activate(values)
        return values


def convolved(values: torch.Tensor, kernels: torch.Tensor) -> torch.Tensor:
    """Return a convolution with stride 2 and a border of zeros, `[..., cases, filters, height, width]`.

    Written as products of matrices, so that each network of a batch can have kernels of its own, and be differentiated
    twice, as fast as one layer of a dense network.

    Args:
        values: `[..., cases, channels, height, width]`.
        kernels: `[..., filters, channels, 3, 3]`.
    """
    cases, channels, *sides = values.shape[-4:]
    height, width = ((side + 1) // 2 for side in sides)
    patches = functional.unfold(values.reshape(-1, channels, *sides), 3, padding=1, stride=2)
    patches = patches.transpose(1, 2).reshape(*values.shape[:-4], cases * height * width, channels * 9)
    sums = patches @ kernels.flatten(-3).transpose(-1, -2)
    filters, lead = sums.shape[-1], sums.shape[:-2]
    maps = sums.reshape(*lead, cases, height * width, filters).transpose(-1, -2)
    return maps.reshape(*lead, cases, filters, height, width)


def _normalized(sums: torch.Tensor) -> torch.Tensor:
    """Return `[..., cases, channels, height, width]` with mean 0 and variance 1 over a channel's cases and places."""
    mean = sums.mean((-4, -2, -1), keepdim=True)
    variance = (sums - mean).square().mean((-4, -2, -1), keepdim=True)
    return (sums - mean) * (variance + NORMAL_EPSILON).rsqrt()


@final
@dataclass(frozen=True)
class Parametrised:
    """n networks of one shape, as they are at birth.

    Attributes:
        network: what all of them look like.
        parameters: `[n, parameters]` float32.
        step_sizes: `[n, tensors]` or `[n, parameters]`, each one's own, for lifetimes that take steps; None for none.

    Raises:
        ValueError: the tensors have other shapes than the network says.
    """

    network: LayeredNetwork
    parameters: torch.Tensor
    step_sizes: torch.Tensor | None = None

    def __post_init__(self) -> None:
        wanted = self.network.parameters
        if self.parameters.dim() != 2 or self.parameters.shape[1] != wanted:
            raise ValueError(
                f"Parametrised: parameters: expected [n, {wanted}], as the network has, got "
                f"{list(self.parameters.shape)}; was the genome made for another network?"
            )
        if self.step_sizes is None:
            return
        widths = (len(self.network.tensors), wanted)
        if len(self.step_sizes) != len(self.parameters) or self.step_sizes.shape[-1] not in widths:
            raise ValueError(
                f"Parametrised: step_sizes: expected [{len(self.parameters)}, k] with k {widths[0]}, one per tensor, "
                f"or {widths[1]}, one per weight, got {list(self.step_sizes.shape)}"
            )

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, which: slice | torch.Tensor) -> Self:
        steps = None if self.step_sizes is None else self.step_sizes[which]
        return replace(self, parameters=self.parameters[which], step_sizes=steps)

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.parameters.device
