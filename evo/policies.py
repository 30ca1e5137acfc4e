"""The phenotype of policies with a memory: gated recurrent units and a linear read-out, a population packed in rows.

A step, with x what is observed and h the memory (Cho et al. 2014, arXiv:1406.1078, section 2.3; in the form of
`torch.nn.GRUCell`, whose two biases of reset and update gate are one here):

    reset r = sigmoid(W_r [1, x, h]), update z = sigmoid(W_z [1, x, h])
    candidate c = tanh(W_x [1, x] + r * W_h [1, h]), memory h' = (1 - z) c + z h, logits W_o [1, h']

A row of parameters has these five matrices one after the other, unit by unit, each unit's bias first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self, final

import torch

from evo.activations import sigmoid


class Matrices(NamedTuple):
    """The five matrices of the text above, `[n, units, columns]` each."""

    reset: torch.Tensor
    update: torch.Tensor
    observed: torch.Tensor
    remembered: torch.Tensor
    logits: torch.Tensor


def shapes(inputs: int, hidden: int, actions: int) -> tuple[tuple[int, int], ...]:
    """Return the shapes `(units, columns)` of the five matrices."""
    both = (hidden, 1 + inputs + hidden)
    return both, both, (hidden, 1 + inputs), (hidden, 1 + hidden), (actions, 1 + hidden)


def parameter_count(inputs: int, hidden: int, actions: int) -> int:
    """Return how many parameters a policy has."""
    return sum(units * columns for units, columns in shapes(inputs, hidden, actions))


@final
@dataclass(frozen=True)
class RecurrentPolicies:
    """n policies of one shape.

    Attributes:
        inputs, hidden, actions: numbers observed, units of the memory, and actions to choose from.
        parameters: `[n, P]` float32.

    Raises:
        ValueError: parameters do not fit the shape.
    """

    inputs: int
    hidden: int
    actions: int
    parameters: torch.Tensor

    def __post_init__(self) -> None:
        expected = parameter_count(self.inputs, self.hidden, self.actions)
        if self.parameters.dim() != 2 or self.parameters.shape[1] != expected:
            raise ValueError(
                f"RecurrentPolicies: parameters of {self.inputs} inputs, {self.hidden} units and {self.actions} "
                f"actions are [n, {expected}], got {list(self.parameters.shape)}"
            )

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, which: slice | list[int] | torch.Tensor) -> Self:
        return replace(self, parameters=self.parameters[which])

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.parameters.device

    def matrices(self) -> Matrices:
        """Return the five matrices of all policies, as views."""
        forms = shapes(self.inputs, self.hidden, self.actions)
        parts = torch.split(self.parameters, [units * columns for units, columns in forms], dim=1)
        return Matrices(*(part.view(-1, *form) for part, form in zip(parts, forms, strict=True)))


def step(matrices: Matrices, observed: torch.Tensor, memory: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return memories `[n, tasks, hidden]` after a step, and logits `[n, tasks, actions]`, by batched products.

    Args:
        matrices: of n policies.
        observed: `[n, tasks, inputs]`.
        memory: `[n, tasks, hidden]`, before the step.
    """
    one = torch.ones_like(observed[..., :1])
    seen, known = torch.cat((one, observed), 2), torch.cat((one, memory), 2)
    both = torch.cat((seen, memory), 2)
    reset = sigmoid(both @ matrices.reset.mT)
    update = sigmoid(both @ matrices.update.mT)
    candidate = torch.tanh(seen @ matrices.observed.mT + reset * (known @ matrices.remembered.mT))
    memory = (1.0 - update) * candidate + update * memory
    return memory, torch.cat((one, memory), 2) @ matrices.logits.mT
