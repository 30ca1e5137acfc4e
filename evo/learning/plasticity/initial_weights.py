"""How large the weights into a new unit may be: uniform between -bound and bound, by the layer and the activation.

Kaiming (He et al. 2015, equation 10), Xavier (Glorot & Bengio 2010, equation 16), LeCun (LeCun et al. 1998, equation
16), and torch's own default; each as a standard deviation times sqrt(3). Gains are those of `torch.nn.init`.
"""

from __future__ import annotations

import math

import torch

from evo.learners import ACTIVATIONS, Layer

RELU_GAIN = math.sqrt(2)
GAINS = {
    "relu": RELU_GAIN,
    "leaky_relu": math.sqrt(2 / (1 + 0.01**2)),
    "tanh": 5 / 3,
    "sigmoid": 1.0,
    "elu": RELU_GAIN,
    "swish": RELU_GAIN,
    "linear": 1.0,
}
"""By how much the weights into units of an activation exceed those into linear ones."""


def bound(initial: str, layer: Layer, gain: float) -> float:
    """Return the largest new weight into a layer, for one of `evo.learners.INITIALS`."""
    if initial == "kaiming":
        return gain * math.sqrt(3 / layer.fan_in)
    if initial == "xavier":
        fan_out = layer.outputs * (layer.convolution.size**2 if layer.convolution else 1)
        return gain * math.sqrt(6 / (layer.fan_in + fan_out))
    return math.sqrt((3 if initial == "lecun" else 1) / layer.fan_in)


def bounds(initial: str, layer: Layer, activation: torch.Tensor) -> torch.Tensor:
    """Return the largest new weight into a layer of each learner, `[n]` float32, for activations `[n]`."""
    by_activation = [bound(initial, layer, GAINS[name]) for name in ACTIVATIONS]
    return torch.tensor(by_activation, dtype=torch.float32, device=activation.device)[activation]
