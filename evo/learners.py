"""The phenotype of learner genomes: a population of networks that go on learning, each with settings of its own.

All networks of a population have one architecture, so their weights are one tensor `[n, parameters]`; everything else
that may differ (step sizes, replacement rates, activations, random draws) differs from learner to learner. Engines
(`evo.learning.training`) teach them: a compiled kernel on the CPU, batched torch on any device.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any

import torch

from evo.networks import Execution

ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid", "elu", "swish", "linear")
"""What hidden units may apply; a learner's number is the place in here."""

UTILITIES = (
    "contribution",
    "zero_contribution",
    "adaptable_contribution",
    "adaptation",
    "weight",
    "feature_by_input",
    "random",
)
"""By what hidden units may be ranked for replacement; see `evo.learning.plasticity.utility`."""

OPTIMIZERS = ("sgd", "adam")
INITIALS = ("kaiming", "xavier", "lecun", "default")
CONSOLIDATIONS = ("separate", "online")
FISHERS = ("exact", "sampled", "empirical", "batched")


@dataclass(frozen=True)
class Setting:
    """A number that each learner has for itself, and evolution may change.

    Attributes:
        name: of the gene.
        default: what it is where nobody says otherwise.
        low, high: bounds of mutation.
        scale: "log" where it moves by factors, "linear" where by differences, "share" where 1 - x moves by factors.
        meaning: for people, with the unit.
        later: whether there were rows before it: they have a column for it only where a genome names it.
    """

    name: str
    default: float
    low: float
    high: float
    scale: str
    meaning: str
    later: bool = False


SETTINGS = (
    Setting("step_size", 0.01, 1e-5, 1.0, "log", "of the optimiser"),
    Setting("momentum", 0.0, 0.0, 0.999, "share", "of stochastic gradient descent"),
    Setting("first_moment_decay", 0.9, 0.0, 0.999, "share", "Adam's beta 1"),
    Setting("second_moment_decay", 0.999, 0.5, 0.9999, "share", "Adam's beta 2"),
    Setting("weight_decay", 0.0, 1e-8, 0.1, "log", "added to the gradient, times the weight (L2)"),
    Setting("decoupled_decay", 0.0, 1e-8, 0.1, "log", "weights shrink by step size times it, apart from the gradient"),
    Setting("initial_decay", 0.0, 1e-8, 0.1, "log", "pull to the initial weights (L2 Init)"),
    Setting("noise", 0.0, 1e-8, 0.1, "log", "standard deviation of noise on all weights at each step"),
    Setting("replacement_rate", 0.0, 1e-7, 0.1, "log", "share of the eligible units replaced per step"),
    Setting("maturity_threshold", 100.0, 1.0, 1e5, "log", "steps before a new unit may be replaced"),
    Setting("utility_decay", 0.99, 0.0, 0.9999, "share", "of the running means that utilities are made from"),
    Setting("dropout", 0.0, 0.0, 0.9, "linear", "probability that a hidden unit is left out of a step"),
    Setting(
        "dormancy_threshold",
        0.0,
        0.0,
        1.0,
        "linear",
        "ReDo: units that give no more than this share of the mean are renewed",
    ),
    Setting("dormancy_period", 0.0, 1.0, 1e5, "log", "ReDo: steps between renewals; 0 for none"),
    Setting(
        "consolidation",
        0.0,
        0.01,
        1e5,
        "log",
        "elastic weight consolidation: pull to where tasks ended, times what each weight meant to them",
        later=True,
    ),
    Setting("anchoring", 0.0, 1e-5, 10.0, "log", "pull to where tasks ended, alike for all weights", later=True),
    Setting(
        "consolidation_decay",
        1.0,
        0.0,
        1.0,
        "linear",
        "what is left of the pull to earlier tasks when another one ends",
        later=True,
    ),
)
"""Every setting; one with a default of 0 is an operator that is off."""

NAMES = tuple(setting.name for setting in SETTINGS)
CONSOLIDATING = ("consolidation", "anchoring")
"""Settings for which learners keep a precision and a pull per weight."""


@dataclass(frozen=True)
class Convolution:
    """A convolutional layer: no padding, stride 1, activation, then maximum over squares.

    Attributes:
        channels: how many units.
        size: of the kernel, in pixels a side.
        pool: side of the squares that pooling joins; 1 for none.
    """

    channels: int
    size: int = 3
    pool: int = 2


