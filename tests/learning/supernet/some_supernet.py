"""Supernets of a few small modules, paths through them, and cases to learn."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from evo.learning.supernet.kinds import Dense
from evo.learning.supernet.paths import Paths
from evo.learning.supernet.supernet import Layer, Supernet
from evo.learning.supernet.weights import Weights, newborn_head, newborn_modules
from evo.pathways import Pathways

SHAPE = (12,)
CLASSES = 3


NET = Supernet((Layer(5, (Dense(4),)), Layer(3, (Dense(6),)), Layer(4, (Dense(4),))))
MODULES = [[[0, 3, 3], [2, 1, 0], [3, 3, 3]], [[4, 1, 0], [1, 1, 2], [0, 2, 1]]]
"""Two paths; some modules come twice or thrice."""


def begun(net: Supernet, replicates: int, shape: tuple[int, ...] = SHAPE) -> Weights:
    """Weights of several replicates, with heads for two tasks."""
    each = [newborn_modules(net, shape, 10 + number) for number in range(replicates)]
    weights = {name: torch.stack([one[name] for one in each]) for name in each[0]}
    heads = [
        [newborn_head(net, shape, CLASSES, 100 * number + task) for task in (0, 1)] for number in range(replicates)
    ]
    for place, name in enumerate(("head.weight", "head.bias")):
        weights[name] = torch.stack([torch.stack([head[place] for head in row]) for row in heads])
    return weights


def paths_of(modules: list[list[list[int]]], counts: tuple[int, ...], frozen: Sequence[tuple[int, int]] = ()) -> Paths:
    """Paths, one for each replicate; frozen modules are (layer, module), of all of them."""
    chosen = torch.tensor(modules)
    pathways = Pathways(chosen, counts, torch.arange(len(chosen)), torch.ones(len(chosen), dtype=torch.int64))
    present = pathways.distinct()
    trained = present.clone()
    for layer, module in frozen:
        trained[:, layer] &= chosen[:, layer] != module
    return Paths(pathways.replicate, chosen, present, trained, 1, CLASSES)


def cases(replicates: int, batches: int = 6, batch: int = 5, shape: tuple[int, ...] = SHAPE):
    """Inputs `[replicates, batches, batch, *shape]` and classes."""
    draw = torch.Generator().manual_seed(3)
    inputs = torch.randn(replicates, batches, batch, *shape, generator=draw)
    return inputs, torch.randint(CLASSES, (replicates, batches, batch), generator=draw)
