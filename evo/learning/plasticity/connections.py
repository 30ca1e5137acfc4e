"""Where the weights of a layer's units stand, as views of anything flat `[n, parameters]`: weights, moments, gradients.

Outgoing weights are incoming ones of the layer that reads: a unit owns one row of them for each feature it is to that
layer (the copies of concatenated ReLU, the pixels of a map before a dense layer), or for each pixel of a kernel.
"""

from __future__ import annotations

import torch

from evo.learners import Layer


def incoming(values: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Return what belongs to the weights into a layer's units, `[n, fan_in, units]`."""
    return values[:, layer.begin : layer.bias_begin].view(-1, layer.fan_in, layer.outputs)


def biases(values: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Return what belongs to a layer's biases, `[n, units]`."""
    return values[:, layer.bias_begin : layer.end]


def outgoing(values: torch.Tensor, layer: Layer, reader: Layer) -> torch.Tensor:
    """Return what belongs to the weights out of a layer's units, `[n, copies, units, places, reader's units]`."""
    places = reader.fan_in // (layer.copies * layer.outputs)
    return incoming(values, reader).view(-1, layer.copies, layer.outputs, places, reader.outputs)


def units(values: torch.Tensor, layer: Layer) -> torch.Tensor:
    """Return what belongs to a layer's units, of anything `[..., units of all layers]`."""
    return values[..., layer.first_unit : layer.first_unit + layer.outputs]
