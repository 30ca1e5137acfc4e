"""Which units of users' networks are found, and why others are left alone."""

from __future__ import annotations

import operator
import re

import pytest
import torch
from torch import nn
from torch.nn import functional

from evo.learning.attached.obstacles import obstacle
from evo.learning.attached.tracing import find_units
from evo.learning.attached.units import Units


class Function(nn.Module):
    """Named layers, and a forward given as a function of the module and its inputs."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.work = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, x):
        return self.work(self, x)


def found(network):
    units, skipped = find_units(network)
    return {one.incoming: one for one in units}, skipped


def test_a_sequence_of_layers():
    network = nn.Sequential(
        nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Dropout(), nn.Linear(8, 6), nn.PReLU(6), nn.Linear(6, 2)
    )
    units, skipped = found(network)
    assert list(units) == ["0", "4"]
    assert units["0"] == Units("0", ["4"], norm="1", activation="tanh", dropout="3")
    assert units["4"] == Units("4", ["6"], norm="5", activation="relu")
    assert skipped == {"6": "its units are outputs of the network"}


def test_convolutions_to_dense_layers():
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.LeakyReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 6, 3),
        nn.GroupNorm(2, 6),
        nn.SiLU(),
        nn.AdaptiveAvgPool2d(2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(24, 2),
    )
    units, _ = found(network)
    assert units["0"] == Units("0", ["3"], activation="leaky_relu")
    assert units["3"] == Units("3", ["9"], norm="4", activation="swish", dropout="8")


@pytest.mark.parametrize(
    "flatten",
    [
        lambda x: x.flatten(1),
        lambda x: torch.flatten(x, 1),
        lambda x: torch.flatten(x, start_dim=1),
        lambda x: x.view(x.size(0), -1),
        lambda x: x.reshape(x.shape[0], -1),
        lambda x: x.reshape((x.shape[0], -1)),
        lambda x: x.view(-1, 32),
        lambda x: functional.max_pool2d(functional.relu(x), 2).flatten(1),
        lambda x: functional.adaptive_avg_pool2d(x, 2).flatten(1),
        lambda x: functional.dropout(x, 0.1).flatten(1),
        lambda x: x.mean((2, 3)),
        lambda x: x.amax(dim=(-1, -2)),
        lambda x: x.mean([2, 3], keepdim=True).squeeze(-1).squeeze(-1),
        lambda x: (x * torch.sigmoid(x) + 1.0).flatten(1),
        lambda x: x.relu_().flatten(1),
        lambda x: operator.iadd(x, 1).flatten(1),
    ],
)
def test_ways_from_channels_to_features(flatten):
    network = Function(lambda self, x: self.b(flatten(self.a(x))), a=nn.Conv2d(3, 8, 3), b=nn.Linear(32, 2))
    units, _ = found(network)
    assert units["a"].outgoing == ("b",)


@pytest.mark.parametrize(
    ("forward", "reason"),
    [
        (lambda self, x: self.b(torch.cat((self.a(x), x), 1)), "'cat'"),
        (lambda self, x: self.b(self.a(x) + x), "'add', so a channel has several makers"),
        (lambda self, x: self.b(self.a(x) + self.other(x)), "'add', so a channel has several makers"),
        (lambda self, x: self.b(self.a(x) * torch.sigmoid(self.other(x))), "'mul', so a channel has several makers"),
        (lambda self, x: self.b(torch.softmax(self.a(x), 1)), "'softmax', which is not known"),
        (lambda self, x: self.b(self.a(x).permute(1, 0)), "'permute', which is not known"),
        (lambda self, x: self.b(self.a(x).mean(1)), "'mean', which is not known"),
        (lambda self, x: self.b(self.a(x).T), "'T', which is not known"),
        (lambda self, x: self.b(self.a(x) / self.a(x).norm()), "is called 2 times"),
        (lambda self, x: self.b(self.a(x).view(x.size(0) * 2, -1)), "'view', which is not known"),
        (lambda self, x: self.b(self.a(x).relu()) + self.b(self.other(x)), "b, which reads it, is called 2 times"),
        (
            lambda self, x: (self.b(self.a(x)), self.a.weight.sum()),
            "the weights of 'a' are also used without calling it",
        ),
        (lambda self, x: (self.b(self.a(x)), functional.linear(x, self.b.weight)), "the weights of 'b' are also used"),
        (lambda self, x: self.b(self.a(x.to(self.a.weight.dtype) * self.b.weight.shape[0])), None),
        (lambda self, x: (self.b(self.a(x)), self.a(x)), "called 2 times"),
        (lambda self, x: [(y := self.a(x)), self.b(y)], "outputs of the network"),
        (lambda self, x: self.c(self.a(x)[:, None]), "'getitem', which is not known"),
        (lambda self, x: self.c(self.a(x)), "c reads it along another dimension"),
        (lambda self, x: self.b(self.a(x)[0].squeeze()), "'getitem', which is not known"),
        (lambda self, x: self.b(self.a(x).squeeze()), "'squeeze', which is not known"),
        (lambda self, x: self.b(self.a(x).squeeze(1)), "'squeeze', which is not known"),
    ],
)
def test_units_whose_readers_are_not_all_known_are_left_alone(forward, reason):
    network = Function(forward, a=nn.Linear(8, 8), b=nn.Linear(8, 8), other=nn.Linear(9, 9), c=nn.Conv1d(7, 8, 1))
    units, skipped = found(network)
    if reason is None:
        assert "a" in units
    else:
        assert "a" not in units
        assert reason in skipped["a"]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        self.first, self.norm = nn.Conv2d(8, 6, 3, padding=1), nn.BatchNorm2d(6)
        self.second = nn.Conv2d(6, 8, 3, padding=1)
        self.short = nn.Conv2d(8, 8, 1)
        self.head = nn.Linear(8, 2)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        x = torch.relu(self.second(torch.relu(self.norm(self.first(x)))) + self.short(x))
        return self.head(x.mean((2, 3)))


def test_of_a_residual_block_what_joins_the_sum_is_left_alone():
    units, skipped = found(Residual())
    assert units == {
        "stem": Units("stem", ["first", "short"], activation="relu"),
        "first": Units("first", ["second"], norm="norm", activation="relu"),
    }
    assert sorted(skipped) == ["head", "second", "short"]
    assert "several makers" in skipped["second"]
    assert "several makers" in skipped["short"]


def test_modules_that_mix_units_or_hide_them():
    class Mixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.head = nn.Linear(8, 8), nn.Linear(8, 8), nn.Linear(8, 2)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.memory = nn.LSTM(8, 8, batch_first=True)
            self.block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
            self.fold = nn.ConvTranspose1d(8, 8, 1)

        def forward(self, x):
            y = self.a(x).relu()
            x, _ = self.memory(self.attention(y, y, y)[0])
            return self.head(self.b(self.block(x)).relu()), self.fold(x)

    units, skipped = found(Mixed())
    assert list(units) == ["b"]
    assert "MultiheadAttention 'attention', which mixes units" in skipped["a"]
    for name, kind in (("attention", "MultiheadAttention"), ("memory", "LSTM"), ("block", "TransformerEncoderLayer")):
        assert f"inside a {kind}" in skipped[name]


def test_normalization_along_another_dimension():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.LayerNorm(4), nn.Flatten(), nn.Linear(64, 2))
    assert "normalizes it along another dimension" in found(network)[1]["0"]
    whole = nn.Sequential(nn.Conv2d(1, 4, 3), nn.LayerNorm([4, 4, 4]), nn.Flatten(), nn.Linear(64, 2))
    assert found(whole)[0]["0"].norm == ("1",)


@pytest.mark.parametrize(
    "reading",
    [
        lambda x: x.squeeze(),
        lambda x: x.squeeze(1),
        lambda x: x.squeeze(dim=(1, -1)),
        lambda x: x.view(-1, 8),
        lambda x: x.reshape(-1, 12),
        lambda x: x.squeeze(-1).mean((2, 3)),
    ],
)
def test_maps_whose_pixels_may_be_read_as_units(reading):
    network = Function(lambda self, x: self.b(reading(self.a(x))), a=nn.Conv2d(3, 8, 3), b=nn.Linear(8, 2))
    units, skipped = found(network)
    assert not units
    assert re.search("'(squeeze|view|reshape|mean)', which is not known", skipped["a"])


def test_a_squeeze_of_some_pixels_leaves_the_others():
    network = Function(lambda self, x: self.b(self.a(x).squeeze(3)), a=nn.Conv2d(3, 8, 3), b=nn.Linear(8, 2))
    assert "b reads it along another dimension" in found(network)[1]["a"]
    network.work = lambda self, x: self.b(self.a(x).squeeze(3).amax(-1))
    assert found(network)[0]["a"].outgoing == ("b",)


@pytest.mark.parametrize("dims", [1, 2, (1, 2), (1, 2, 3), None])
def test_means_over_other_dimensions_than_pixels(dims):
    network = Function(lambda self, x: self.b(self.a(x).mean(dims)), a=nn.Conv2d(3, 8, 3), b=nn.Linear(8, 2))
    assert "'mean', which is not known" in found(network)[1]["a"]


def test_a_dropout_used_twice_is_not_where_units_are_measured():
    network = Function(
        lambda self, x: self.c(self.drop(self.b(self.drop(self.a(x))))),
        a=nn.Linear(3, 4),
        b=nn.Linear(4, 5),
        c=nn.Linear(5, 2),
        drop=nn.Dropout(),
    )
    units, _ = found(network)
    assert [one.dropout for one in units.values()] == [None, None]
    pooled = nn.Sequential(nn.Conv2d(1, 4, 3), nn.Dropout(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4, 2))
    assert found(pooled)[0]["0"].dropout is None


def test_tracing_leaves_the_network_as_it_was():
    network = Function(lambda self, x: self.b(self.a(x) + torch.ones(1)), a=nn.Linear(3, 4), b=nn.Linear(4, 2))
    before = set(vars(network))
    find_units(network)
    assert set(vars(network)) == before


class ActorCritic(nn.Module):
    """Two heads, of which forward calls one."""

    def __init__(self, width=8):
        super().__init__()
        self.first, self.trunk = nn.Linear(4, 6), nn.Linear(6, 8)
        self.pi, self.v = nn.Linear(8, 2), nn.Linear(width, 1)

    def features(self, x):
        return self.trunk(self.first(x).relu()).relu()

    def forward(self, x):
        return self.pi(self.features(x))

    def value(self, x):
        return self.v(self.features(x))


def test_units_that_a_layer_may_read_which_forward_never_calls():
    units, skipped = found(ActorCritic())
    assert list(units) == ["first"]
    assert skipped["trunk"] == "'v', which the traced forward never uses, could read it"
    assert "the traced forward never uses it" in skipped["v"]
    assert list(found(ActorCritic(width=9))[0]) == ["first", "trunk"]


@pytest.mark.parametrize(
    ("other", "left"),
    [
        (nn.LSTM(8, 3), True),
        (nn.Bilinear(5, 8, 1), True),
        (nn.Linear(32, 2), True),
        (nn.Conv2d(8, 2, 1), True),
        (nn.Linear(3, 8), False),
        (nn.Conv2d(3, 8, 1), False),
        (nn.LSTM(9, 3), False),
        (nn.BatchNorm2d(8), False),
    ],
)
def test_which_layers_that_are_never_called_could_read(other, left):
    network = Function(
        lambda self, x: self.b(self.a(x).flatten(1)), a=nn.Conv2d(3, 8, 3), b=nn.Linear(32, 2), other=other
    )
    assert ("a" in found(network)[1]) is left


ONE = torch.ones(1)


def test_a_parameter_of_the_network_itself_that_forward_never_uses():
    network = Function(lambda self, x: self.b(self.a(x)), a=nn.Linear(3, 8), b=nn.Linear(8, 2))
    network.more = nn.Parameter(torch.ones(2, 8))
    assert found(network)[1]["a"].startswith("a parameter of the network itself, which")
    network.work = lambda self, x: self.b(self.a(x)) @ self.more
    assert found(network)[0]["a"].outgoing == ("b",)


class Optional(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.gate = nn.Linear(4, 8), nn.Linear(8, 2), nn.Linear(4, 9)

    def forward(self, x, mask=None, shape=(1, 2), scale=ONE, *, deep=False, power=1):
        y = self.a(x).relu()
        if mask is not None:
            y = y * mask
        if deep:
            return y
        return self.b(y**power) * shape[0]


def test_optional_arguments_are_at_their_defaults():
    units, skipped = found(Optional())
    assert units == {"a": Units("a", ["b"])}
    assert "never uses" in skipped["gate"]


class OwnLinear(nn.Linear):
    """One of a user's own, that computes what torch's does."""


class ScaledLinear(nn.Linear):
    def forward(self, x):
        return functional.linear(x, self.weight * 2, self.bias)


def test_layers_of_a_users_own_class():
    units, _ = found(nn.Sequential(OwnLinear(4, 8), nn.ReLU(), OwnLinear(8, 6), nn.ReLU(), nn.Linear(6, 2)))
    assert list(units) == ["0", "2"]
    units, skipped = found(nn.Sequential(ScaledLinear(4, 8), nn.ReLU(), nn.Linear(8, 6), nn.ReLU(), ScaledLinear(6, 2)))
    assert not units
    assert "ScaledLinear '0' has a forward of its own" in skipped["0"]
    assert "joined with other values by 'linear'" in skipped["2"]
    assert "ScaledLinear '4' has a forward of its own" in skipped["4"]


def test_a_normalization_right_after_a_reader_without_biases_is_found():
    def network(bias, *between):
        return nn.Sequential(
            nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 6, 3, bias=bias), *between, nn.BatchNorm2d(6), nn.ReLU()
        )

    assert found(network(False))[0]["0"].after == {"2": "3"}
    assert found(network(True))[0]["0"].after == {}
    assert found(network(False, nn.ReLU()))[0]["0"].after == {}
    still = network(False)
    still[3] = nn.BatchNorm2d(6, track_running_stats=False)
    assert found(still)[0]["0"].after == {}


@pytest.mark.parametrize("network", [nn.ModuleList([nn.Linear(2, 2)]), nn.ModuleDict({"a": nn.Linear(2, 2)})])
def test_a_network_without_a_forward(network):
    with pytest.raises(ValueError, match=r"has no forward method.*from evo.learning.attached.units"):
        find_units(network)


def test_a_forward_that_looks_at_values_cannot_be_traced():
    network = Function(lambda self, x: self.b(self.a(x)) if x.sum() > 0 else x, a=nn.Linear(3, 4), b=nn.Linear(4, 2))
    with pytest.raises(ValueError, match=r"torch.fx cannot trace Function \(TraceError.*units=\[Units\("):
        find_units(network)


def obstacle_of(network, incoming, outgoing, trained=None, **more):
    optimizer = torch.optim.SGD(network.parameters() if trained is None else trained, lr=0.1)
    return obstacle(network, optimizer, Units(incoming, outgoing, **more))


def test_obstacles():
    network = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(12, 2), nn.Conv2d(6, 6, 1, groups=2), nn.ReLU())
    assert obstacle_of(network, "0", ["1"]) is None
    assert "no module 'fc'" in obstacle_of(network, "fc", ["1"])
    assert "nothing reads" in obstacle_of(network, "0", [])
    assert "not the 6 units" in obstacle_of(network, "0", ["2"])
    assert "does not read 6 channels of 0 dimensions" in obstacle_of(network, "0", ["3"])
    assert "in groups" in obstacle_of(network, "3", ["3"])
    assert "expected a Linear or a convolution" in obstacle_of(network, "0", ["4"])
    assert "not trained" in obstacle_of(network, "0", ["1"], trained=network[0].parameters())
    network[0].weight.requires_grad_(False)
    assert "not trained" in obstacle_of(network, "0", ["1"])
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    assert "also those of another" in obstacle_of(tied, "0", ["1"])
    normed = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 4)), nn.Linear(4, 4))
    assert "computed from others" in obstacle_of(normed, "0", ["1"])
    lazy = nn.Sequential(nn.LazyLinear(4), nn.Linear(4, 4))
    assert "run the network once" in obstacle_of(lazy, "0", ["1"])
    attention = nn.ModuleDict({"a": nn.Linear(8, 8), "b": nn.MultiheadAttention(8, 2)})
    assert "inside a MultiheadAttention" in obstacle_of(attention, "a", ["b.out_proj"])
    normalized = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(4), nn.Linear(6, 2))
    assert "no multiple of the 6 units" in obstacle_of(normalized, "0", ["2"], norm="1")
    averaged = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6, momentum=None), nn.Linear(6, 2))
    assert "1 has momentum=None" in obstacle_of(averaged, "0", ["2"], norm="1")
    apart = nn.Sequential(nn.Linear(4, 6), nn.Linear(6, 6, device="meta"))
    assert "on several devices (cpu, meta)" in obstacle_of(apart, "0", ["1"])
    assert "no running mean of what 2" in obstacle_of(averaged, "0", ["2"], after={"2": "1"})
    assert "no running mean of what 2" in obstacle_of(averaged, "0", ["2"], after={"2": "0"})
