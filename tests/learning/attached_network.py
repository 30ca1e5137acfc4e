"""A small network of a user's own with neuron replacement, for tests."""

from __future__ import annotations

import torch
from torch import nn

from evo.learning.neuron_replacement import NeuronReplacement


def mlp(seed=0, bias=True):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 5), nn.Tanh(), nn.Linear(5, 2, bias=bias))


def learn(network, optimizer, replacement, steps, seed=0, batch=4, shape=(6,)):
    """Learn noise; return what was replaced at each step."""
    generator = torch.Generator().manual_seed(seed)
    events = []
    for _ in range(steps):
        x = torch.randn((batch, *shape), generator=generator)
        y = torch.randn((batch, 2), generator=generator)
        optimizer.zero_grad()
        (network(x) - y).square().mean().backward()
        optimizer.step()
        events.append({name: units.tolist() for name, units in replacement.step().items()})
    return events


def attached(network, optimizer=None, **settings):
    optimizer = optimizer or torch.optim.SGD(network.parameters(), lr=0.01)
    settings = {"rate": 2**-6, "maturity_threshold": 20, "seed": 3} | settings
    return optimizer, NeuronReplacement(network, optimizer, **settings)


def constant(network, maker, unit, value):
    """Let a unit give the same number always."""
    layer = network.get_submodule(maker)
    with torch.no_grad():
        layer.weight[unit] = 0.0
        layer.bias[unit] = value
