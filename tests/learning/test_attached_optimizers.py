"""What optimisers keep for replaced weights."""

from __future__ import annotations

import copy

import pytest
import torch
from learning.attached_network import attached, learn, mlp
from torch import nn

from evo.learners import Rules
from evo.learning.per_weight_adam import PerWeightAdam

OPTIMIZERS = {
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=1e-2, momentum=0.9, nesterov=True),
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-3, amsgrad=True),
    "adamw": lambda parameters: torch.optim.AdamW(parameters, lr=1e-3, foreach=True),
    "rmsprop": lambda parameters: torch.optim.RMSprop(parameters, lr=1e-3, momentum=0.9, centered=True),
    "adagrad": lambda parameters: torch.optim.Adagrad(parameters, lr=1e-3),
}


@pytest.mark.parametrize("reset", [True, False])
@pytest.mark.parametrize("kind", OPTIMIZERS)
def test_what_optimisers_keep_for_replaced_weights_is_forgotten(kind, reset):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 2))
    optimizer = OPTIMIZERS[kind](network.parameters())
    _, replacement = attached(network, optimizer, rate=2**-5, maturity_threshold=3, rules=Rules(reset_optimizer=reset))
    event: dict[str, list[int]] = {}
    while not event:
        before = copy.deepcopy(optimizer.state_dict()["state"])
        (event,) = learn(network, optimizer, replacement, 1, seed=len(before))
    learned = copy.deepcopy(optimizer.state_dict()["state"])
    unit, compared = event["0"], 0
    # numbers of parameters: weights and biases of the layer, of its normalization, and the reader's weights
    for number, dimension in ((0, 0), (1, 0), (2, 0), (3, 0), (4, 1)):
        for name, value in learned[number].items():
            if value.dim() == 0:
                assert value > 1, name
                continue
            touched = value.movedim(dimension, 0)[unit]
            others = value.movedim(dimension, 0)[[other for other in range(8) if other not in unit]]
            assert bool(touched.any()) is not reset or not value.any(), (number, name)
            assert bool(others.any()), (number, name)
            compared += 1
    assert compared >= 5
    assert any(value.dim() and bool(value.any()) for value in learned[5].values())


MORE_OPTIMIZERS = {
    "rprop": (lambda parameters: torch.optim.Rprop(parameters, lr=0.003), {"step_size": 0.003, "prev": 0.0}),
    "adagrad": (
        lambda parameters: torch.optim.Adagrad(parameters, lr=1e-3, initial_accumulator_value=0.7),
        {"sum": 0.7},
    ),
    "adadelta": (torch.optim.Adadelta, {"square_avg": 0.0, "acc_delta": 0.0}),
    "adamax": (torch.optim.Adamax, {"exp_avg": 0.0, "exp_inf": 0.0}),
    "nadam": (torch.optim.NAdam, {"exp_avg": 0.0, "exp_avg_sq": 0.0}),
    "radam": (torch.optim.RAdam, {"exp_avg": 0.0, "exp_avg_sq": 0.0}),
    "asgd": (lambda parameters: torch.optim.ASGD(parameters, t0=0.0), {"ax": "weights"}),
    "per weight": (PerWeightAdam, {"exp_avg": 0.0, "exp_avg_sq": 0.0, "step": 0.0}),
}


@pytest.mark.parametrize("kind", MORE_OPTIMIZERS)
def test_what_optimisers_keep_for_replaced_weights_is_as_for_new_ones(kind):
    make, expected = MORE_OPTIMIZERS[kind]
    network = mlp()
    optimizer, replacement = attached(network, make(network.parameters()), rate=2**-4, maturity_threshold=3)
    event: dict[str, list[int]] = {}
    while "0" not in event:
        (event,) = learn(network, optimizer, replacement, 1)
    unit, others = event["0"], [other for other in range(8) if other not in event["0"]]
    for parameter, dimension in ((network[0].weight, 0), (network[0].bias, 0), (network[2].weight, 1)):
        state = optimizer.state[parameter]
        kept = {name for name, value in state.items() if torch.is_tensor(value) and value.shape == parameter.shape}
        assert kept == set(expected)
        for name, value in expected.items():
            fresh = parameter.detach().movedim(dimension, 0)[unit] if value == "weights" else value
            values = state[name].movedim(dimension, 0)
            torch.testing.assert_close(values[unit], torch.zeros_like(values[unit]) + fresh, rtol=0, atol=0)
            assert value == "weights" or not bool((values[others] == fresh).all())


class Keeping(torch.optim.SGD):
    """One that keeps something that is not known for each weight."""

    def step(self, closure=None):
        for group in self.param_groups:
            for parameter in group["params"]:
                self.state[parameter]["secret"] = torch.ones_like(parameter)
        return super().step(closure)


def test_optimisers_whose_state_is_not_known_are_refused():
    network = mlp()
    optimizer, replacement = attached(network, Keeping(network.parameters(), lr=0.1))
    with pytest.raises(ValueError, match="Keeping keeps 'secret' for each weight"):
        learn(network, optimizer, replacement, 1)
    with pytest.raises(ValueError, match="Keeping keeps 'secret' for each weight"):
        attached(network, optimizer)
    attached(network, optimizer, rules=Rules(reset_optimizer=False))[1].detach()
    with pytest.raises(ValueError, match="LBFGS keeps directions of all weights"):
        attached(network, torch.optim.LBFGS(network.parameters()))
    replacement.detach()
    with pytest.raises(ValueError, match="LBFGS"):
        attached(network, torch.optim.LBFGS(network.parameters()))
    assert not any(module._forward_pre_hooks or module._forward_hooks for module in network.modules())
