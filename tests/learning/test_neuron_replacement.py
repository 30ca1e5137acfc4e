"""Replacement of units in users' own networks: against the plain reference, by hand, and with every optimiser."""

from __future__ import annotations

import copy
import gc
import io
import os
import pickle
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from learning.attached_network import attached, constant, learn, mlp
from learning.plain_learner import PlainLearner
from torch import nn

from evo.learners import ACTIVATIONS, SETTINGS, UTILITIES, Architecture, Learners, Rules
from evo.learning.attached.readings import Tap
from evo.learning.attached.units import Units
from evo.learning.neuron_replacement import NeuronReplacement
from evo.stream import Segment

GUIDE = (Path(__file__).parents[2] / "evo" / "docs" / "continual_learning.md").read_text()


# the plain reference


def plain(activation, utility, rules, settings, seed, steps):
    """A learner of the plain reference, its weights as born, and the cases that it meets."""
    architecture = Architecture((6,), (8, 5), 2)
    generator = torch.Generator().manual_seed(1)
    weights = torch.randn((1, architecture.parameters), generator=generator) * 0.5
    values = {setting.name: torch.tensor([setting.default]) for setting in SETTINGS}
    values |= {name: torch.tensor([float(value)]) for name, value in settings.items()}
    one, units, state = torch.zeros(1, dtype=torch.int64), torch.zeros(1, architecture.units), torch.zeros_like(weights)
    learners = Learners(
        architecture,
        rules,
        values,
        one + ACTIVATIONS.index(activation),
        one + UTILITIES.index(utility),
        key=one + seed,
        stream=one,
        segments=one,
        weights=weights.clone(),
        initial_weights=weights,
        first_moment=state.clone(),
        second_moment=state[:, :0],
        moment_steps=state[:, :0],
        ages=units.clone(),
        utilities=units.clone(),
        mean_activations=units.clone(),
        mean_magnitudes=units.clone(),
        due=torch.zeros(1, 2, dtype=torch.float64),
    )
    inputs, targets = (torch.randn((1, steps, size), generator=generator) for size in (6, 2))
    order = torch.arange(steps)[None, :, None]
    return PlainLearner(learners, 0, Segment(one, inputs, targets, one, order, "squared"))


MODULES = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU, "tanh": nn.Tanh, "swish": nn.SiLU}
CASES = [
    *(("relu", utility, Rules()) for utility in UTILITIES),
    *((activation, "contribution", Rules()) for activation in ("leaky_relu", "tanh", "swish")),
    ("relu", "contribution", Rules(accumulate=False)),
    ("relu", "contribution", Rules(count_all=True, initial="xavier")),
    ("relu", "zero_contribution", Rules(corrected=False, initial="lecun")),
    ("relu", "random", Rules(bias_transfer=False, accumulate=False, initial="default")),
    ("relu", "adaptable_contribution", Rules(reset_optimizer=False)),
]


