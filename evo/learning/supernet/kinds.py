"""What a module of a supernet can be: plain descriptions, which make a torch module for inputs of some shape.

Weights begin as torch's own layers begin: uniform within one over the square root of the number of inputs.
Modules hold parameters only; what changes otherwise (the running numbers of batch normalisation) belongs into a trunk.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from torch import nn
from torch.nn import functional

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Kind(ABC):
    """A description of a module; subclasses are frozen dataclasses, so that campaigns record them."""

    @property
    def pretrained(self) -> bool:
        """Whether it is frozen from the start, and never renewed."""
        return False

    @property
    def batched(self) -> bool:
        """Whether several modules of this kind may run as one (`torch.vmap`)."""
        return True

    def weights(self, shape: Shape) -> int:
        """Return how many weights a module for inputs `[cases, *shape]` has, without making one; 0 if not known."""
        return 0

    @abstractmethod
    def make(self, shape: Shape) -> nn.Module:
        """Return a module for inputs `[cases, *shape]`; it may draw from torch's generator, which is seeded then.

        Raises:
            ValueError: there is no such module for that shape.
        """


@final
@dataclass(frozen=True)
class Dense(Kind):
    """A layer of linear units with ReLU; inputs of more dimensions are laid flat (PathNet's module, 20 units)."""

    units: int = 20

    def weights(self, shape: Shape) -> int:
        """See `Kind.weights`."""
        return self.units * (size(shape) + 1)

    def make(self, shape: Shape) -> nn.Module:
        """See `Kind.make`."""
        at_least_one("Dense", units=self.units)
        return _Dense(size(shape), self.units)


@final
@dataclass(frozen=True)
class Convolution(Kind):
    """A convolution with ReLU (PathNet's Atari modules: 8 channels of size 8, 4, 3 and stride 4, 2, 1, no padding)."""

    channels: int = 8
    kernel: int = 3
    stride: int = 1
    padding: int = 0

    def weights(self, shape: Shape) -> int:
        """See `Kind.weights`."""
        return self.channels * (shape[0] * self.kernel**2 + 1)

    def make(self, shape: Shape) -> nn.Module:
        """See `Kind.make`."""
        at_least_one("Convolution", channels=self.channels, kernel=self.kernel, stride=self.stride)
        if not 0 <= self.padding < self.kernel:
            raise ValueError(
                f"Convolution: padding: expected a number from 0 up and below kernel={self.kernel}, because beyond is "
                f"nothing to see, got {self.padding}"
            )
        if len(shape) != 3 or min(shape[1:]) + 2 * self.padding < self.kernel:
            raise ValueError(
                f"Convolution: inputs: expected (channels, height, width) of at least {self.kernel} pixels a side, got "
                f"{shape}; put convolutions before dense layers, and mind how each layer shrinks the picture"
            )
        return _Convolution(shape[0], self.channels, self.kernel, self.stride, self.padding)


@final
@dataclass(frozen=True)
class Residual(Kind):
    """What comes in, plus a layer of linear units with ReLU, of which there are as many as inputs."""

    units: int = 20

    def weights(self, shape: Shape) -> int:
        """See `Kind.weights`."""
        return self.units * (self.units + 1)

    def make(self, shape: Shape) -> nn.Module:
        """See `Kind.make`."""
        if shape != (self.units,):
            raise ValueError(f"Residual: units: expected as many as inputs, which have shape {shape}, got {self.units}")
        return _Residual(self.units, self.units)


@final
@dataclass(frozen=True)
class Adapter(Kind):
    """What comes in, plus what a narrow layer makes of it, nothing at first (Houlsby et al. 2019, section 2.1)."""

    units: int = 16

    def weights(self, shape: Shape) -> int:
        """See `Kind.weights`."""
        return self.units * (size(shape) + 1) + size(shape) * (self.units + 1)

    def make(self, shape: Shape) -> nn.Module:
        """See `Kind.make`."""
        at_least_one("Adapter", units=self.units)
        return _Adapter(size(shape), self.units)


@final
@dataclass(frozen=True)
class Custom(Kind):
    """A module of your own.

    Attributes:
        factory: returns it, given the shape of one input. It is recorded by its name and a digest of its source.
        pretrained: whether it comes trained, and stays as it comes.
        batched: False where `torch.vmap` cannot run it; modules then run one after another.
    """

    factory: Callable[[Shape], nn.Module]
    pretrained: bool = False
    batched: bool = True

    def make(self, shape: Shape) -> nn.Module:
        """See `Kind.make`."""
        made = self.factory(shape)
        if not isinstance(made, nn.Module):
            raise ValueError(f"Custom: factory: expected it to return a torch.nn.Module, got {type(made).__name__}")
        if any(True for _ in made.buffers()):
            raise ValueError(
                f"Custom: factory: expected a module of parameters only, got buffers in {type(made).__name__}: running "
                f"numbers are no weights; use LayerNorm or GroupNorm in place of BatchNorm"
            )
        return made


class _Dense(nn.Linear):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return functional.relu(super().forward(inputs.flatten(1)))


class _Convolution(nn.Conv2d):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return functional.relu(super().forward(inputs))


class _Residual(nn.Linear):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs + functional.relu(super().forward(inputs))


class _Adapter(nn.Module):
    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(features, units), nn.Linear(units, features)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        added: torch.Tensor = self.up(functional.relu(self.down(inputs.flatten(1))))
        return inputs + added.reshape(inputs.shape)


def size(shape: Shape) -> int:
    """Return how many numbers an input of some shape has."""
    return int(torch.Size(shape).numel())


def at_least_one(owner: str, **numbers: int) -> None:
    """Raise ValueError where a number is below 1."""
    for name, value in numbers.items():
        if value < 1:
            raise ValueError(f"{owner}: {name}: expected a whole number from 1 up, got {value!r}")
