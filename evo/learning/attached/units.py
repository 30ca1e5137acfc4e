"""Where the units of a user's network are: the names of the modules that make them and read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd

from evo.learners import ACTIVATIONS

CLOSED = (nn.MultiheadAttention, nn.RNNBase, nn.RNNCellBase)
"""Modules that use the weights inside them without calling the modules that hold these."""

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
"""Modules whose outputs are units."""


@dataclass(frozen=True)
class Units:
    """One layer of hidden units of a network, by the names that `network.named_modules()` gives its modules.

    `from evo.learning.attached.units import Units`.

    Attributes:
        incoming: the Linear or convolution whose outputs (channels) are the units.
        outgoing: all modules that read them, each a Linear or a convolution; what lies between must treat each unit by
            itself: activations, pooling, dropout, flattening of channels.
        norm: normalizations of the units, and activations with weights of their own for each; they start anew with a
            unit.
        activation: "relu", "leaky_relu", "tanh", "sigmoid", "elu", "swish" or "linear": decides how large new weights
            are.
        dropout: a Dropout between the units and all that read them: units are then measured before it.
        after: by the name of a reader without biases, that of the BatchNorm right after it: what replaced units gave
            is taken from its running mean, as it would go to biases.

    Raises:
        ValueError: the activation is none of these.
    """

    incoming: str
    outgoing: Sequence[str]
    norm: str | Sequence[str] = ()
    activation: str = "relu"
    dropout: str | None = None
    after: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("outgoing", "norm"):
            given = getattr(self, name)
            object.__setattr__(self, name, (given,) if isinstance(given, str) else tuple(given))
        if self.activation not in ACTIVATIONS:
            raise ValueError(
                f"Units: activation is one of {', '.join(ACTIVATIONS)}, got {self.activation!r}; the nearest "
                f"of them will do, as it only decides how large new weights are"
            )


def is_layer(module: nn.Module) -> bool:
    """Return whether a module's outputs are units: a Linear, or a convolution that is not transposed."""
    return isinstance(module, nn.Linear) or (isinstance(module, _ConvNd) and not isinstance(module, _ConvTransposeNd))


def is_plain(module: nn.Module) -> bool:
    """Return whether a layer computes what torch's own do: nobody gave it another forward."""
    return "forward" not in vars(module) and type(module).forward in {layer.forward for layer in LAYERS}


def dimensions(module: nn.Module) -> int:
    """Return how many dimensions stand behind that of the units in what a layer gives: 0 for a Linear."""
    return len(module.kernel_size) if isinstance(module, _ConvNd) else 0
