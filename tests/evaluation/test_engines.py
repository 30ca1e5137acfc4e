"""Compiled kernels and torch, against each other and against plain numpy, node by node."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from published_champion import published_champion

from evo import activations, lanes
from evo.evaluation.episodes import play
from evo.evaluation.stepping import Stepper
from evo.networks import Execution, pack
from problems.control.cartpole_swingup import CartPoleSwingUp

NUMPY = {
    "linear": lambda x: x,
    "step": lambda x: (x > 0).astype(float),
    "sin": lambda x: np.sin(np.pi * x),
    "gaussian": lambda x: np.exp(-(x**2) / 2),
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "inverse": lambda x: -x,
    "abs": np.abs,
    "relu": lambda x: np.maximum(x, 0),
    "cos": lambda x: np.cos(np.pi * x),
    "squared": lambda x: x**2,
}


def random_networks(count, hidden, edges, seed, inputs=4, outputs=2, recurrent=False):
    rng = np.random.default_rng(seed)
    networks = []
    for _ in range(count):
        nodes = 1 + inputs + hidden + outputs
        kinds = [1] * (1 + inputs) + list(rng.integers(1, 12, hidden)) + [1] * outputs
        chosen = {}
        while len(chosen) < edges:
            source, target = int(rng.integers(nodes)), int(rng.integers(1 + inputs, nodes))
            if recurrent or (source < target and source < nodes - outputs):
                chosen[source, target] = float(rng.normal()) / 2
        networks.append((kinds, [(*ends, weight) for ends, weight in chosen.items()]))
    return networks


def by_hand(network, cases, steps=1, inputs=4, outputs=2):
    """Outputs `[cases, outputs]` after some steps with the same inputs, in float64."""
    kinds, edges = network
    values = np.zeros((len(kinds), len(cases)))
    for _ in range(steps):
        previous = values.copy()
        values = np.zeros_like(previous)
        values[0], values[1 : 1 + inputs] = 1.0, cases.T
        for node in range(1 + inputs, len(kinds)):
            total = sum(
                (
                    weight * (values if source < node else previous)[source]
                    for source, target, weight in edges
                    if target == node
                ),
                np.zeros(len(cases)),
            )
            values[node] = NUMPY[activations.NAMES[int(kinds[node])]](total)
    return values[-outputs:].T


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_forward_equals_numpy_node_by_node(engine):
    networks = random_networks(12, 9, 24, seed=1)
    cases = np.random.default_rng(2).standard_normal((70, 4))
    outputs = pack(4, 2, networks).on(Execution(engine)).forward(torch.from_numpy(cases))
    for network, output in zip(networks, outputs, strict=True):
        np.testing.assert_allclose(output.numpy(), by_hand(network, cases), rtol=2e-4, atol=2e-4)


def test_a_shared_weight_takes_the_place_of_all_weights():
    networks = random_networks(5, 6, 15, seed=3)
    cases = np.random.default_rng(4).standard_normal((10, 4))
    shared = [(kinds, [(s, t, -0.7) for s, t, _ in edges]) for kinds, edges in networks]
    for engine in ("compiled", "torch"):
        outputs = pack(4, 2, networks).on(Execution(engine)).forward(torch.from_numpy(cases), -0.7)
        for network, output in zip(shared, outputs, strict=True):
            np.testing.assert_allclose(output.numpy(), by_hand(network, cases), rtol=2e-4, atol=2e-4)


def test_recurrent_connections_read_the_step_before():
    networks = random_networks(6, 5, 20, seed=5, recurrent=True)
    cases = np.random.default_rng(6).standard_normal((3, 4))
    stepper = Stepper(pack(4, 2, networks), torch.ones(3))
    for steps in (1, 2, 3, 4):
        outputs = stepper.step(torch.from_numpy(cases).expand(6, -1, -1))
        for network, output in zip(networks, outputs, strict=True):
            np.testing.assert_allclose(output.numpy(), by_hand(network, cases, steps), rtol=1e-3, atol=1e-3)
    stepper.reset()
    again = stepper.step(torch.from_numpy(cases).expand(6, -1, -1))
    np.testing.assert_allclose(again[0].numpy(), by_hand(networks[0], cases), rtol=1e-3, atol=1e-3)


def test_recurrent_episodes_agree_between_engines():
    networks = pack(5, 1, random_networks(6, 5, 20, seed=8, inputs=5, outputs=1, recurrent=True))
    problem = CartPoleSwingUp(steps=40)
    start = torch.from_numpy(problem.start(4, np.random.default_rng(0)).T.astype(np.float32))
    compiled, tensors = (play(problem, networks.on(Execution(e)), start, torch.ones(4)) for e in ("compiled", "torch"))
    torch.testing.assert_close(compiled[0], tensors[0], rtol=1e-3, atol=1e-2)
    torch.testing.assert_close(compiled[1], tensors[1])


def test_a_networks_bits_depend_on_neither_threads_nor_neighbours():
    networks = pack(4, 2, random_networks(40, 9, 24, seed=9))
    cases = torch.randn(100, 4, generator=torch.Generator().manual_seed(1))
    alone = networks.on(Execution("compiled", 1)).forward(cases)
    assert torch.equal(alone, networks.on(Execution("compiled", 3)).forward(cases))
    assert torch.equal(alone[7:9], networks[7:9].forward(cases))
    problem = CartPoleSwingUp(steps=200)
    many = pack(5, 1, random_networks(30, 5, 15, seed=10, inputs=5, outputs=1))
    start = torch.from_numpy(problem.start(3, np.random.default_rng(0)).T.astype(np.float32))
    one, three = (play(problem, many.on(Execution("compiled", n)), start, torch.ones(3))[0] for n in (1, 3))
    assert torch.equal(one, three)
    assert torch.equal(one[11:12], play(problem, many[11:12], start, torch.ones(3))[0])


def test_engines_agree_on_whole_episodes_of_the_published_champion():
    """A thousand steps: float32 rounding grows, so single episodes agree to a percent and their mean much better."""
    problem = CartPoleSwingUp(shared_weights=(0.5, 1.0), episodes=20)
    scores = [
        problem.evaluate(published_champion().on(Execution(engine)), np.random.default_rng(0)).trials["reward"]
        for engine in ("compiled", "torch")
    ]
    torch.testing.assert_close(scores[0], scores[1], rtol=0.02, atol=1.0)
    assert abs(float(scores[0].mean() - scores[1].mean())) < 1.0


@pytest.mark.parametrize("name", activations.IDS)
def test_every_activation_is_the_same_in_numpy_torch_python_and_compiled(name):
    points = np.concatenate((np.linspace(-8, 8, 501), [0.0, -0.0, 50.0, -50.0]))
    with np.errstate(over="ignore"):
        expected = NUMPY[name](points)
    function = dict(activations.FUNCTIONS)[name]
    np.testing.assert_allclose(function(torch.from_numpy(points)).numpy(), expected, atol=1e-12)
    np.testing.assert_allclose([function(float(x)) for x in points], expected, atol=1e-12)
    one = pack(1, 1, [([1, 1, activations.activation_id(name)], [(1, 2, 1.0)])])
    compiled = one.forward(torch.from_numpy(points)[:, None])[0, :, 0]
    np.testing.assert_allclose(compiled.numpy(), expected, rtol=1e-5, atol=5e-5)


@pytest.mark.parametrize(
    ("name", "exact", "span"), [("sin", np.sin, 1e4), ("cos", np.cos, 1e4), ("tanh", np.tanh, 20), ("exp", np.exp, 80)]
)
def test_compiled_functions_are_as_exact_as_their_docstring_says(name, exact, span):
    from numba import njit

    from evo.evaluation.compiled_lanes import OPTIONS

    function = getattr(lanes, name)

    @njit(**OPTIONS)
    def apply(x, y):
        for place in range(len(x)):
            y[place] = function(x[place])

    points = np.linspace(-span, span, 200_001).astype(np.float32)
    found = np.empty_like(points)
    apply(points, found)
    truth = exact(points.astype(np.float64))
    error = np.abs(found - truth) / (truth if name == "exp" else 1.0)
    assert error.max() < 3e-7


def test_changed_physics_is_another_kernel(tmp_path, monkeypatch):
    """A constant in a user's file changes: the kernel cached for the old one must not be used."""
    import importlib.util

    source = """
from dataclasses import dataclass
import numpy as np
from evo.control import ControlProblem

GAIN = {gain}

def reward(position):
    return GAIN * position

@dataclass(frozen=True)
class Mine(ControlProblem):
    name = "mine-v1"
    states = ("position",)
    inputs = ("position",)
    outputs = ("move",)

    def start(self, episodes, rng):
        return np.ones((episodes, 1))

    @staticmethod
    def observe(state):
        return state

    @staticmethod
    def advance(state, action):
        return state, reward(state[0]), state[0] > 5.0
"""
    scores = []
    for gain in (1.0, 3.0):
        path = tmp_path / "mine.py"
        path.write_text(source.format(gain=gain))
        spec = importlib.util.spec_from_file_location(f"mine_{gain:.0f}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        network = pack(1, 1, [([1, 1, 1], [(1, 2, 1.0)])])
        scores.append(float(module.Mine(steps=10, episodes=1).evaluate(network, np.random.default_rng(0)).scores[0, 0]))
    assert scores == [10.0, 30.0]


OWN_PHYSICS = """
import importlib.util, sys
from dataclasses import dataclass
import numpy as np
from evo.control import ControlProblem
from evo.lanes import where
from evo.networks import pack

@dataclass(frozen=True)
class Mine(ControlProblem):
    name = "mine-v1"
    states = inputs = ("position",)
    outputs = ("move",)

    def start(self, episodes, rng):
        return np.ones((episodes, 1))

    @staticmethod
    def observe(state):
        return state

    @staticmethod
    def advance(state, action):
        return state, where(state[0] > 0.5, 7.0, 0.0), state[0] > 5.0

Mine.__module__ = Mine.observe.__module__ = Mine.advance.__module__ = "nowhere_to_be_found"
network = pack(1, 1, [([1, 1, 1], [(1, 2, 1.0)])])
print(float(Mine(steps=10, episodes=1).evaluate(network, np.random.default_rng(0)).scores[0, 0]))
"""


def test_physics_compiled_by_one_process_runs_in_another_that_cannot_import_it(tmp_path):
    command = [sys.executable, "-c", OWN_PHYSICS]
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)}
    printed = [subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300) for _ in range(2)]
    assert [one.stdout for one in printed] == ["70.0\n"] * 2, printed[1].stderr
    assert list(tmp_path.rglob("*.nbi"))  # the second one did load
