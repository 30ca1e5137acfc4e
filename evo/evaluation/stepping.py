"""A population of networks, one step at a time, with different inputs for every network: torch, on any device."""

from __future__ import annotations

import torch

from evo.evaluation.torch_plan import Plan
from evo.networks import Networks


class Stepper:
    """Runs n networks step by step, `lanes` copies of each; recurrent edges read the step before.

    Args:
        networks: n networks; where they are is where everything is computed.
        scale: `[lanes]` what each lane's weighted sums are multiplied with: its shared weight, or 1.
    """

    def __init__(self, networks: Networks, scale: torch.Tensor) -> None:
        self.plan = Plan(networks)
        self.scale = scale.to(networks.device, torch.float32)
        self.values = torch.zeros(2 * self.plan.nodes, len(scale), device=networks.device)
        self.reset()

    def reset(self) -> None:
        """Put all networks to rest: recurrent edges read 0 at the next step."""
        self.values.zero_()
        self.values[self.plan.bias] = 1.0

    def step(self, observations: torch.Tensor) -> torch.Tensor:
        """Return outputs `[n, lanes, outputs]` for observations `[n, lanes, inputs]`."""
        self.values[self.plan.inputs] = observations.to(self.values).transpose(1, 2)
        self.advance()
        return self.outputs().transpose(1, 2)

    def advance(self) -> None:
        """Compute all nodes from the inputs that stand in `values`."""
        nodes = self.plan.nodes
        self.plan.compute(self.values, self.scale)
        if self.plan.recurrent:
            self.values[nodes:] = self.values[:nodes]

    def outputs(self) -> torch.Tensor:
        """Return the outputs `[n, outputs, lanes]` of the last step."""
        return self.values[self.plan.outputs]
