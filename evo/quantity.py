"""What is measured on learners, for people: what it is called, its unit, and how layers become one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evo.inspect.text import plain


@dataclass(frozen=True)
class Quantity:
    """Something measured, generation by generation.

    Attributes:
        title: what an axis says.
        unit: what it is counted in; empty for a pure number.
        joined: what becomes of a learner's layers, or bins: "mean"; "share", their mean weighted by the layers' units;
            "rank", the mean of numbers of units, each as a share of its layer's; "sum".
        factor: what the recorded number is multiplied with.
    """

    title: str
    unit: str = ""
    joined: str = "mean"
    factor: float = 1.0


PERCENT_OF_UNITS = "% of hidden units"

KNOWN = {
    "accuracy": Quantity("Online accuracy", "%", factor=100.0),
    "test_accuracy": Quantity("Test accuracy", "%", factor=100.0),
    "test_accuracies": Quantity("Test accuracy, mean of tasks", "%", factor=100.0),
    "squared_error": Quantity("Squared error"),
    "loss": Quantity("Online loss"),
    "dead": Quantity("Dead units", PERCENT_OF_UNITS, "share", 100.0),
    "dormant": Quantity("Dormant units", PERCENT_OF_UNITS, "share", 100.0),
    "saturated": Quantity("Saturated activations", "%", "share", 100.0),
    "effective_rank": Quantity("Effective rank", PERCENT_OF_UNITS, "rank", 100.0),
    "stable_rank": Quantity("Stable rank", PERCENT_OF_UNITS, "rank", 100.0),
    "stable_rank_frobenius": Quantity("Stable rank, Frobenius", PERCENT_OF_UNITS, "rank", 100.0),
    "weight_magnitude": Quantity("Mean weight magnitude"),
    "gradient_norm": Quantity("Gradient norm"),
    "replaced": Quantity("Units replaced", "per segment", "sum"),
    "layer_weight_magnitude": Quantity("Mean weight magnitude, mean of layers"),
}
"""In the order in which they are shown."""

LEFT_OUT = ("layer_weight_magnitude", "test_accuracies")
"""Shown only where asked for by name."""


def quantity(name: str, relative: bool = True) -> Quantity:
    """Return what a name stands for; of names that are not known, the name in words.

    Args:
        name: of what was measured.
        relative: whether ranks are shares of their layer's units; otherwise numbers of units, for their sizes are not
            known.
    """
    known = KNOWN.get(name) or Quantity(words(name).capitalize())
    return known if relative or known.joined != "rank" else Quantity(known.title, "units")


def words(name: str) -> str:
    """Return a name as words."""
    return plain(name, 60).replace("_", " ")


def axis_label(name: str, relative: bool = True) -> str:
    """Return what an axis says: title and unit."""
    known = quantity(name, relative)
    return f"{known.title} ({known.unit})" if known.unit else known.title


def one_number(name: str, values: np.ndarray, units: Sequence[int] | None, relative: bool = True) -> np.ndarray:
    """Return one number per learner, in the quantity's unit, `[generations, settings, streams]`.

    A learner with a layer, or a bin, that is not finite has none.

    Args:
        name: of what was measured.
        values: `[generations, settings, streams, ...]` as recorded.
        units: of each hidden layer, those that diagnostics count; None where they are not known.
        relative: see `quantity`.
    """
    known = quantity(name, relative)
    inner = tuple(range(3, values.ndim))
    if known.joined == "sum":
        return np.asarray(known.factor * values.sum(inner))
    if 0 in values.shape[3:]:  # of no layers, no mean
        return np.full(values.shape[:3], np.nan)
    if units is not None and known.joined == "rank":
        values = values / np.asarray(units, dtype=np.float64)
    if units is not None and known.joined == "share":
        values = values * (np.asarray(units, dtype=np.float64) / np.mean(units))
    return np.asarray(known.factor * values.mean(inner))