@pytest.mark.parametrize(("activation", "utility", "rules"), CASES)
def test_it_does_what_the_plain_reference_does(activation, utility, rules):
    steps, seed = 160, 11
    # exact in binary, so that both count the same fractions of units
    settings = {"step_size": 2**-7, "momentum": 0.5, "replacement_rate": 2**-5, "maturity_threshold": 15}
    reference = plain(activation, utility, rules, settings, seed, steps)
    act = MODULES[activation]
    network = nn.Sequential(nn.Linear(6, 8), act(), nn.Linear(8, 5), act(), nn.Linear(5, 2))
    network.load_state_dict(reference.network.state_dict())
    optimizer = torch.optim.SGD(network.parameters(), lr=2**-7, momentum=0.5)
    replacement = NeuronReplacement(
        network, optimizer, rate=2**-5, maturity_threshold=15, utility=utility, rules=rules, seed=seed
    )
    for step in range(steps):
        inputs, target = reference.case(step)
        optimizer.zero_grad()
        (network(inputs) - target).square().mean().backward()
        optimizer.step()
        replacement.step()
        reference.update(step)
        for layer, ages in zip(replacement._layers, reference.ages, strict=True):
            assert layer.ages.tolist() == ages.tolist(), step
    assert list(replacement.replaced.values()) == reference.replaced
    for layer, utilities, means in zip(replacement._layers, reference.utilities, reference.means, strict=True):
        torch.testing.assert_close(layer.utilities, utilities, rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(layer.mean_activations[0], means, rtol=1e-3, atol=1e-6)
    assert sum(reference.replaced) >= 15
    for own, its in zip(network.parameters(), reference.parameters, strict=True):
        torch.testing.assert_close(own, its, rtol=1e-4, atol=1e-5)


# what does not change when a unit is replaced


def replaced_once(network, shape, utility="zero_contribution", **settings):
    """Run without learning until units were replaced, once; return what was, and outputs before and after."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    replacement = NeuronReplacement(
        network, optimizer, rate=1.0, maturity_threshold=30, utility=utility, seed=0, rules=Rules(), **settings
    )
    probe = torch.randn((16, *shape), generator=torch.Generator().manual_seed(9))
    before = network(probe).detach()
    for layer in replacement._layers:
        layer.forget_passes()
    # one unit of each layer: the rate is cut down to it once all are old enough
    replacement.rate = 1.01 / max(layer.count for layer in replacement._layers)
    generator = torch.Generator().manual_seed(5)
    for _ in range(40):
        network(torch.randn((16, *shape), generator=generator)).sum().backward()
        optimizer.step()
        chosen = replacement.step()
        if chosen:
            return chosen, before, network(probe).detach()
    raise AssertionError("nothing was replaced")


def test_a_constant_unit_is_replaced_without_a_trace():
    network = mlp()
    constant(network, "0", 3, 1.7)
    constant(network, "2", 1, -0.4)
    chosen, before, after = replaced_once(network, (6,))
    assert chosen["0"].tolist() == [3]
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)
    assert network[0].weight[3].abs().max() > 0.1
    assert network[2].weight[:, 3].tolist() == [0.0] * 5


@pytest.mark.parametrize("unit", [0, 4])
def test_a_constant_channel_is_replaced_without_a_trace(unit):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 5, 3), nn.ReLU(), nn.Flatten(), nn.Linear(20, 2)
    )
    constant(network, "0", unit, 0.8)
    constant(network, "3", unit, 1.3)
    before_layer = network[6].weight.detach().clone()
    chosen, before, after = replaced_once(network, (3, 10, 10))
    assert {name: units.tolist() for name, units in chosen.items()}["0"] == [unit]
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-5)
    places = torch.arange(20) // 4 == unit
    if "3" in chosen:
        assert chosen["3"].tolist() == [unit]
        assert network[6].weight[:, places].abs().max() == 0
    assert torch.equal(network[6].weight[:, ~places], before_layer[:, ~places])


class Residual(nn.Module):
    """Two blocks; `stem` has two readers, and `short` none of its own."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3)
        self.first, self.norm = nn.Conv2d(8, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 8, 3, padding=1)
        self.short = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = torch.relu(self.second(torch.relu(self.norm(self.first(x)))) + self.short(x))
        return self.head(x.mean((2, 3)))


def test_in_a_residual_network_a_useless_unit_is_replaced_without_a_trace():
    torch.manual_seed(0)
    network = Residual()
    with torch.no_grad():
        network.stem.weight[2], network.stem.bias[2] = 0.0, -1.0  # never on
        network.second.weight[:, 4] = 0.0  # nobody listens
    chosen, before, after = replaced_once(network, (3, 8, 8), utility="contribution")
    assert {name: units.tolist() for name, units in chosen.items()} == {"stem": [2]}
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)
    assert network.first.weight[:, 2].abs().max() == 0
    assert network.short.weight[:, 2].abs().max() == 0
    assert network.stem.weight[2].abs().max() > 0.1


