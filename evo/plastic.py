"""The phenotype of networks whose connections change by themselves: what evolves is how, and not how strong they are.

With i before a connection and j behind it, o their values, and w, A, B, C, D, rate, strength a connection's own:

    "abcd": w += rate (A o_i o_j + B o_i + C o_j + D) after each step (Najarro & Risi 2020, arXiv:2007.02686, eq. 1)
    "trace": a connection counts as w + strength H; H = rate o_i o_j + (1 - rate) H after each step, from 0, and w stays
        (Miconi, Clune & Stanley 2018, arXiv:1804.02464, eq. 1 and 2)

Units are tanh, those of the outputs too. The first input of each layer is always 1: the articles have no biases, and
where all that is observed is 0, nothing else could be learned from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self, final

import torch

RULES = {"abcd": ("A", "B", "C", "D", "rate"), "trace": ("strength", "rate")}
"""Names of each rule's coefficients, in order."""


def connection_count(sizes: Sequence[int]) -> int:
    """Return how many connections layers of these sizes have, inputs first, each unit's from the constant included."""
    return sum((1 + before) * behind for before, behind in pairwise(sizes))


@final
@dataclass(frozen=True)
class PlasticNetworks:
    """n networks of one shape, and how the connections of each change.

    Attributes:
        sizes: units of each layer, inputs first and outputs last.
        rule: "abcd" or "trace".
        coefficients: `[n, k, connections]` float32, as `RULES` names them; of a connection matrix
            `[units, 1 + inputs]` row by row, layer by layer.
        weights: `[n, connections]` at birth; None where each life begins with others, drawn at random.

    Raises:
        ValueError: there is no such rule, or tensors do not fit the sizes, or "trace" has no weights.
    """

    sizes: tuple[int, ...]
    rule: str
    coefficients: torch.Tensor
    weights: torch.Tensor | None = None

    def __post_init__(self) -> None:
        if self.rule not in RULES:
            raise ValueError(f"PlasticNetworks: rule is one of {', '.join(RULES)}, got {self.rule!r}")
        expected = [len(RULES[self.rule]), connection_count(self.sizes)]
        if self.coefficients.dim() != 3 or list(self.coefficients.shape[1:]) != expected:
            raise ValueError(
                f"PlasticNetworks: coefficients of layers {self.sizes} with the rule {self.rule!r} are "
                f"[n, {expected[0]}, {expected[1]}], got {list(self.coefficients.shape)}"
            )
        if self.weights is not None and self.weights.shape != self.coefficients[:, 0].shape:
            raise ValueError(
                f"PlasticNetworks: weights: expected {list(self.coefficients[:, 0].shape)}, got "
                f"{list(self.weights.shape)}"
            )
        if self.rule == "trace" and self.weights is None:
            raise ValueError("PlasticNetworks: with the rule 'trace' weights stay as they are: give them")

    def __len__(self) -> int:
        return len(self.coefficients)

    def __getitem__(self, which: slice | list[int] | torch.Tensor) -> Self:
        weights = None if self.weights is None else self.weights[which]
        return replace(self, coefficients=self.coefficients[which], weights=weights)

    @property
    def device(self) -> torch.device:
        """Where the coefficients are."""
        return self.coefficients.device

    def layers(self, flat: torch.Tensor) -> list[torch.Tensor]:
        """Return the matrices `[..., units, 1 + inputs]` of numbers per connection `[..., connections]`, as views."""
        shapes = [(behind, 1 + before) for before, behind in pairwise(self.sizes)]
        parts = torch.split(flat, [units * columns for units, columns in shapes], dim=-1)
        return [part.reshape(*part.shape[:-1], *shape) for part, shape in zip(parts, shapes, strict=True)]
