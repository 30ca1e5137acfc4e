"""The weights of many supernets of one shape: how they begin, and the part of them that paths use.

Weights are named tensors. Those of the modules of a layer's kind are stacked, `modules.LAYER.KIND.PARAMETER`
`[replicates, modules of that kind, *shape]`; the linear layers behind are `head.weight`
`[replicates, tasks, classes, features]` and `head.bias` `[replicates, tasks, classes]`, with room for the most classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import nn

from evo.learning.supernet.kinds import Shape, size
from evo.learning.supernet.paths import Paths
from evo.learning.supernet.supernet import Supernet, seeded, templates

Weights = dict[str, torch.Tensor]
HEAD = ("head.weight", "head.bias")


class Stack(NamedTuple):
    """A parameter of all modules of one kind in a layer.

    Attributes:
        name: among the weights.
        layer, kind: which.
        kinds: how many the layer has.
        parameter: its name in the module.
        shape: of one module's.
    """

    name: str
    layer: int
    kind: int
    kinds: int
    parameter: str
    shape: Shape

    def mine(self, modules: torch.Tensor) -> torch.Tensor:
        """Return which of some modules of the layer are of this kind."""
        return modules % self.kinds == self.kind

    def places(self, modules: torch.Tensor) -> torch.Tensor:
        """Return where modules of this kind stand in the stack; for others, somewhere."""
        return modules // self.kinds if self.kinds == 1 else (modules // self.kinds) * self.mine(modules)


def stacks(supernet: Supernet, input_shape: Shape) -> list[Stack]:
    """Return the parameters of all modules of a supernet."""
    return [
        Stack(f"modules.{number}.{kind}.{name}", number, kind, len(modules), name, tuple(values.shape))
        for number, modules in enumerate(templates(supernet, input_shape).modules)
        for kind, module in enumerate(modules)
        for name, values in module.named_parameters()
    ]


def newborn_modules(supernet: Supernet, input_shape: Shape, seed: int) -> Weights:
    """Return weights that all modules of one supernet begin with: by name `[modules of that kind, *shape]`."""
    made: dict[str, list[torch.Tensor]] = {}
    shapes = templates(supernet, input_shape).shapes
    with seeded(seed):
        for number, layer in enumerate(supernet.layers):
            for module in range(layer.count):
                prefix = f"modules.{number}.{module % len(layer.kinds)}"
                for name, values in layer.kind(module).make(shapes[number]).named_parameters():
                    made.setdefault(f"{prefix}.{name}", []).append(values.detach())
    return {name: torch.stack(values) for name, values in made.items()}


def newborn_head(supernet: Supernet, input_shape: Shape, classes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the weights `[classes, features]` and biases `[classes]` that a head begins with."""
    with seeded(seed):
        made = nn.Linear(size(templates(supernet, input_shape).shapes[-1]), classes)
    return made.weight.detach(), made.bias.detach()


def gathered(weights: Mapping[str, torch.Tensor], layout: list[Stack], paths: Paths) -> Weights:
    """Return copies of what paths use: of modules `[n, places, *shape]`, of heads `[n, classes, ...]`.

    A layer of several kinds has a stack for each; places that hold another kind's module hold any weights there.
    """
    rows = paths.replicate[:, None]
    active = {stack.name: weights[stack.name][rows, stack.places(paths.modules[:, stack.layer])] for stack in layout}
    for name in HEAD:
        active[name] = weights[name][paths.replicate, paths.task, : paths.classes].clone()
    return active


def scatter(weights: Weights, layout: list[Stack], paths: Paths, active: Weights, kept: torch.Tensor) -> None:
    """Write what paths learned back, in place, where `kept`, `[n]`: their trained modules, once each, and heads."""
    for stack in layout:
        path, place = torch.nonzero(_written(stack, paths) & kept[:, None], as_tuple=True)
        rows, modules = paths.replicate[path], stack.places(paths.modules[:, stack.layer])[path, place]
        weights[stack.name][rows, modules] = active[stack.name][path, place]
    for name in HEAD:
        weights[name][paths.replicate[kept], paths.task, : paths.classes] = active[name][kept]


def add(weights: Weights, layout: list[Stack], paths: Paths, after: Weights, before: Weights) -> None:
    """Add to weights, in place, by how much paths changed what they were given."""
    for stack in layout:
        path, place = torch.nonzero(_written(stack, paths), as_tuple=True)
        rows, modules = paths.replicate[path], stack.places(paths.modules[:, stack.layer])[path, place]
        weights[stack.name][rows, modules] += (after[stack.name] - before[stack.name])[path, place]
    for name in HEAD:
        weights[name][paths.replicate, paths.task, : paths.classes] += after[name] - before[name]


def _written(stack: Stack, paths: Paths) -> torch.Tensor:
    """Return the places `[n, places]` of modules of this kind that learn."""
    return paths.trained[:, stack.layer] & stack.mine(paths.modules[:, stack.layer])
