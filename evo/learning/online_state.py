"""What the compiled engine keeps of one learner while it works on it: padded arrays, one layer after the other.

Rows of weights are padded with zeros to whole vectors, so that no inner loop has a remainder; row `inputs[layer]` of a
layer holds its biases. All arrays are float32 unless said otherwise, and begin at a cache line.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from evo.learners import NAMES, Architecture
from evo.learning.simd import WIDTH

STEP_SIZE, MOMENTUM, FIRST_DECAY, SECOND_DECAY = (
    NAMES.index(name) for name in ("step_size", "momentum", "first_moment_decay", "second_moment_decay")
)
WEIGHT_DECAY, DECOUPLED_DECAY, INITIAL_DECAY, NOISE = (
    NAMES.index(name) for name in ("weight_decay", "decoupled_decay", "initial_decay", "noise")
)
REPLACEMENT_RATE, MATURITY_THRESHOLD, UTILITY_DECAY, DROPOUT = (
    NAMES.index(name) for name in ("replacement_rate", "maturity_threshold", "utility_decay", "dropout")
)
DORMANCY_THRESHOLD, DORMANCY_PERIOD = (NAMES.index(name) for name in ("dormancy_threshold", "dormancy_period"))
"""Columns of a learner's settings."""


class Manner(NamedTuple):
    """How all learners learn: of `evo.learners.Rules`, the engine's name for each of its choices, and the loss."""

    adam: bool
    released: bool
    accumulate: bool
    count_all: bool
    bias_transfer: bool
    corrected: bool
    reset_optimizer: bool
    reset_head: bool
    squared: bool
    classes: int
    bins: int


class Life(NamedTuple):
    """What a learner's draws start from, how many steps a segment has, and how many the learner has made before."""

    key: int
    segments: int
    steps: int
    lived: int


class Flat(NamedTuple):
    """The learners' numbers as `evo.learners.Learners` has them, `[n, ...]`; `due` is float64."""

    weights: Any
    initial_weights: Any
    first_moment: Any
    second_moment: Any
    moment_steps: Any
    ages: Any
    utilities: Any
    mean_activations: Any
    mean_magnitudes: Any
    due: Any


class Traits(NamedTuple):
    """What else differs from learner to learner, `[n, ...]`.

    `lived` are its steps so far, `place` is that of its stream in the segment, `bounds` `[n, layers]` are those of new
    incoming weights.
    """

    settings: Any
    activation: Any
    utility: Any
    key: Any
    segments: Any
    lived: Any
    place: Any
    bounds: Any


class Cases(NamedTuple):
    """What learners learn from, as `evo.stream.Segment` has it.

    `inputs` is `[tables, cases, features]`; `values` `[tables, cases, outputs]` or `answers` `[tables, cases]`, the
    other one is empty, as `columns` may be; `order` is `[streams, steps]`.
    """

    inputs: Any
    values: Any
    answers: Any
    table: Any
    order: Any
    columns: Any


class Measured(NamedTuple):
    """What `evo.learning.training.Record` is made of."""

    loss: Any
    correct: Any
    replaced: Any
    gradient_norm: Any


class Shape(NamedTuple):
    """Layer by layer, `[layers]` int64: fan-in, units, vectors per row, and places in flat numbers."""

    inputs: Any
    outputs: Any
    vectors: Any
    begin: Any
    first_unit: Any


class Weights(NamedTuple):
    """Weights and what the optimiser keeps of each: `[layers, rows, columns]`.

    Adam's steps are kept unit by unit, because a weight's are the fewer of those of the two units that it joins:
    `steps` `[layers, columns]`; `first_missing`, `second_missing` (float64) are 1 - beta^steps, and `rates`, `lengths`
    what Adam multiplies moments, and lengths of gradients, by.
    """

    now: Any
    initial: Any
    first_moment: Any
    second_moment: Any
    steps: Any
    first_missing: Any
    second_missing: Any
    rates: Any
    lengths: Any


class Signals(NamedTuple):
    """What flows through the network at one step.

    `inputs` `[layers, rows]` is what each layer reads; `active` (int64) lists those that can matter, `counts`
    `[layers]` (int64) of them: inputs that are not 0, or through which a gradient goes. `sums`, `given` and `slopes`
    `[layers, columns]` are the units' sums, what they give (before dropout) and its derivative; `errors` the derivative
    of the loss by the sums.
    """

    inputs: Any
    active: Any
    counts: Any
    sums: Any
    given: Any
    slopes: Any
    errors: Any


class Units(NamedTuple):
    """What is kept of each unit `[layers, columns]`.

    `missing` (float64) is 1 - decay^age, and `correction` its float32; `outgoing` and `incoming` are the sums of the
    sizes of weights, and `measured` `[layers]` says whether they are those of the weights as they are; `due` (float64)
    and `replaced` (int64) are `[layers]`.
    """

    ages: Any
    utilities: Any
    means: Any
    magnitudes: Any
    missing: Any
    correction: Any
    outgoing: Any
    incoming: Any
    ranking: Any
    measured: Any
    due: Any
    replaced: Any


class Net(NamedTuple):
    """One learner at work."""

    weights: Any
    signals: Any
    units: Any


def shape_of(architecture: Architecture) -> Shape:
    """Return the layers of a network without convolutions."""
    layers = architecture.layers
    return Shape(
        *(
            np.array(numbers, np.int64)
            for numbers in (
                [layer.fan_in for layer in layers],
                [layer.outputs for layer in layers],
                [-(-layer.outputs // WIDTH) for layer in layers],
                [layer.begin for layer in layers],
                [layer.first_unit for layer in layers],
            )
        )
    )


def scratch_for(shape: Shape, pulled: bool, moments: int) -> Net:
    """Return zeros for one learner: with initial weights if they pull, and so many moments."""
    layers, columns = len(shape.inputs), int(shape.vectors.max()) * WIDTH
    rows = int(shape.inputs.max()) + 1
    padded = -(-rows // WIDTH) * WIDTH

    def matrix(wanted: bool) -> np.ndarray:
        return zeros((layers, rows, columns) if wanted else (0, 0, 0))

    def units(kind: Any = np.float32) -> np.ndarray:
        return zeros((layers, columns), kind)

    weights = Weights(
        matrix(True),
        matrix(pulled),
        matrix(moments > 0),
        matrix(moments > 1),
        units(),
        units(np.float64),
        units(np.float64),
        units(),
        units(),
    )
    signals = Signals(
        zeros((layers, padded)),
        zeros((layers, padded), np.int64),
        zeros((layers,), np.int64),
        *(units() for _ in range(4)),
    )
    kept = Units(
        units(),
        units(),
        units(),
        units(),
        units(np.float64),
        units(),
        units(),
        units(),
        units(),
        zeros((layers,), np.bool_),
        zeros((layers,), np.float64),
        zeros((layers,), np.int64),
    )
    return Net(weights, signals, kept)


def zeros(shape: tuple[int, ...], kind: Any = np.float32) -> np.ndarray:
    """Return zeros that begin at a multiple of 64 bytes."""
    size = int(np.prod(shape)) * np.dtype(kind).itemsize
    buffer = np.zeros(size + 64, np.uint8)
    start = -buffer.ctypes.data % 64
    aligned: np.ndarray = buffer[start : start + size].view(kind).reshape(shape)
    return aligned
