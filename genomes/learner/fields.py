"""The fields of a learner's row: who it is, its settings, and the state that its lifetime leaves.

Settings are genes: a column each, side by side, so that operators see them as one block. Learned state stands behind
them, so a row is everything that a learner is at one moment.
"""

from __future__ import annotations

from evo.layout import Field, Layout
from evo.learners import NAMES, SETTINGS, Architecture

WHOLE = 2**24
"""Whole numbers below this are exact in float32."""

PLACES = ("activation", "utility", "key", "stream", "segments")
"""Fields of whole numbers."""

STATE = (
    "weights",
    "initial_weights",
    "first_moment",
    "second_moment",
    "moment_steps",
    "ages",
    "utilities",
    "mean_activations",
    "mean_magnitudes",
    "due",
    "normalization_state",
)
"""Fields that a lifetime changes, named as in `evo.learners.Learners`."""


def learner_layout(architecture: Architecture, moments: int) -> Layout:
    """Return the layout of rows; a field that is not needed has no columns.

    Args:
        architecture: of all learners.
        moments: of the gradient that the optimiser keeps per weight: 0, 1 (momentum) or 2 (Adam).
    """
    parameters, units, hidden_layers = architecture.parameters, architecture.units, len(architecture.layers) - 1
    shapes: dict[str, tuple[int, ...]] = dict.fromkeys(STATE, (units,)) | {
        "weights": (parameters,),
        "initial_weights": (parameters,),
        "first_moment": (parameters * (moments > 0),),
        "second_moment": (parameters * (moments > 1),),
        "moment_steps": (parameters * (moments > 1),),
        "due": (hidden_layers,),
        "normalization_state": (4, units * (architecture.normalization == "online")),
    }
    places = (
        Field("activation", (), "place in evo.learners.ACTIVATIONS"),
        Field("utility", (), "place in evo.learners.UTILITIES"),
        Field("key", (), "what its own draws start from"),
        Field("stream", (), "number of the stream that it lives on"),
        Field("segments", (), "how many segments of it it has lived through"),
    )
    settings = (Field(setting.name, (), setting.meaning) for setting in SETTINGS)
    return Layout(*places, *settings, *(Field(name, shapes[name]) for name in STATE))


def settings_columns(layout: Layout) -> slice:
    """Return the columns of all settings, in the order of `evo.learners.SETTINGS`."""
    return slice(layout.columns(NAMES[0]).start, layout.columns(NAMES[-1]).stop)
