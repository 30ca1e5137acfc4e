"""The phenotype of learned optimisers: a small network that turns what a coordinate has seen into its next move.

All coordinates share the network's weights, and each has a state of its own (Andrychowicz et al. 2016,
arXiv:1606.04474, section 2.1). Three forms:

* "features": of each coordinate gradient and momenta relative to their usual size, and logarithms of these sizes; its
  moves begin large or small with the gradients' own size. 98 parameters with 8 units.
* "momenta" (Metz et al. 2018, arXiv:1810.10180, appendix; layout of their code): gradient, place and six momenta, each
  normalised over the task's coordinates, and eleven time scales; 1,762 parameters with two layers of 32 units.
* "recurrent": gated recurrent units (`evo.policies`) on the gradient's logarithm and sign (Andrychowicz et al.,
  appendix A).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self, final

import torch

from evo.policies import parameter_count as recurrent_count

FORMS = {"features": (9, 2), "momenta": (19, 2), "recurrent": (2, 1)}
"""Numbers that a coordinate's network is shown, and numbers it answers with."""


def sizes(form: str, hidden: tuple[int, ...]) -> tuple[int, ...]:
    """Return the units of each layer, inputs and outputs included."""
    shown, answered = FORMS[form]
    return shown, *hidden, answered


def parameter_count(form: str, hidden: tuple[int, ...]) -> int:
    """Return how many parameters an optimiser has.

    Raises:
        ValueError: there is no such form, or it has not so many layers.
    """
    if form not in FORMS or not hidden or min(hidden) < 1 or (form == "recurrent" and len(hidden) > 1):
        raise ValueError(
            f"optimiser: form is one of {', '.join(FORMS)}, and hidden are units of one layer or more (a recurrent "
            f"one has one), got {form!r} and {hidden}"
        )
    if form == "recurrent":
        return recurrent_count(FORMS[form][0], hidden[0], FORMS[form][1])
    return sum((before + 1) * units for before, units in pairwise(sizes(form, hidden)))


@final
@dataclass(frozen=True)
class LearnedOptimisers:
    """n optimisers of one form.

    Attributes:
        form: see above.
        hidden: units of each layer.
        parameters: `[n, P]` float32: weights `[units, inputs]` and biases by layers, or as `evo.policies` has them.

    Raises:
        ValueError: parameters do not fit the form.
    """

    form: str
    hidden: tuple[int, ...]
    parameters: torch.Tensor

    def __post_init__(self) -> None:
        expected = parameter_count(self.form, self.hidden)
        if self.parameters.dim() != 2 or self.parameters.shape[1] != expected:
            raise ValueError(
                f"LearnedOptimisers: parameters of form {self.form!r} with {self.hidden} units are [n, {expected}], "
                f"got {list(self.parameters.shape)}"
            )

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, which: slice | list[int] | torch.Tensor) -> Self:
        return replace(self, parameters=self.parameters[which])

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.parameters.device

    def answer(self, shown: torch.Tensor) -> torch.Tensor:
        """Return what the networks answer, `[n, cases, answers]`, to what they are shown, `[n, cases, numbers]`."""
        values, start = shown, 0
        layers = list(pairwise(sizes(self.form, self.hidden)))
        for place, (before, units) in enumerate(layers):
            weights = self.parameters[:, start : start + before * units].view(-1, units, before)
            start += before * units
            biases = self.parameters[:, start : start + units]
            start += units
            values = torch.stack(  # one product for each: those of a batch have other last bits in another batch
                [torch.addmm(*one) for one in zip(biases, values, weights.mT, strict=True)]
            )
            if place < len(layers) - 1:
                values = values.tanh() if self.form == "features" else values.clamp(min=0.0)
        return values
