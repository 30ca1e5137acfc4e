"""The shared part of classification problems: networks see pictures and are scored on the classes they name.

Inputs: a picture's pixels, row by row, 0 (black) to 1. Outputs: one per class, turned into probabilities by softmax.
Objectives: the mean cross-entropy, in nats (guessing scores ln(classes), 2.303 for ten), and the accuracy, 0 to 1.
Start and end: every case is seen once, from rest.

Source: Gaier & Ha 2019 (arXiv:1906.04358), section 4: reward is minus the cross-entropy on 1,000 random training cases,
the same for all networks of a generation.
"""

from __future__ import annotations

import functools
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from evo.evaluation.classification import classify
from evo.networks import Networks
from evo.outcome import Outcomes, outcomes_of
from evo.problem import NetworkProblem, Objective
from problems.data import Split

MAXIMIZE = {"cross_entropy": False, "accuracy": True}
SPLITS = ("train", "test", "all")
EXHIBITS = 2
"""Pictures of each class that a champion's page shows."""


@dataclass(frozen=True)
class Classification(NetworkProblem):
    """Name the class of a picture.

    Subclasses give `side`, `brightest` and `data`.

    Attributes:
        shared_weights: the values that all edges' weights take in turn; empty for the networks' own weights.
        batch: how many cases are drawn, without replacement, for every evaluation; 0 for all.
        split: the cases to draw from: "train", "test" or "all".
        objective: what comes first, "cross_entropy" or "accuracy"; the other is scored too, behind it.

    Class attributes:
        side: pictures are `side` x `side` pixels.
        brightest: the number in `data` that becomes an input of 1.
        classes: their names.
    """

    batch: int = 1000
    split: str = "train"
    objective: str = "cross_entropy"
    side: ClassVar[int] = 0
    brightest: ClassVar[float] = 1.0
    classes: ClassVar[tuple[str, ...]] = tuple("0123456789")

    def __post_init__(self) -> None:
        if self.batch < 0:
            raise ValueError(f"batch: expected a number of cases, or 0 for all of them, got {self.batch}")
        if self.split not in SPLITS:
            raise ValueError(f"split: expected one of {', '.join(SPLITS)}, got {self.split!r}")
        if self.objective not in MAXIMIZE:
            raise ValueError(f"objective: expected one of {', '.join(MAXIMIZE)}, got {self.objective!r}")

    @abstractmethod
    def data(self) -> Split:
        """Return all pictures `[cases, side, side]` and classes `[cases]`; called for every evaluation, so cached."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Pixels by row and column, from 0."""
        return tuple(f"pixel {row},{column}" for row in range(self.side) for column in range(self.side))

    @property
    def outputs(self) -> tuple[str, ...]:
        """The classes' names."""
        return self.classes

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The first objective, with shared weights its value with the best weight, and the other objective."""
        first, other = self.objective, next(name for name in MAXIMIZE if name != self.objective)
        best = (Objective(f"best_weight_{first}", MAXIMIZE[first]),) if self.shared_weights else ()
        return (Objective(first, MAXIMIZE[first]), *best, Objective(other, MAXIMIZE[other]))

    @property
    def stochastic(self) -> bool:
        """Whether cases are drawn anew for every evaluation."""
        return 0 < self.batch < len(self.cases()[1])

    def cases(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the pictures `[cases, side, side]` and classes `[cases]` of the split."""
        data = self.data()
        if self.split == "train":
            return data.x_train, data.y_train
        if self.split == "test":
            return data.x_test, data.y_test
        return np.concatenate((data.x_train, data.x_test)), np.concatenate((data.y_train, data.y_test))

    def draw(self, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the inputs `[cases, inputs]` (float32) and classes `[cases]` (int64) of one evaluation."""
        pictures, classes = self.cases()
        if 0 < self.batch < len(classes):
            drawn = rng.choice(len(classes), self.batch, replace=False)
            pictures, classes = pictures[drawn], classes[drawn]
        inputs = pictures.reshape(len(pictures), -1).astype(np.float32) / np.float32(self.brightest)
        return torch.from_numpy(inputs), torch.from_numpy(classes.astype(np.int64))

    def exhibit(self) -> list[tuple[np.ndarray, str]]:
        """Return pictures for the champion's page: inputs `[side * side]` and class, two of each in the test split."""
        test = replace(self, split="test", batch=0)
        inputs, classes = (tensor.numpy() for tensor in test.draw(np.random.default_rng(0)))  # all, so nothing is drawn
        shown = [np.flatnonzero(classes == number)[:EXHIBITS] for number in range(len(self.classes))]
        places = [group[turn] for turn in range(EXHIBITS) for group in shown if turn < len(group)]
        return [(inputs[place], self.classes[int(classes[place])]) for place in places]

    def training_batch(self, rng: np.random.Generator) -> tuple[torch.Tensor, Callable[[torch.Tensor], torch.Tensor]]:
        """Return the inputs of one evaluation, and the cross-entropy of outputs for them."""
        inputs, classes = self.draw(rng)
        return inputs, functools.partial(torch.nn.functional.cross_entropy, target=classes)

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        """Show all networks, with every shared weight, the same cases; see `Problem.evaluate`."""
        expected = (len(self.inputs), len(self.outputs))
        if (phenotypes.inputs, phenotypes.outputs) != expected:
            raise ValueError(
                f"phenotypes: {self.name} is for networks with {expected[0]} inputs and {expected[1]} outputs, got "
                f"{phenotypes.inputs} and {phenotypes.outputs}; make the genome with its for_problem"
            )
        inputs, classes = (tensor.to(phenotypes.device) for tensor in self.draw(rng))
        weights: tuple[float | None, ...] = self.shared_weights or (None,)
        entropy, hits = classify(phenotypes, inputs, classes, weights)
        return self.scored({"cross_entropy": entropy[..., None], "accuracy": hits[..., None]})

    def scored(self, trials: dict[str, torch.Tensor]) -> Outcomes:
        """Return the outcomes of cross-entropies and accuracies `[n, shared weights, 1]`."""
        scores = {name: values.mean((1, 2)) for name, values in trials.items()}
        first = trials[self.objective].mean(2)
        scores[f"best_weight_{self.objective}"] = first.amax(1) if MAXIMIZE[self.objective] else first.amin(1)
        return outcomes_of(torch.stack([scores[objective.name] for objective in self.objectives], 1), trials)
