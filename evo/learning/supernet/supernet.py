"""The description of a supernet: layers of modules, and maybe a pretrained trunk in front that never changes.

Source: Fernando et al. 2017 (PathNet, arXiv:1701.08734). Behind the last layer is a linear layer for each task, which
is no part of the description: how many classes there are is the task's.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import nn

from evo.learning.supernet.kinds import Dense, Kind, Shape

AGGREGATIONS = ("sum", "mean", "mean_last")
"""How the outputs of a layer's active modules are joined; "mean_last" is the mean in the last layer, else the sum."""
MOST_WEIGHTS = 2**30
"""Of one supernet: 4 GB. Beyond is a slip, or a file that somebody made up."""


@dataclass(frozen=True)
class Layer:
    """A layer of modules, whose outputs have one shape.

    Attributes:
        count: of its modules.
        kinds: one for all, or several that take turns: module m has kind m modulo the number of kinds.
    """

    count: int
    kinds: tuple[Kind, ...] = (Dense(),)

    def __post_init__(self) -> None:
        if not 1 <= len(self.kinds) <= self.count:
            raise ValueError(
                f"Layer: count: expected a module of each of the {len(self.kinds)} kinds, of which there must be one, "
                f"got {self.count} modules"
            )

    def kind(self, module: int) -> Kind:
        """Return the kind of a module."""
        return self.kinds[module % len(self.kinds)]

    def weights(self, shape: Shape) -> int:
        """Return how many weights its modules have for inputs `[cases, *shape]`, as far as their kinds know."""
        kinds = len(self.kinds)
        return sum(-(-(self.count - place) // kinds) * kind.weights(shape) for place, kind in enumerate(self.kinds))


@dataclass(frozen=True)
class Trunk:
    """A pretrained network in front, frozen.

    Attributes:
        factory: returns it, trained; called once per process.
    """

    factory: Callable[[], nn.Module]

    def module(self) -> nn.Module:
        """Return it in evaluation mode, without gradients."""
        return _trunk(self.factory)

    def digest(self) -> str:
        """Return a sha256 of everything it holds."""
        found = hashlib.sha256()
        for name, values in self.module().state_dict().items():
            found.update(f"{name} {values.dtype} {tuple(values.shape)}".encode())
            found.update(values.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        return found.hexdigest()

    @torch.no_grad()
    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what the layers are given for inputs `[cases, *shape]`."""
        found: torch.Tensor = self.module()(inputs)
        return found


@functools.lru_cache(maxsize=4)
def _trunk(factory: Callable[[], nn.Module]) -> nn.Module:
    with seeded(0):
        return factory().eval().requires_grad_(False)


@dataclass(frozen=True)
class Supernet:
    """Layers of modules.

    Attributes:
        layers: from the inputs to the outputs.
        trunk: what inputs go through before; None for nothing.
    """

    layers: tuple[Layer, ...]
    trunk: Trunk | None = None

    def __post_init__(self) -> None:
        if not self.layers:
            raise ValueError("Supernet: layers: expected at least one, got none")

    @property
    def modules_per_layer(self) -> tuple[int, ...]:
        """How many modules each layer has."""
        return tuple(layer.count for layer in self.layers)


def dense_supernet(layers: int = 3, modules: int = 10, units: int = 20) -> Supernet:
    """Return a supernet of linear modules with ReLU; by default the one that PathNet used for digits."""
    return Supernet(tuple(Layer(modules, (Dense(units),)) for _ in range(layers)))


@dataclass(frozen=True)
class Templates:
    """A module of each kind of each layer, for their shapes; what weights they hold means nothing.

    Attributes:
        modules: for each layer, for each of its kinds.
        shapes: of the inputs of each layer, and of the last layer's outputs.
    """

    modules: tuple[tuple[nn.Module, ...], ...]
    shapes: tuple[Shape, ...]


@functools.lru_cache(maxsize=16)
def templates(supernet: Supernet, input_shape: Shape) -> Templates:
    """Return a module of each kind.

    Raises:
        ValueError: kinds of a layer give outputs of different shapes, or the supernet has more than `MOST_WEIGHTS`.
    """
    modules, weights = [], 0
    with seeded(0), torch.no_grad():
        shown = torch.zeros(1, *input_shape)
        if supernet.trunk is not None:
            shown = supernet.trunk.features(shown)
        shapes = [tuple(shown.shape[1:])]
        for number, layer in enumerate(supernet.layers):
            weights += layer.weights(shapes[-1])
            if weights > MOST_WEIGHTS:
                raise ValueError(
                    f"layers: {number}: expected at most {MOST_WEIGHTS} weights in a supernet, got {str(weights)[:30]} "
                    f"up to here; have fewer or smaller modules"
                )
            modules.append(tuple(kind.make(shapes[-1]) for kind in layer.kinds))
            outputs = [module(shown) for module in modules[-1]]
            found = {tuple(output.shape[1:]) for output in outputs}
            if len(found) > 1:
                raise ValueError(
                    f"layers: {number}: expected modules whose outputs have one shape, because they are summed, got "
                    f"{', '.join(map(str, sorted(found)))}"
                )
            shown = outputs[0]
            shapes.append(found.pop())
    return Templates(tuple(modules), tuple(shapes))


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let modules be made from a seed: torch's layers draw from its global generator, which is put back afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