def test_all_readers_take_over_what_a_constant_unit_gave_them():
    torch.manual_seed(0)
    network = Residual()
    constant(network, "stem", 5, 0.9)
    network.first = nn.Conv2d(8, 6, 1)  # without padding, where the bias is worth as much at the edge
    network.norm = nn.Identity()
    network.second = nn.Conv2d(6, 8, 1)
    chosen, before, after = replaced_once(network, (3, 8, 8))
    assert chosen["stem"].tolist() == [5]
    torch.testing.assert_close(after, before, rtol=1e-5, atol=1e-6)


def test_a_reader_without_biases_takes_over_nothing():
    network = mlp(bias=False)
    constant(network, "2", 1, 0.7)
    old = network[4].weight[:, 1].detach().clone()
    replacement = NeuronReplacement(
        network,
        torch.optim.SGD(network.parameters(), lr=0.0),
        rate=0.3,
        maturity_threshold=1,
        seed=0,
        utility="zero_contribution",
        units=[Units("2", ["4"], activation="tanh")],
    )
    probe = torch.randn((5, 6), generator=torch.Generator().manual_seed(0))
    outputs = []
    for _ in range(2):
        outputs.append(network(probe).detach())
        chosen = replacement.step()
    assert chosen["2"].tolist() == [1]
    torch.testing.assert_close(network(probe), outputs[0] - old * torch.tensor(0.7).tanh(), rtol=1e-5, atol=1e-6)


# who is replaced, and when


def test_the_young_are_spared_and_as_many_are_replaced_as_the_rate_says():
    network = mlp()
    optimizer, replacement = attached(network, rate=2**-6, maturity_threshold=20)
    events = learn(network, optimizer, replacement, 400)
    born = {name: dict.fromkeys(range(count), 0) for name, count in (("0", 8), ("2", 5))}
    due = dict.fromkeys(born, 0.0)
    for step, event in enumerate(events, start=1):
        for name, units in born.items():
            due[name] += 2**-6 * sum(step - birth > 20 for birth in units.values())
            assert len(event.get(name, [])) == int(due[name])
            due[name] -= int(due[name])
            for unit in event.get(name, []):
                assert step - units[unit] > 20
                units[unit] = step
    assert replacement.replaced == {name: sum(len(event.get(name, [])) for event in events) for name in born}
    assert min(replacement.replaced.values()) > 12


def test_dead_units_go_first_in_their_order():
    network = mlp()
    with torch.no_grad():
        network[0].bias[[6, 2, 4]] = -100.0
    optimizer, replacement = attached(network, rate=2**-3, maturity_threshold=5)
    events = [event["0"] for event in learn(network, optimizer, replacement, 9) if "0" in event]
    assert [unit for event in events for unit in event][:3] == [2, 4, 6]


def test_at_rate_0_nothing_happens():
    network = mlp()
    _, replacement = attached(network, rate=0.0, utility="zero_contribution")
    before = copy.deepcopy(network.state_dict())
    assert learn(network, torch.optim.SGD(network.parameters(), lr=0.0), replacement, 5) == [{}] * 5
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(layer.ages.max() == 0 and not layer.was_used() for layer in replacement._layers)


@pytest.mark.parametrize("utility", UTILITIES)
def test_several_passes_before_a_step_are_one_larger_batch(utility):
    x = torch.randn((30, 12, 6), generator=torch.Generator().manual_seed(0))
    results = []
    for parts in (1, 3):
        network = mlp()
        optimizer, replacement = attached(network, utility=utility, rate=2**-4, maturity_threshold=5)
        for batch in x:
            optimizer.zero_grad()
            for part in batch.split([12] if parts == 1 else [2, 7, 3]):
                (network(part).square().sum() / 12).backward()
            optimizer.step()
            replacement.step()
        results.append((replacement.state_dict(), network.state_dict()))
    for one, other in zip(*(result[0]["layers"].values() for result in results), strict=True):
        assert one["ages"].tolist() == other["ages"].tolist()
        torch.testing.assert_close(one["utilities"], other["utilities"], rtol=1e-4, atol=1e-6)
        torch.testing.assert_close(one["mean_activations"], other["mean_activations"], rtol=1e-4, atol=1e-6)
    assert sum(replacement.replaced.values()) > 0
    for name, value in results[0][1].items():
        torch.testing.assert_close(value, results[1][1][name], rtol=1e-3, atol=1e-4)


