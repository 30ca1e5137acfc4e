"""Replacement on a network of torch's layers, and that of populations in the batched engine: the same, map by map."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from learning.some_learners import MAPS, WIDE_MAPS, some_learners, some_segment
from learning.torch_learner import TorchLearner
from torch import nn

from evo.learners import Rules
from evo.learning.batched import learn_batched
from evo.learning.neuron_replacement import NeuronReplacement


class Maps(nn.Module):
    """The layers of a learner's architecture as a user of torch would write them."""

    def __init__(self, architecture):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Conv2d(layer.inputs, layer.outputs, layer.convolution.size)
            if layer.convolution
            else nn.Linear(layer.fan_in, layer.outputs)
            for layer in architecture.layers
        )
        self.pools = [layer.convolution.pool if layer.convolution else 1 for layer in architecture.layers]

    def forward(self, x):
        for layer, pool in zip(self.layers[:-1], self.pools, strict=False):
            x = torch.relu(layer(x.flatten(1) if isinstance(layer, nn.Linear) else x))
            x = nn.functional.max_pool2d(x, pool) if pool > 1 else x
        return self.layers[-1](x.flatten(1))


@pytest.mark.parametrize("accumulate", [True, False])
@pytest.mark.parametrize("utility", ["contribution", "zero_contribution", "adaptable_contribution", "random"])
@pytest.mark.parametrize("shape", [MAPS, WIDE_MAPS], ids=["maps", "wide maps"])
def test_it_does_what_the_batched_engine_does(shape, utility, accumulate):
    steps, rules = 40, Rules(accumulate=accumulate)
    chosen = {"step_size": 2**-7, "momentum": 0.5, "replacement_rate": 2**-5, "maturity_threshold": 5}
    learners = some_learners(shape, count=1, rules=rules, utility=utility, **chosen)
    learners = replace(learners, segments=torch.zeros(1, dtype=torch.int64))  # which is what a network's own draws are
    segment = some_segment(shape, steps=steps, batch=4)
    reference = TorchLearner(learners, 0)
    network = Maps(shape)
    for own, its in zip(network.parameters(), reference.split(learners.weights), strict=True):
        own.data = its
    optimizer = torch.optim.SGD(network.parameters(), lr=2**-7, momentum=0.5)
    settings = {"rate": 2**-5, "maturity_threshold": 5, "utility": utility, "rules": rules}
    replacement = NeuronReplacement(network, optimizer, seed=int(learners.key), **settings)
    for step in range(steps):
        inputs, targets = reference.cases(segment, step)
        optimizer.zero_grad()
        (network(inputs) - targets).square().mean().backward()
        optimizer.step()
        replacement.step()
    after, _ = learn_batched(learners, segment)
    ages = torch.cat([layer.ages for layer in replacement._layers])
    assert after.ages[0].tolist() == ages.tolist()
    assert sum(replacement.replaced.values()) > 5
    for own, its in zip(network.parameters(), reference.split(after.weights), strict=True):
        torch.testing.assert_close(own.detach(), its, rtol=1e-5, atol=1e-6)
