"""The components that growing paths are made of: slots of weights, cloned, counted, and run.

A layer's modules are its slots, and the read-outs have as many: `head.weight` and `head.bias` are
`[replicates, slots, ...]` here, where the engines' number of a task is the number of a slot.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import torch

from evo import seeds
from evo.learning.supernet.engine import Engine, engine_for
from evo.learning.supernet.kinds import Adapter, size
from evo.learning.supernet.paths import Paths
from evo.learning.supernet.supernet import templates
from evo.learning.supernet.weights import HEAD, Stack, Weights, gathered, newborn_head, newborn_modules, stacks
from problems.transfer.task_sequence import CASES, TaskSequence


@final
@dataclass(frozen=True)
class Components:
    """What can be done with the components of a sequence's supernet.

    Attributes:
        sequence: of tasks.
    """

    sequence: TaskSequence

    @cached_property
    def layout(self) -> list[Stack]:
        """The parameters of all layers."""
        return stacks(self.sequence.supernet, self.sequence.input_shape)

    @cached_property
    def engine(self) -> Engine:
        """What teaches and runs paths."""
        return engine_for(self.sequence.supernet, self.sequence.input_shape, self.sequence.aggregation)

    def newborn(self, roots: list[int]) -> Weights:
        """Return the weights that replicates with these seeds begin with; read-outs are empty."""
        held, shape = self.sequence.supernet, self.sequence.input_shape
        each = [newborn_modules(held, shape, seeds.torch_seed(root, "growing: root")) for root in roots]
        weights = {name: torch.stack([one[name] for one in each]) for name in each[0]}
        slots = self.sequence.modules_per_layer[0]
        for name, values in zip(HEAD, self._read_out(0, 0), strict=True):
            weights[name] = torch.zeros(len(roots), slots, *values.shape)
        return weights

    def clone(self, weights: Weights, path: Paths, origin: torch.Tensor, root: int, task: int) -> None:
        """Copy what a path trains from where it comes from, in place.

        Args:
            weights: of all replicates.
            path: one; its slots are overwritten.
            origin: slots `[layers + 1]`; -1 for a new read-out.
            root: the replicate's seed.
            task: that a new read-out is for; it is the same for all of a replicate's paths.
        """
        replicate = int(path.replicate)
        for stack in self.layout:
            if path.trained[0, stack.layer, 0]:
                slots = weights[stack.name][replicate]
                slots[path.modules[0, stack.layer, 0]] = slots[origin[stack.layer]].clone()
        for name, new in zip(HEAD, self._read_out(root, task), strict=True):
            slots = weights[name][replicate]
            slots[path.task] = new if origin[-1] < 0 else slots[origin[-1]].clone()

    def path(self, replicate: int, task: int, component: torch.Tensor, trained: torch.Tensor) -> Paths:
        """Return one path as engines take it, given its slots and what is trained, both `[layers + 1]`."""
        modules, learn = component[None, :-1, None], trained[None, :-1, None]
        there = torch.ones_like(learn)
        classes = self.sequence.classes(task)
        return Paths(torch.tensor([replicate]), modules, there, learn, int(component[-1]), classes)

    def parameters(self, kept: torch.Tensor, component: torch.Tensor, task: int) -> float:
        """Return a path's parameters, those of each component divided by how many tasks use it.

        Args:
            kept: the paths of other tasks `[tasks, layers + 1]`.
            component: the slots of this one, `[layers + 1]`.
            task: whose read-out it has.
        """
        features = size(templates(self.sequence.supernet, self.sequence.input_shape).shapes[-1])
        total = float(self.sequence.classes(task) * (features + 1))
        for stack in self.layout:
            slot = int(component[stack.layer])
            adds_nothing = slot == 0 and isinstance(self.sequence.supernet.layers[stack.layer].kinds[0], Adapter)
            users = 1 + int((kept[:, stack.layer] == slot).sum())
            total += 0.0 if adds_nothing else size(stack.shape) / users
        return total

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return what the layers see of inputs `[cases, ...]`."""
        shaped = inputs.reshape(len(inputs), *self.sequence.input_shape)
        trunk = self.sequence.supernet.trunk
        return shaped if trunk is None else trunk.features(shaped)

    def outputs(self, weights: Weights, path: Paths, inputs: torch.Tensor) -> torch.Tensor:
        """Return the logits `[cases, classes]` of one path for inputs `[cases, ...]`."""
        active = gathered(weights, self.layout, path)
        parts = torch.split(inputs, CASES)
        return torch.cat([self.engine.outputs(active, path, self.features(part)[None])[0] for part in parts])

    def _read_out(self, root: int, task: int) -> tuple[torch.Tensor, torch.Tensor]:
        sequence = self.sequence
        most = max(sequence.classes(number) for number in range(sequence.tasks))
        seed = seeds.torch_seed(root, "growing: read-out", task)
        return newborn_head(sequence.supernet, sequence.input_shape, most, seed)