def test_passes_in_evaluation_or_without_gradients_do_not_count():
    histories = []
    for others in (False, True):
        network = mlp()
        optimizer, replacement = attached(network, rate=2**-4, maturity_threshold=5, utility="zero_contribution")
        for batch in torch.randn((30, 4, 6), generator=torch.Generator().manual_seed(0)):
            if others:
                with torch.no_grad():
                    network(100 * torch.ones(3, 6))
                network.eval()
                network(100 * torch.ones(3, 6))
                network.train()
            optimizer.zero_grad()
            network(batch).square().mean().backward()
            optimizer.step()
            replacement.step()
        histories.append((replacement.state_dict(), network.state_dict()))
    (one, weights), (other, same) = histories
    assert sum(layer["replaced"] for layer in one["layers"].values()) > 0
    assert all(torch.equal(weights[name], same[name]) for name in weights)
    assert all(
        torch.equal(one["layers"][name]["utilities"], other["layers"][name]["utilities"]) for name in one["layers"]
    )


def test_a_step_without_a_pass_says_what_is_wrong():
    network = mlp().eval()
    _, replacement = attached(network)
    network(torch.zeros(1, 6))
    with pytest.raises(RuntimeError, match=r"network.train\(\)"):
        replacement.step()


def test_units_are_measured_before_dropout():
    network = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 2))
    _, replacement = attached(network)
    x = torch.randn((10, 6), generator=torch.Generator().manual_seed(0))
    network(x)
    expected = network[:2](x).mean(0)
    torch.testing.assert_close(replacement._layers[0].readings[0].mean(expected), expected)


def test_what_a_dropout_overwrites_is_measured_before():
    results = []
    for inplace in (False, True):
        network = nn.Sequential(nn.Linear(6, 8), nn.Sigmoid(), nn.Dropout(0.5, inplace=inplace), nn.Linear(8, 2))
        network.load_state_dict(results[0][1] if results else network.state_dict())
        _, replacement = attached(network, utility="zero_contribution")
        network(torch.randn((10, 6), generator=torch.Generator().manual_seed(0)))
        replacement.step()
        results.append((replacement._layers[0].utilities, network.state_dict()))
    assert results[0][0].min() > 0
    torch.testing.assert_close(results[0][0], results[1][0])


def test_units_of_sequences_are_measured_over_all_places():
    network = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 2))
    _, replacement = attached(network)
    x = torch.randn((3, 5, 7, 6), generator=torch.Generator().manual_seed(0))
    network(x)
    expected = network[:2](x).mean((0, 1, 2))
    reading = replacement._layers[0].readings[0]
    torch.testing.assert_close(reading.mean(expected), expected)
    assert reading.cases == 105


def test_numbers_that_are_not_finite_do_not_stay():
    network = mlp()
    optimizer, replacement = attached(network, rate=2**-4, maturity_threshold=5)
    learn(network, optimizer, replacement, 10)
    network(torch.full((2, 6), torch.nan))
    replacement.step()
    network(torch.full((2, 6), torch.inf))
    replacement.step()
    for layer in replacement._layers:
        assert bool(layer.utilities.isfinite().all())
        assert bool(layer.mean_activations.isfinite().all())


# optimisers, normalization


