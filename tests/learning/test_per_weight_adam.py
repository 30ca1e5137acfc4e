"""Adam with a step for every weight: torch's own where nothing is replaced, by hand where something is."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from torch import nn

from evo.learning.neuron_replacement import NeuronReplacement
from evo.learning.per_weight_adam import PerWeightAdam


def mlp(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 2))


def batches(steps, seed=0):
    return torch.randn((steps, 4, 6), generator=torch.Generator().manual_seed(seed))


def learn(network, optimizer, inputs, after=lambda: None):
    for x in inputs:
        optimizer.zero_grad()
        (network(x) - x[:, :2].sin()).square().mean().backward()
        optimizer.step()
        after()


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW])
@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.0, 0.5)])
def test_where_nothing_is_replaced_it_is_torchs(kind, betas):
    results = []
    for own in (False, True):
        network = mlp()
        groups = [{"params": network[0].parameters(), "lr": 0.01}, {"params": network[2].parameters()}]
        settings = {"lr": 0.003, "betas": betas, "weight_decay": 0.1}
        optimizer = (
            PerWeightAdam(groups, **settings, decoupled=kind is torch.optim.AdamW) if own else kind(groups, **settings)
        )
        learn(network, optimizer, batches(200))
        results.append(list(network.parameters()))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_replaced_weights_count_their_own_steps():
    network = mlp()
    optimizer = PerWeightAdam(network.parameters(), lr=0.01)
    replacement = NeuronReplacement(network, optimizer, rate=0.02, maturity_threshold=20, seed=0)
    generator = torch.Generator().manual_seed(1)
    reference = {name: (value.detach().double(), 0, 0, 0) for name, value in network.named_parameters()}
    dimensions = {"0.weight": 0, "0.bias": 0, "2.weight": 1}
    replaced = 0
    for _ in range(120):
        optimizer.zero_grad()
        (network(torch.randn((4, 6), generator=generator)) - 1).square().mean().backward()
        for name, value in network.named_parameters():
            weights, first, second, steps = reference[name]
            gradient, steps = value.grad.double(), steps + torch.ones_like(weights)
            first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
            move = first / (1 - 0.9**steps) / ((second / (1 - 0.999**steps)).sqrt() + 1e-8)
            reference[name] = (weights - 0.01 * move, first, second, steps)
        optimizer.step()
        for name, value in network.named_parameters():
            torch.testing.assert_close(value.double(), reference[name][0], rtol=1e-4, atol=1e-5)
        chosen = replacement.step()
        for name, dimension in dimensions.items():
            for values in reference[name][1:] if chosen else ():
                values.index_fill_(dimension, chosen["0"], 0.0)
        replaced += sum(map(len, chosen.values()))
        reference = {
            name: (value.detach().double(), *reference[name][1:]) for name, value in network.named_parameters()
        }
    assert replaced > 5


def test_a_resumed_training_gives_the_same_bits():
    network = mlp()
    optimizer = PerWeightAdam(network.parameters(), lr=0.01)
    learn(network, optimizer, batches(5))
    optimizer.state[network[0].weight]["step"][1] = 0
    file = io.BytesIO()
    torch.save(optimizer.state_dict(), file)
    file.seek(0)
    other = copy.deepcopy(network)
    again = PerWeightAdam(other.parameters())
    again.load_state_dict(torch.load(file, weights_only=True))
    learn(network, optimizer, batches(5, seed=1))
    learn(other, again, batches(5, seed=1))
    assert all(torch.equal(one, own) for one, own in zip(network.parameters(), other.parameters(), strict=True))


def test_counts_stay_exact_where_weights_are_short_numbers():
    weight = nn.Parameter(torch.ones(3, dtype=torch.bfloat16))
    optimizer = PerWeightAdam([weight])
    for _ in range(300):
        weight.grad = torch.ones_like(weight)
        optimizer.step()
    assert optimizer.state[weight]["step"].tolist() == [300.0] * 3


def test_a_closure_computes_the_gradients():
    weight = nn.Parameter(torch.ones(3))
    optimizer = PerWeightAdam([weight], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        return loss

    assert optimizer.step(closure) == 3
    torch.testing.assert_close(weight.detach(), torch.full((3,), 0.9))


@pytest.mark.parametrize("settings", [{"lr": -1.0}, {"betas": (0.9, 1.0)}, {"eps": -1e-8}, {"weight_decay": -0.1}])
def test_settings_that_cannot_be(settings):
    with pytest.raises(ValueError, match="PerWeightAdam: expected lr"):
        PerWeightAdam([nn.Parameter(torch.ones(2))], **settings)