@dataclass(frozen=True)
class Layer:
    """One layer of weights: where its numbers stand in a learner's flat ones.

    A weight matrix is `[fan_in, outputs]`, whatever the layer; a convolution's fan-in runs over input channels, rows,
    columns of its kernel.

    Attributes:
        convolution: its description; None for a dense layer.
        inputs: channels, or features, that it reads.
        outputs: its units.
        fan_in: weights into one unit.
        begin: where its weights begin in `[parameters]`; its biases follow its weights.
        first_unit: where its units begin in `[units]`; -1 for the outputs, which are never replaced.
        copies: how often each unit's value appears to the next layer (2 after concatenated ReLU).
        places: how many features one unit is to a dense layer after it: the pixels left of a convolution's map.
    """

    convolution: Convolution | None
    inputs: int
    outputs: int
    fan_in: int
    begin: int
    first_unit: int
    copies: int = 1
    places: int = 1

    @property
    def bias_begin(self) -> int:
        """Where its biases begin in `[parameters]`."""
        return self.begin + self.fan_in * self.outputs

    @property
    def end(self) -> int:
        """Where the next layer's weights begin."""
        return self.bias_begin + self.outputs


@dataclass(frozen=True)
class Architecture:
    """What all learners of a population look like.

    Attributes:
        inputs: the shape of one input: `(features,)`, or `(channels, height, width)` for convolutions.
        hidden: units per dense hidden layer.
        outputs: how many.
        convolutions: layers before the dense ones.
        normalization: "" for none, "layer" or "online", of what units sum, before activation.
        concatenated: whether hidden units give both relu(x) and relu(-x) (concatenated ReLU, Shang et al. 2016).

    Raises:
        ValueError: the shapes do not fit one another.
    """

    inputs: tuple[int, ...]
    hidden: tuple[int, ...]
    outputs: int
    convolutions: tuple[Convolution, ...] = ()
    normalization: str = ""
    concatenated: bool = False

    def __post_init__(self) -> None:
        shaped = len(self.inputs) == 3 if self.convolutions else len(self.inputs) in (1, 3)
        numbers = (*self.inputs, *self.hidden, self.outputs)
        if not shaped or min(numbers) < 1:
            raise ValueError(
                f"Architecture: inputs is (features,), or (channels, height, width) for convolutions, and all sizes "
                f"are at least 1; got inputs={self.inputs}, hidden={self.hidden}, outputs={self.outputs}"
            )
        if self.normalization not in ("", "layer", "online"):
            raise ValueError(f"Architecture: normalization is '', 'layer' or 'online', got {self.normalization!r}")
        if self.layers[0].inputs < 1 or any(layer.places < 1 for layer in self.layers):
            raise ValueError(
                f"Architecture: images of {self.inputs} are too small for {len(self.convolutions)} convolutions "
                f"without padding; use fewer, smaller kernels, or pool=1"
            )

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Every layer of weights, in order; the last one's units are the outputs."""
        made: list[Layer] = []
        copies = 2 if self.concatenated else 1
        channels, side = self.inputs[0], self.inputs[1:]
        begin = unit = 0
        for kind in self.convolutions:
            side = tuple((length - kind.size + 1) // kind.pool for length in side)
            fan_in = channels * kind.size**2
            made.append(Layer(kind, channels, kind.channels, fan_in, begin, unit, copies, max(0, math.prod(side))))
            begin, unit, channels = made[-1].end, unit + kind.channels, kind.channels * copies
        features = channels * max(0, math.prod(side)) if side else channels
        for units in (*self.hidden, self.outputs):
            last = len(made) == len(self.convolutions) + len(self.hidden)
            made.append(Layer(None, features, units, features, begin, -1 if last else unit, 1 if last else copies))
            begin, unit, features = made[-1].end, unit + units, units * copies
        return tuple(made)

    @property
    def parameters(self) -> int:
        """Weights and biases of one learner."""
        return self.layers[-1].end

    @property
    def units(self) -> int:
        """Hidden units of one learner, channels of convolutions included."""
        return sum(layer.outputs for layer in self.layers[:-1])


@dataclass(frozen=True)
class Rules:
    """How a whole population learns: what is no number of one learner's own.

    Attributes:
        optimizer: "sgd" (with each learner's momentum) or "adam".
        initial: the distribution of new incoming weights: uniform within "kaiming" gain sqrt(3 / fan_in), "xavier"
            gain sqrt(6 / (fan_in + outputs)), "lecun" sqrt(3 / fan_in) or "default" sqrt(1 / fan_in), torch's own.
        accumulate: whether fractions of a unit to be replaced add up until one is due; otherwise one is replaced with
            that probability.
        count_all: whether the replacement rate counts all units of a layer; otherwise those old enough.
        bias_transfer: whether a removed unit's mean contribution goes to the biases of those that read it.
        corrected: whether running means are corrected for their start from 0, as Adam's are.
        reset_optimizer: whether replaced weights start with an optimiser state of 0.
        released_adam: Adam with the update of the released code, which lacks most of its bias correction.
        consolidate: what weights are pulled to: "separate", to where every task ended, by its own importance
            (Kirkpatrick et al. 2017); "online", to where the last one ended, by the sum of importances (Huszar 2018).
        fisher: which estimate of the Fisher information importance is; see `evo.learning.consolidation.learner_fisher`.
        fisher_cases: how many cases of a task it is estimated from.
    """

    optimizer: str = "sgd"
    initial: str = "kaiming"
    accumulate: bool = True
    count_all: bool = False
    bias_transfer: bool = True
    corrected: bool = True
    reset_optimizer: bool = True
    released_adam: bool = False
    consolidate: str = field(default="separate", metadata={"later": True})
    fisher: str = field(default="exact", metadata={"later": True})
    fisher_cases: int = field(default=200, metadata={"later": True})

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("optimizer", self.optimizer, OPTIMIZERS),
            ("initial", self.initial, INITIALS),
            ("consolidate", self.consolidate, CONSOLIDATIONS),
            ("fisher", self.fisher, FISHERS),
        ):
            if value not in allowed:
                raise ValueError(f"Rules: {name} is one of {', '.join(allowed)}, got {value!r}")
        if self.released_adam and self.optimizer != "adam":
            raise ValueError("Rules: released_adam is a kind of Adam, but the optimizer is 'sgd'; use optimizer='adam'")
        if self.fisher_cases < 1:
            raise ValueError(f"Rules: fisher_cases is a number of cases from 1 up, got {self.fisher_cases!r}")


