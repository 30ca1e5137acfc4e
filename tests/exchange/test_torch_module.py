import pytest
import torch

from evo.activations import NAMES
from evo.champion import ChampionError, networks_of
from evo.evaluation.stepping import Stepper
from evo.exchange.torch_module import NetworkModule
from evo.networks import Execution

SMOOTH = ["linear", "sin", "gaussian", "tanh", "sigmoid", "inverse", "cos", "squared"]
KINKED = ["abs", "relu", "step"]


def cases_of(network, count=50, seed=0):
    return torch.randn(count, len(network["inputs"]), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("weight", [None, -1.5])
@pytest.mark.parametrize("seed", range(6))
def test_equals_the_engines(make_network, seed, weight):
    network = make_network(seed)
    cases = cases_of(network)
    module = NetworkModule(network, weight)
    assert not module.recurrent
    expected = networks_of(network).forward(cases, weight)[0]
    torch.testing.assert_close(module(cases).detach(), expected, rtol=1e-3, atol=1e-3)


def test_every_activation_is_met(make_network):
    met = {name for seed in range(6) for name in make_network(seed)["activations"]}
    assert met == set(NAMES.values())


@pytest.mark.parametrize("seed", range(3))
def test_recurrent_networks_step_as_the_engine_does(make_network, seed):
    network = make_network(seed, recurrent=True, kinds=["linear", "tanh", "sin", "relu"])
    module = NetworkModule(network)
    assert module.recurrent
    stepper = Stepper(networks_of(network).on(Execution("torch")), torch.ones(5))
    state = None
    for step in range(4):
        cases = cases_of(network, 5, step)
        outputs, state = module.step(cases, state)
        torch.testing.assert_close(outputs.detach(), stepper.step(cases[None])[0], rtol=1e-4, atol=1e-4)
        if step == 0:
            torch.testing.assert_close(module(cases), outputs)
    assert state.shape == (5, len(network["activations"]))


@pytest.mark.parametrize("kinds", [SMOOTH, KINKED])
@pytest.mark.parametrize("recurrent", [False, True])
def test_gradients_are_right(make_network, kinds, recurrent):
    network = make_network(4, hidden=6, edges=20, kinds=kinds, recurrent=recurrent)
    module = NetworkModule(network).double()
    cases = cases_of(network, 4).double().requires_grad_()  # off the kinks, which random numbers never meet

    def outputs(weights, cases):
        first, state = torch.func.functional_call(module, {"weight": weights}, (cases,)), None
        for _ in range(2):
            second, state = _step(module, weights, cases, state)
        return first, second

    assert torch.autograd.gradcheck(outputs, (module.weight, cases))


def _step(module, weights, cases, state):
    class Step(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.module = module

        def forward(self, cases, state):
            return self.module.step(cases, state)

    return torch.func.functional_call(Step(), {"module.weight": weights}, (cases, state))


def test_the_gradient_of_a_shared_weight_is_that_of_all_edges_together(make_network):
    network = make_network(2, kinds=SMOOTH)
    ones = {**network, "edges": [[source, target, 0.7] for source, target, _ in network["edges"]]}
    cases = cases_of(network)
    shared, own = NetworkModule(network, 0.7), NetworkModule(ones)
    assert shared.weight is None
    for module in (shared, own):
        module(cases).square().mean().backward()
    torch.testing.assert_close(shared.shared_weight.grad, own.weight.grad.sum())


def test_training_makes_the_loss_fall(make_network):
    network = make_network(1, kinds=["tanh", "linear", "sin"])
    module = NetworkModule(network)
    cases = cases_of(network)
    wanted = torch.stack((cases.sum(1).tanh(), cases[:, 0]), 1)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    losses = []
    for _ in range(30):
        loss = (module(cases) - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_a_network_without_connections_gives_its_activations_of_zero():
    network = {"inputs": ["x"], "outputs": ["y", "z"], "activations": ["linear", "linear", "cos", "relu"], "edges": []}
    assert NetworkModule(network)(torch.zeros(3, 1)).tolist() == [[1.0, 0.0]] * 3
    assert NetworkModule(network)(torch.zeros(0, 1)).shape == (0, 2)


def test_state_dict_holds_the_weights_alone_and_restores_them(make_network):
    first, second = (NetworkModule(make_network(1)) for _ in range(2))
    torch.nn.init.constant_(first.weight, 0.25)
    assert list(first.state_dict()) == ["weight"]
    second.load_state_dict(first.state_dict())
    assert second.weight.unique().tolist() == [0.25]


def test_wrong_use_is_told(make_network):
    network = make_network(0)
    with pytest.raises(ChampionError, match="nowhere"):
        NetworkModule({**network, "edges": [[0, 99, 1.0]]})
    module = NetworkModule(network)
    with pytest.raises(ValueError, match=r"inputs: expected shape \[cases, 3\], got \[2, 4\]"):
        module(torch.zeros(2, 4))
    with pytest.raises(ValueError, match=r"state: expected shape \[2, 18\]"):
        module.step(torch.zeros(2, 3), torch.zeros(2, 5))
