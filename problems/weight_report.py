"""What a classifier knows at each shared weight, and what all weights know together (Gaier & Ha 2019, section 4.3).

One network with another shared weight is another classifier: some weights name some classes better. So the weights are
an ensemble, whose members vote. Here: the accuracy per weight, per class and weight (their figure of digits by
weights), of the majority vote, and of the mean of all weights' probabilities.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from evo.inspect.heat_map import heat_map_svg
from evo.networks import Networks
from problems.classification import Classification

WEIGHTS = tuple(round(0.1 * step, 1) for step in range(-20, 21) if step)
"""The series looked at: -2 to 2 in steps of 0.1. Without 0, with which every network says the same of all cases."""
BLOCK = 2500
"""Cases that all weights see at a time."""


@dataclass(frozen=True)
class WeightReport:
    """How well one network names classes with each of a series of shared weights, and with all of them together.

    Attributes:
        weights: the series.
        accuracy: `[weights]` float64, the share of cases named rightly with each.
        by_class: `[weights, classes]` float64, the same for the cases of each class; NaN for a class without cases.
        vote: the accuracy of the class that most weights name; of classes with as many votes, the first in order wins.
        mean_probability: the accuracy of the class with the greatest probability, on average over the weights.
        classes: their names.
        cases: how many there were.
        split: which they were.
    """

    weights: tuple[float, ...]
    accuracy: np.ndarray
    by_class: np.ndarray
    vote: float
    mean_probability: float
    classes: tuple[str, ...]
    cases: int
    split: str

    @property
    def best(self) -> float:
        """The weight with the greatest accuracy; the first of several."""
        return self.weights[int(self.accuracy.argmax())]


def weight_report(
    networks: Networks, problem: Classification, weights: tuple[float, ...] = WEIGHTS, split: str = "test"
) -> WeightReport:
    """Return how a network does on all cases of a split with each shared weight, and with all of them together.

    Args:
        networks: a population of one.
        problem: whose cases it sees; its own shared weights, batch and split play no part.
        weights: the series.
        split: "train", "test" or "all".

    Raises:
        ValueError: not one network, or no weights, or the network does not fit the problem.
    """
    fits = (networks.inputs, networks.outputs) == (len(problem.inputs), len(problem.classes))
    if len(networks) != 1 or not weights or not fits:
        raise ValueError(
            f"weight_report: expected one network with {len(problem.inputs)} inputs and {len(problem.classes)} "
            f"outputs, and a weight or more, got {len(networks)} with {networks.inputs} and {networks.outputs}, and "
            f"{len(weights)} weights"
        )
    whole = replace(problem, shared_weights=(), batch=0, split=split)
    inputs, classes = whole.draw(np.random.default_rng(0))  # all cases, so nothing is drawn
    named, voted, meant = [], [], []
    for first in range(0, len(classes), BLOCK):
        outputs = torch.stack([networks.forward(inputs[first : first + BLOCK], weight)[0] for weight in weights])
        predictions = outputs.argmax(2).cpu().numpy()
        named.append(predictions)
        voted.append(majority(predictions, len(problem.classes)))
        meant.append(outputs.softmax(2).mean(0, dtype=torch.float64).argmax(1).cpu().numpy())
    right = np.concatenate(named, 1) == classes.numpy()
    return WeightReport(
        weights=tuple(weights),
        accuracy=right.mean(1),
        by_class=_by_class(right, classes.numpy(), len(problem.classes)),
        vote=float((np.concatenate(voted) == classes.numpy()).mean()),
        mean_probability=float((np.concatenate(meant) == classes.numpy()).mean()),
        classes=problem.classes,
        cases=len(classes),
        split=split,
    )


def majority(predictions: np.ndarray, classes: int) -> np.ndarray:
    """Return the class named most often `[cases]` in `[voters, cases]`; of several, the first in order."""
    votes = (predictions[..., None] == np.arange(classes)).sum(0)
    winner: np.ndarray = votes.argmax(1)  # numpy's is the first of equals
    return winner


def _by_class(right: np.ndarray, classes: np.ndarray, count: int) -> np.ndarray:
    """Return the share of right answers `[weights, classes]` among the cases of each class, from `[weights, cases]`."""
    mine = classes == np.arange(count)[:, None]
    sizes = mine.sum(1)
    hits = right.astype(np.float64) @ mine.T.astype(np.float64)
    shares = np.full(hits.shape, np.nan)
    np.divide(hits, sizes, out=shares, where=sizes > 0)
    return shares


def report_svg(report: WeightReport) -> str:
    """Return the accuracy of each class at each weight as a figure: a row per class, a column per weight."""
    values = [[None if np.isnan(value) else float(value) for value in row] for row in report.by_class.T]
    title = f"accuracy per class and shared weight, {report.cases} cases ({report.split})"
    return heat_map_svg(values, [f"{w:g}" for w in report.weights], report.classes, "shared weight", "class", title)
