"""The general engine: modules of any kind, path after path, and the modules of a kind in a layer as one by `vmap`.

Paths are taught one by one, so none can depend on another's company. Gradients are torch's.
"""

from __future__ import annotations

from typing import final

import torch
from torch import nn
from torch.func import functional_call, vmap
from torch.nn import functional

from evo.learning.supernet.kinds import Shape
from evo.learning.supernet.paths import Paths
from evo.learning.supernet.supernet import Supernet, templates
from evo.learning.supernet.weights import HEAD, Weights, stacks


@final
class ModuleEngine:
    """Teaches paths of modules of any kind.

    Args:
        supernet: its description.
        input_shape: of one input.
        aggregation: one of `evo.learning.supernet.supernet.AGGREGATIONS`.
    """

    def __init__(self, supernet: Supernet, input_shape: Shape, aggregation: str) -> None:
        self.supernet, self.aggregation = supernet, aggregation
        self.modules = templates(supernet, input_shape).modules
        self.layout = stacks(supernet, input_shape)

    def descend(
        self, active: Weights, paths: Paths, inputs: torch.Tensor, targets: torch.Tensor, step_size: float
    ) -> torch.Tensor:
        """Train paths by stochastic gradient descent; see `DenseEngine.descend`."""
        logits = torch.empty(*targets.shape, paths.classes)
        for number in range(len(paths)):
            path = _Path(self, active, paths, number)
            for step, batch in enumerate(zip(inputs[number], targets[number], strict=True)):
                logits[number, step] = path.step(*batch, step_size)
            path.write(active)
        return logits

    @torch.no_grad()
    def outputs(self, active: Weights, paths: Paths, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits `[n, cases, classes]` of paths as they are, for inputs `[n, cases, *shape]`."""
        return torch.stack([_Path(self, active, paths, each).forward(inputs[each]) for each in range(len(paths))])

    def averaged(self, layer: int) -> bool:
        """Return whether a layer's outputs are averaged, else summed."""
        last = layer == len(self.modules) - 1
        return self.aggregation == "mean" or (self.aggregation == "mean_last" and last)


@final
class _Path:
    """One path: its weights as leaves that gradients are taken for, stacked by kind, each module once."""

    def __init__(self, engine: ModuleEngine, active: Weights, paths: Paths, number: int) -> None:
        self.engine, self.number = engine, number
        self.places: dict[str, torch.Tensor] = {}
        self.factors: dict[str, torch.Tensor | float] = dict.fromkeys(HEAD, 1.0)
        self.leaves = {name: active[name][number].clone() for name in HEAD}
        self.modules = [row[there] for row, there in zip(paths.modules[number], paths.present[number], strict=True)]
        for stack in engine.layout:
            modules, present = paths.modules[number, stack.layer], paths.present[number, stack.layer]
            places = torch.nonzero(present & stack.mine(modules)).flatten()
            trained = paths.trained[number, stack.layer, places]
            self.places[stack.name] = places
            self.leaves[stack.name] = active[stack.name][number, places]
            self.factors[stack.name] = trained.to(torch.float32).view(-1, *(1 for _ in stack.shape))
        for leaf in self.leaves.values():
            leaf.requires_grad_()

    def step(self, inputs: torch.Tensor, targets: torch.Tensor, step_size: float) -> torch.Tensor:
        """Take a step on a mini-batch, and return the logits `[batch, classes]` from before it."""
        with torch.enable_grad():
            logits = self.forward(inputs)
            loss = functional.cross_entropy(logits, targets)
            slopes = torch.autograd.grad(loss, list(self.leaves.values()), allow_unused=True)
        with torch.no_grad():
            for (name, leaf), slope in zip(self.leaves.items(), slopes, strict=True):
                if slope is not None:
                    leaf -= step_size * slope * self.factors[name]
        return logits.detach()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return logits `[cases, classes]`."""
        features = inputs
        for layer, kinds in enumerate(self.engine.modules):
            given = [self._outputs(layer, kind, features) for kind in range(len(kinds))]
            outputs = torch.cat([each for each in given if each is not None])
            features = outputs.mean(0) if self.engine.averaged(layer) else outputs.sum(0)
        return functional.linear(features.flatten(1), self.leaves["head.weight"], self.leaves["head.bias"])

    def write(self, active: Weights) -> None:
        """Put what was learned where it came from."""
        for name, places in self.places.items():
            active[name][self.number, places] = self.leaves[name].detach()
        for name in HEAD:
            active[name][self.number] = self.leaves[name].detach()

    def _outputs(self, layer: int, kind: int, features: torch.Tensor) -> torch.Tensor | None:
        """Return what the path's modules of one kind give, `[modules, cases, *shape]`; None where it has none."""
        count = int((self.modules[layer] % len(self.engine.modules[layer]) == kind).sum())
        if not count:
            return None
        mine = [stack for stack in self.engine.layout if (stack.layer, stack.kind) == (layer, kind)]
        parameters = {stack.parameter: self.leaves[stack.name] for stack in mine}
        batched = self.engine.supernet.layers[layer].kinds[kind].batched
        return _run(self.engine.modules[layer][kind], parameters, count, features, batched)


def _run(
    module: nn.Module, parameters: dict[str, torch.Tensor], count: int, features: torch.Tensor, batched: bool
) -> torch.Tensor:
    """Return the outputs `[modules, cases, *shape]` of modules that are alike but for their parameters."""

    def call(own: dict[str, torch.Tensor]) -> torch.Tensor:
        output: torch.Tensor = functional_call(module, own, (features,))
        return output

    if batched and count > 1 and parameters:
        outputs: torch.Tensor = vmap(call)(parameters)
        return outputs
    return torch.stack([call({name: values[each] for name, values in parameters.items()}) for each in range(count)])