def test_numbers_of_a_units_own_start_anew():
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv2d(3, 6, 3),
        nn.BatchNorm2d(6),
        nn.PReLU(6),
        nn.Flatten(),
        nn.Linear(24, 5),
        nn.LayerNorm(5),
        nn.ReLU(),
        nn.Linear(5, 2),
    )
    optimizer, replacement = attached(network, rate=2**-2, maturity_threshold=3)
    with torch.no_grad():
        for values in (network[1].weight, network[1].bias, network[2].weight, network[5].weight, network[5].bias):
            values.fill_(0.5)
    optimizer.param_groups[0]["lr"] = 0.0
    event = {}
    while set(event) != {"0", "4"}:
        (event,) = learn(network, optimizer, replacement, 1, shape=(3, 4, 4))
    for values, fresh, name in (
        (network[1].weight, 1.0, "0"),
        (network[1].bias, 0.0, "0"),
        (network[1].running_mean, 0.0, "0"),
        (network[1].running_var, 1.0, "0"),
        (network[2].weight, 0.25, "0"),
        (network[5].weight, 1.0, "4"),
        (network[5].bias, 0.0, "4"),
    ):
        is_fresh = [value == fresh for value in values.tolist()]
        assert all(is_fresh[unit] for unit in event[name])
        assert not all(is_fresh)


@pytest.mark.parametrize(
    ("initial", "activation", "bound"),
    [
        ("kaiming", nn.ReLU(), (6 / 27) ** 0.5),
        ("kaiming", nn.Tanh(), 5 / 3 * (3 / 27) ** 0.5),
        ("xavier", nn.ReLU(), (12 / (27 + 64)) ** 0.5),
        ("lecun", nn.ReLU(), (3 / 27) ** 0.5),
        ("default", nn.ReLU(), (1 / 27) ** 0.5),
    ],
)
def test_new_weights_are_uniform_within_their_bound(initial, activation, bound):
    network = nn.Sequential(nn.Conv2d(3, 64, 3), activation, nn.Conv2d(64, 2, 2), nn.Flatten())
    optimizer, replacement = attached(network, rate=1.0, maturity_threshold=0, rules=Rules(initial=initial))
    learn(network, optimizer, replacement, 1, shape=(3, 4, 4))
    weights = network[0].weight.detach().flatten() / bound
    assert weights.abs().max() < 1
    assert weights.abs().max() > 0.99
    assert abs(weights.mean()) < 0.05
    assert weights.square().mean().item() == pytest.approx(1 / 3, abs=0.03)
    assert network[0].bias.abs().max() == 0


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_kinds_of_numbers(dtype):
    network = mlp().to(dtype)
    optimizer, replacement = attached(network, rate=2**-4, maturity_threshold=4, utility="adaptable_contribution")
    for batch in torch.randn((30, 4, 6), generator=torch.Generator().manual_seed(0)).to(dtype):
        optimizer.zero_grad()
        network(batch).square().mean().backward()
        optimizer.step()
        replacement.step()
    assert min(replacement.replaced.values()) > 3
    assert replacement._layers[0].utilities.dtype == (torch.float64 if dtype is torch.float64 else torch.float32)
    assert all(bool(value.isfinite().all()) for value in network.parameters())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("move_later", [True, False])
def test_on_an_accelerator_it_does_the_same(move_later):
    results = []
    for device in ("cpu", "cuda"):
        network = mlp().double().to("cpu" if move_later else device)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
        _, replacement = attached(network, optimizer, rate=2**-4, maturity_threshold=5, utility="random")
        network.to(device)
        for batch in torch.randn((60, 4, 6), generator=torch.Generator().manual_seed(0)).double():
            optimizer.zero_grad()
            network(batch.to(device)).square().mean().backward()
            optimizer.step()
            replacement.step()
        assert replacement._layers[0].utilities.device.type == device
        results.append({name: value.cpu() for name, value in network.state_dict().items()})
    for name, value in results[0].items():
        torch.testing.assert_close(value, results[1][name])


# chance, saving, copying


def test_seeds_decide_and_global_generators_do_not():
    results = []
    for seed, noise in ((1, 0), (1, 99), (2, 0)):
        network = mlp()
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        optimizer, replacement = attached(network, rate=2**-4, maturity_threshold=5, seed=seed)
        learn(network, optimizer, replacement, 30)
        assert torch.equal(torch.get_rng_state(), before)
        results.append(network[0].weight.detach().clone())
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


