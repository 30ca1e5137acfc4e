"""The phenotype of learned searches: the numbers that say how a search turns what it has measured into its next step.

Three forms:

* "des": a softmax of the ranks and two rates; 4 parameters (Lange et al. 2023, Discovering evolution strategies via
  meta-black-box optimization, arXiv:2211.11260, section 5: the discovered evolution strategy).
* "les": attention among the samples' scores gives the weights of recombination, and a small network turns the search's
  paths into rates for each coordinate; 198 parameters (the same, section 3: the learned evolution strategy).
* "lga": attention chooses parents, step sizes and survivors; 208 parameters (Lange et al. 2023, Discovering
  attention-based genetic algorithms via meta-black-box optimization, arXiv:2304.03995, section 3).

Parameters are departures, in units that suit mutation, from a rule that people made: of zeros, "des" is the published
one, "les" comes close to it (its weights likewise fall with the rank in an S; its centre goes 98 % of the way, its
deviations 10 %), and "lga" is a genetic algorithm without crossover, whose step sizes stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Self, final

import numpy as np
import torch

from evo import champion

HIDDEN = 8
PATHS = 6
TIMES = (1.0, 3.0, 10.0, 30.0, 50.0, 100.0, 250.0, 500.0, 750.0, 1000.0, 1250.0, 1500.0, 2000.0)
"""Generations; the time scales that "les" is shown."""
HEADS = 2


class Block(NamedTuple):
    """Parameters that belong together: their shape, what is not 0 in the rule of people, and the unit of departures."""

    shape: tuple[int, ...]
    hand: Mapping[tuple[int, ...], float]
    unit: float


FORMS: dict[str, dict[str, Block]] = {
    "des": {  # logarithms: of the published 20 and 12.5, and of the rates 1 and 0.1
        "log_height": Block((1,), {(0,): math.log(20.0)}, 1.0),
        "log_steepness": Block((1,), {(0,): math.log(12.5)}, 1.0),
        "log_rates": Block((2,), {(1,): math.log(0.1)}, 1.0),
    },
    "les": {  # of a sample: better than all before, rank, standardised score, 1; see `evo.fitness_features`
        "match": Block((1, 4, 4), {(0, 1, 1): 37.5}, 10.0),
        "worth": Block((1, 4, 1), {(0, 1, 0): -20.0}, 5.0),
        "hidden": Block((HIDDEN, PATHS + len(TIMES)), {}, 1.0),
        "hidden_biases": Block((HIDDEN,), {}, 1.0),
        "rates": Block((2, HIDDEN), {}, 1.0),
        "rate_biases": Block((2,), {(0,): 4.0, (1,): math.log(0.1 / 0.9)}, 1.0),
    },
    "lga": {
        "parents_match": Block((HEADS, 5, 5), {(0, 1, 1): 37.5}, 10.0),
        "parents_worth": Block((HEADS, 5, 1), {(0, 1, 0): -5.0}, 5.0),
        "steps_match": Block((HEADS, 6, 6), {(0, 1, 1): 37.5}, 10.0),
        "steps_worth": Block((HEADS, 6, 1), {}, 1.0),
        "survivors_match": Block((HEADS, 4, 4), {(0, 1, 1): 37.5}, 10.0),
        "survivors_worth": Block((HEADS, 4, 4), {(0, 1, 3): 20.0, (0, 3, 1): -20.0, (0, 3, 3): -3.0}, 5.0),
    },
}


def parameter_count(form: str) -> int:
    """Return how many parameters a rule has.

    Raises:
        ValueError: there is no such form.
    """
    if form not in FORMS:
        raise ValueError(f"search rule: form is one of {', '.join(FORMS)}, got {form!r}")
    return sum(math.prod(block.shape) for block in FORMS[form].values())


@final
@dataclass(frozen=True)
class SearchRules:
    """n rules of one form.

    Attributes:
        form: see above.
        parameters: `[n, P]`, departures from the rule that people made, block by block.

    Raises:
        ValueError: parameters do not fit the form.
    """

    form: str
    parameters: torch.Tensor = field(repr=False)

    def __post_init__(self) -> None:
        expected = parameter_count(self.form)
        if self.parameters.dim() != 2 or self.parameters.shape[1] != expected:
            raise ValueError(
                f"SearchRules: parameters of form {self.form!r} are [n, {expected}], got {list(self.parameters.shape)}"
            )

    def __len__(self) -> int:
        return len(self.parameters)

    def __getitem__(self, which: slice | list[int] | torch.Tensor) -> Self:
        return replace(self, parameters=self.parameters[which])

    @property
    def device(self) -> torch.device:
        """Where the parameters are."""
        return self.parameters.device

    @cached_property
    def blocks(self) -> dict[str, torch.Tensor]:
        """The numbers that rules compute with, by name, `[n, *shape]`."""
        found, start = {}, 0
        for name, block in FORMS[self.form].items():
            size = math.prod(block.shape)
            part = self.parameters[:, start : start + size].reshape(-1, *block.shape)
            hand = np.zeros(block.shape)
            for place, value in block.hand.items():
                hand[place] = value
            found[name], start = torch.from_numpy(hand).to(part) + block.unit * part, start + size
        return found


def one_rule(form: str, parameters: Sequence[float]) -> SearchRules:
    """Return a single rule in double precision; without parameters that of people.

    Raises:
        ValueError: there is no such form, or parameters do not fit it or are not finite.
    """
    values = torch.tensor(list(parameters) or [0.0] * parameter_count(form), dtype=torch.float64)
    if not values.isfinite().all():
        raise ValueError(f"search rule: parameters are finite numbers, got {values[~values.isfinite()][0].item()}")
    return SearchRules(form, values[None])


def read(path: Path) -> tuple[str, tuple[float, ...]]:
    """Return the form and the parameters of a champion file; nothing in the file is run.

    Raises:
        ValueError: the file holds no such rule.
    """
    found: Any = champion.load(path)
    form, parameters = found.genome["settings"].get("form"), found.genes.get("parameters")
    if form not in FORMS or not isinstance(parameters, list) or len(parameters) != parameter_count(form):
        made_by = found.genome["name"]
        raise ValueError(f"{path}: expected the champion of a genome 'evolved-search', got one of {made_by!r}")
    return form, tuple(float(value) for value in parameters)
