"""Who reads units: readers that forward does not show, that are used at some steps only, or that have no biases."""

from __future__ import annotations

import pytest
import torch
from learning.attached_network import attached, constant, learn
from torch import nn
from torch.utils.checkpoint import checkpoint

from evo.learning.attached.units import Units
from evo.learning.neuron_replacement import NeuronReplacement


class ActorCritic(nn.Module):
    """Two heads; forward calls one, or both, and `value` the other."""

    def __init__(self, both=False):
        super().__init__()
        self.trunk, self.pi, self.v = nn.Linear(6, 8), nn.Linear(8, 2), nn.Linear(8, 1)
        self.both = both

    def forward(self, x):
        features = torch.relu(self.trunk(x))
        return (self.pi(features), self.v(features)) if self.both else self.pi(features)

    def value(self, x):
        return self.v(torch.relu(self.trunk(x)))


def test_readers_outside_the_traced_forward_are_noticed():
    with pytest.raises(ValueError, match="'v', which the traced forward never uses, could read it"):
        attached(ActorCritic())
    network = ActorCritic(both=True)
    _, replacement = attached(network, rate=1.0, maturity_threshold=0)
    network(torch.ones(3, 6))
    network.value(torch.ones(5, 6))
    weights = network.trunk.weight.clone()
    with pytest.raises(RuntimeError, match=r"'trunk' gave 8 cases .* but 'pi'.* was given 3: .*attached.units"):
        replacement.step()
    assert torch.equal(network.trunk.weight, weights)
    replacement._layers[0].forget_passes()
    torch.relu(network.trunk(torch.ones(5, 6)))
    with pytest.raises(RuntimeError, match=r"'trunk' gave 5 cases .* but 'pi'.* was given 0: "):
        replacement.step()
    replacement._layers[0].forget_passes()
    network(torch.ones(3, 6))
    with torch.no_grad():
        network.value(torch.ones(5, 6))
    network.eval().value(torch.ones(5, 6))
    assert replacement.step()["trunk"].tolist() == list(range(8))


def test_named_readers_are_taken_as_named():
    network = ActorCritic()
    _, replacement = attached(network, rate=1.0, maturity_threshold=0, units=[Units("trunk", ["pi", "v"])])
    network(torch.ones(3, 6))
    network.value(torch.ones(5, 6))
    assert len(replacement.step()["trunk"]) == 8
    assert network.v.weight.abs().max() == 0
    assert network.pi.weight.abs().max() == 0


@pytest.mark.parametrize(
    "reading",
    [lambda x: x.squeeze(-1), lambda x: x.view(-1, 16), lambda x: x.view(24, -1)],
)
def test_maps_that_are_read_row_by_row_are_noticed(reading):
    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv1d(2, 8, 1), nn.Linear(16, 2)

        def forward(self, x):
            return self.b(reading(self.a(x)))

    network = Rows()
    _, replacement = attached(network)
    network(torch.ones(3, 2, 16))
    with pytest.raises(RuntimeError, match=r"'a' gave 3 cases .* 'b'.* was given 24"):
        replacement.step()


@pytest.mark.parametrize("reentrant", [True, False])
@pytest.mark.parametrize("whole", [True, False])
def test_passes_made_again_for_gradients_are_one_pass(reentrant, whole):
    class Checkpointed(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.c = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 2)
            self.work = lambda block, x: block(x)

        def inner(self, x):
            x = torch.relu(self.a(x))
            return torch.relu(self.b(x)) if whole else x

        def forward(self, x):
            x = self.work(self.inner, x)
            return self.c(x if whole else torch.relu(self.b(x)))

    network = Checkpointed()
    optimizer, replacement = attached(network, rate=0.5, maturity_threshold=0)
    network.work = lambda block, x: checkpoint(block, x, use_reentrant=reentrant)
    network(torch.ones((3, 6), requires_grad=True)).sum().backward()
    optimizer.step()
    assert set(replacement.step()) == {"a", "b"}


def test_a_reader_used_at_some_steps_only_is_given_what_units_give_there():
    class Sometimes(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.often, self.seldom = nn.Linear(6, 4), nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, x, both):
            features = self.a(x).relu()
            return self.often(features) + self.seldom(features) if both else self.often(features)

    torch.manual_seed(0)
    network = Sometimes()
    constant(network, "a", 2, 1.7)
    _, replacement = attached(
        network, rate=0.25, maturity_threshold=30, utility="zero_contribution", units=[Units("a", ["often", "seldom"])]
    )
    x = torch.randn((16, 6), generator=torch.Generator().manual_seed(0))
    chosen: dict[str, torch.Tensor] = {}
    for step in range(35):
        expected = network(x, True)
        replacement._layers[0].forget_passes()
        network(x, step % 7 == 0)
        chosen = chosen or replacement.step()
        if chosen:
            break
    assert chosen["a"].tolist() == [2]
    torch.testing.assert_close(network(x, True), expected, rtol=1e-5, atol=1e-5)


def test_layers_that_took_no_part_stay_as_they_are():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.top = nn.Linear(6, 4), nn.Linear(6, 4), nn.Linear(4, 2)
            self.left, self.right = nn.Linear(4, 2), nn.Linear(4, 2)

        def forward(self, x, left=True):
            return self.left(self.a(x).relu()) if left else self.right(self.b(x).relu())

    network = Heads()
    units = [Units("a", ["left"]), Units("b", ["right"])]
    optimizer, replacement = attached(network, units=units, rate=2**-3, maturity_threshold=3)
    learn(network, optimizer, replacement, 20)
    assert replacement.replaced["a"] > 0
    assert replacement.replaced["b"] == 0
    assert replacement._layers[1].ages.tolist() == [0] * 4


class Normalized(nn.Module):
    """A convolution, and a reader without biases right before a normalization, as in residual networks."""

    def __init__(self, momentum=0.1):
        super().__init__()
        self.stem, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 2, bias=False)
        self.norm, self.head = nn.BatchNorm2d(6, momentum=momentum), nn.Linear(6, 2)

    def forward(self, x):
        return self.head(torch.relu(self.norm(self.second(torch.relu(self.stem(x))))).mean((2, 3)))


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("momentum", [0.1, None])
def test_a_normalization_after_a_reader_without_biases_takes_over(named, momentum):
    torch.manual_seed(0)
    network = Normalized(momentum)
    constant(network, "stem", 5, 0.9)
    optimizer = torch.optim.SGD(network.parameters(), lr=0.0)
    units = [Units("stem", ["second"], after={"second": "norm"})] if named else None
    replacement = NeuronReplacement(
        network, optimizer, rate=1 / 8, maturity_threshold=10, utility="zero_contribution", seed=0, units=units
    )
    probe = torch.randn((5, 3, 8, 8), generator=torch.Generator().manual_seed(1))
    chosen: dict[str, torch.Tensor] = {}
    while "stem" not in chosen:
        trained = network.train()(probe).detach()
        evaluated = network.eval()(probe).detach()
        chosen = replacement.step()
    assert chosen["stem"].tolist() == [5]
    assert network.second.weight[:, 5].abs().max() == 0
    torch.testing.assert_close(network.eval()(probe), evaluated, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(network.train()(probe), trained, rtol=1e-4, atol=1e-5)