@pytest.mark.parametrize("rules", [Rules(), Rules(accumulate=False)])
@pytest.mark.parametrize("utility", ["zero_contribution", "random"])
def test_a_resumed_training_gives_the_same_bits(utility, rules):
    def begin(seed):
        network = mlp()
        optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
        settings = {"rate": 2**-4, "maturity_threshold": 5, "utility": utility, "rules": rules}
        return network, optimizer, NeuronReplacement(network, optimizer, seed=seed, **settings)

    whole = begin(3)
    learn(*whole, 40, seed=0)
    file = io.BytesIO()
    torch.save([part.state_dict() for part in whole], file)
    events = learn(*whole, 40, seed=1)
    file.seek(0)
    resumed = begin(4)
    resumed[0](torch.randn(3, 6))  # a pass before loading does not count
    for part, state in zip(resumed, torch.load(file, weights_only=True), strict=True):
        part.load_state_dict(state)
    assert learn(*resumed, 40, seed=1) == events
    assert sum(map(bool, events)) > 5
    for one, other in zip(whole[0].parameters(), resumed[0].parameters(), strict=True):
        assert torch.equal(one, other)
    assert resumed[2].replaced == whole[2].replaced


def test_a_state_is_a_copy_and_one_of_another_network_is_refused():
    network = mlp()
    optimizer, replacement = attached(network)
    learn(network, optimizer, replacement, 3)
    state = replacement.state_dict()
    kept = copy.deepcopy(state)
    learn(network, optimizer, replacement, 3)
    assert torch.equal(state["layers"]["0"]["ages"], kept["layers"]["0"]["ages"])
    other = nn.Sequential(nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 2))
    with pytest.raises(ValueError, match="of another network"):
        attached(other)[1].load_state_dict(state)


@pytest.mark.parametrize(
    "other", [{"utility": "weight"}, {"utility_decay": 0.9}, {"rules": Rules(initial="xavier")}, {"rate": 0.5}]
)
def test_a_state_made_with_other_settings_is_refused(other):
    state = attached(mlp())[1].state_dict()
    replacement = attached(mlp(), **other)[1]
    if "rate" in other:
        replacement.load_state_dict(state)
        return
    with pytest.raises(ValueError, match="the state was made with other settings"):
        replacement.load_state_dict(state)
    with pytest.raises(ValueError, match="the state was made with other settings"):
        replacement.load_state_dict({name: value for name, value in state.items() if name != "settings"})


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_what_has_hooks_in_a_network_is_not_copied(duplicate):
    _, replacement = attached(mlp())
    with pytest.raises(TypeError, match="load_state_dict"):
        duplicate(replacement)


def test_several_processes_are_refused(monkeypatch):
    network = mlp()
    optimizer, replacement = attached(network)
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 1)
    learn(network, optimizer, replacement, 1)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 2)
    with pytest.raises(RuntimeError, match="2 processes run together"):
        learn(network, optimizer, replacement, 1)
    monkeypatch.setattr(torch.distributed, "is_available", lambda: False)
    learn(network, optimizer, replacement, 1)


def test_weights_that_came_to_be_on_several_devices_are_refused():
    network = mlp()
    _, replacement = attached(network)
    network(torch.ones(2, 6))
    network[2].to("meta")
    with pytest.raises(RuntimeError, match=r"several devices \(cpu, meta\)"):
        replacement.step()


def test_a_network_that_is_compiled_afterwards_is_replaced_alike():
    results = []
    for compiled in (False, True):
        network = mlp()
        optimizer, replacement = attached(network, rate=2**-4, maturity_threshold=5, utility="zero_contribution")
        run = torch.compile(network, backend="eager") if compiled else network
        results.append((learn(run, optimizer, replacement, 30), network.state_dict()))
    assert results[0][0] == results[1][0]
    assert sum(map(bool, results[0][0])) > 3
    assert all(torch.equal(value, results[1][1][name]) for name, value in results[0][1].items())