@dataclass(frozen=True)
class Learners:
    """Learners of one architecture at one moment of their lives.

    Attributes:
        architecture, rules: what they have in common.
        settings: by the names of `SETTINGS`, `[n]` float32 each.
        activation: `[n]` int64, places in `ACTIVATIONS`.
        utility: `[n]` int64, places in `UTILITIES`.
        key: `[n]` int64, what a learner's own draws start from; see `evo.learning.draws`.
        stream: `[n]` int64, the stream that it lives on; learners on one stream see the same cases.
        segments: `[n]` int64, how many segments of its stream it has lived through.
        weights: `[n, parameters]` float32.
        initial_weights: `[n, parameters]`, those it was born with.
        first_moment, second_moment, moment_steps: the optimiser's state: `[n, parameters]`, or `[n, 0]` where it has
            none. Momentum is a first moment; moment_steps counts Adam's steps weight by weight.
        ages: `[n, units]` float32, steps since a unit was made.
        utilities: `[n, units]`, running means of what units are worth.
        mean_activations, mean_magnitudes: `[n, units]`, running means of what units give, and of its size.
        due: `[n, hidden layers]`, fractions of a unit that are to be replaced.
        execution: how they are taught.
        normalization_state: `[n, 4, units]` of online normalization (`evo.learning.plasticity.online_normalization`);
            None where there is none, or as at birth.
        precision, pull: `[n, parameters]`, how strongly weights are held where tasks have ended, and that times these
            places (`evo.learning.consolidation.learner_consolidation`); None where nothing is held.
    """

    architecture: Architecture
    rules: Rules
    settings: dict[str, torch.Tensor]
    activation: torch.Tensor
    utility: torch.Tensor
    key: torch.Tensor
    stream: torch.Tensor
    segments: torch.Tensor
    weights: torch.Tensor
    initial_weights: torch.Tensor
    first_moment: torch.Tensor
    second_moment: torch.Tensor
    moment_steps: torch.Tensor
    ages: torch.Tensor
    utilities: torch.Tensor
    mean_activations: torch.Tensor
    mean_magnitudes: torch.Tensor
    due: torch.Tensor
    execution: Execution = field(default_factory=Execution)
    normalization_state: torch.Tensor | None = None
    precision: torch.Tensor | None = None
    pull: torch.Tensor | None = None

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def device(self) -> torch.device:
        """Where the learners are."""
        return self.weights.device

    def kernel(self, layer: Layer) -> torch.Tensor:
        """Return a layer's weights `[n, fan_in, outputs]`: a view."""
        return self.weights[:, layer.begin : layer.bias_begin].view(len(self), layer.fan_in, layer.outputs)

    def bias(self, layer: Layer) -> torch.Tensor:
        """Return a layer's biases `[n, outputs]`: a view."""
        return self.weights[:, layer.bias_begin : layer.end]

    def on(self, execution: Execution) -> Learners:
        """Return the same learners, to be taught in another way."""
        return replace(self, execution=execution)

    def to(self, device: torch.device | str) -> Learners:
        """Return the same learners on another device."""
        return self._each(lambda values: values.to(device))

    def clone(self) -> Learners:
        """Return learners that share no numbers with these."""
        return self._each(torch.Tensor.clone)

    def __getitem__(self, numbers: slice | torch.Tensor) -> Learners:
        """Return some of the learners: a slice of them, or those of an index `[m]` or mask `[n]`."""
        return self._each(lambda values: values[numbers])

    def _each(self, change: Any) -> Learners:
        """Return the learners with every tensor changed in the same way."""
        changed: dict[str, Any] = {}
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, torch.Tensor):
                changed[part.name] = change(value)
        return replace(self, **changed, settings={name: change(value) for name, value in self.settings.items()})
