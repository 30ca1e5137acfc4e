"""The fields of a learner's row: who it is, its settings, and the state that its lifetime leaves.

Settings are genes: a column each, side by side, so that operators see them as one block. Learned state stands behind
them, so a row is everything that a learner is at one moment.
"""

from __future__ import annotations

from collections.abc import Container

from evo.layout import Field, Layout
from evo.learners import CONSOLIDATING, NAMES, SETTINGS, Architecture

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

HELD = ("precision", "pull")
"""More of them, of learners that consolidate."""


def learner_layout(architecture: Architecture, moments: int, named: Container[str] = ()) -> Layout:
    """Return the layout of rows; a field that is not needed has no columns.

    What came later (settings that say so, and `HELD`) is no field at all there, so that rows stay what they were.

    Args:
        architecture: of all learners.
        moments: of the gradient that the optimiser keeps per weight: 0, 1 (momentum) or 2 (Adam).
        named: settings that differ from their defaults, or evolve.
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
    there = (setting for setting in SETTINGS if not setting.later or setting.name in named)
    settings = (Field(setting.name, (), setting.meaning) for setting in there)
    held = HELD if any(name in named for name in CONSOLIDATING) else ()
    state = (*(Field(name, shapes[name]) for name in STATE), *(Field(name, (parameters,)) for name in held))
    return Layout(*places, *settings, *state)


def settings_columns(layout: Layout) -> slice:
    """Return the columns of all settings that rows have, in the order of `evo.learners.SETTINGS`."""
    there = [field.name for field in layout.fields if field.name in NAMES]
    return slice(layout.columns(there[0]).start, layout.columns(there[-1]).stop)