def hooks(network):
    return sum(len(module._forward_pre_hooks) + len(module._forward_hooks) for module in network.modules())


def test_no_hooks_are_left_after_detaching():
    network = mlp()
    _, replacement = attached(network)
    assert hooks(network) == 6
    replacement.detach()
    replacement.detach()
    assert hooks(network) == 0
    with pytest.raises(RuntimeError, match="detached"):
        replacement.step()


def test_networks_can_be_copied_saved_and_attached_again():
    network = mlp()
    optimizer, replacement = attached(network, rate=2**-4, maturity_threshold=5)
    file = io.BytesIO()
    torch.save(network, file)
    assert b"evo" not in file.getvalue()
    file.seek(0)
    for other in (copy.deepcopy(network), torch.load(file, weights_only=False)):
        x = torch.ones(2, 6)
        assert torch.equal(other(x), network(x))
        replacement._layers[0].forget_passes()
        other(x)
        assert not replacement._layers[0].was_used()
        again, second = attached(other, rate=2**-4, maturity_threshold=5)
        assert sum(map(bool, learn(other, again, second, 20))) > 0
    assert sum(map(bool, learn(network, optimizer, replacement, 20))) > 0


def test_a_replacement_that_was_dropped_keeps_nothing_alive():
    network = mlp()
    _, replacement = attached(network, utility="zero_contribution")
    del replacement
    gc.collect()
    network(torch.ones(2, 6))
    left = [
        hook for module in network for hook in (*module._forward_pre_hooks.values(), *module._forward_hooks.values())
    ]
    assert len(left) == 6
    assert all((hook.reading if isinstance(hook, Tap) else hook.tally)() is None for hook in left)


# mistakes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": -0.1}, "rate: expected a share"),
        ({"rate": 1.5}, "rate: expected a share"),
        ({"rate": float("nan")}, "rate: expected a share"),
        ({"maturity_threshold": -1}, "maturity_threshold: expected"),
        ({"utility_decay": 1.0}, "utility_decay: expected"),
        ({"utility": "contribtion"}, "did you mean 'contribution'"),
        ({"units": [Units("0", ["4"])]}, "units: those of '0' cannot be replaced: 4 reads 5 features"),
        ({"units": [Units("0", ["2"]), Units("0", ["2"])]}, "named twice"),
        ({"units": []}, "no hidden units"),
    ],
)
def test_settings_that_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        attached(mlp(), **settings)


def test_a_network_without_hidden_units_is_told_why():
    with pytest.raises(ValueError, match=r"no hidden units.*\n  0: its units are outputs of the network"):
        attached(nn.Sequential(nn.Linear(6, 2)))


def test_layers_that_are_not_trained_are_left_alone():
    network = mlp()
    optimizer = torch.optim.SGD(network[2:].parameters(), lr=0.1)
    _, replacement = attached(network, optimizer)
    assert [one.incoming for one in replacement.units] == ["2"]
    assert "not trained" in replacement.skipped["0"]


def test_wrapped_networks_are_refused():
    with pytest.raises(ValueError, match="expected the module itself, got it inside a DataParallel"):
        attached(nn.DataParallel(mlp()))


# the guide


def test_the_guides_example_is_short_and_prints_what_it_says(tmp_path):
    ((code, expected),) = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", GUIDE, re.S)
    own = [line for line in code.splitlines() if "eplacement" in line or "diagnose" in line]
    assert 0 < len(own) < 10
    path = tmp_path / "mine.py"
    path.write_text(code)
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, str(path)], cwd=tmp_path, env=one_thread, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == expected.strip()


def test_files_the_guide_names_are_there():
    for name in re.findall(r"`((?:runs|evo|genomes|problems|tests)/[\w./-]+)`", GUIDE):
        assert (Path(__file__).parents[2] / name).exists(), name
    assert replace(Rules(), initial="default").initial in GUIDE
