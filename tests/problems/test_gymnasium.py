"""The adapter gives gymnasium's own rewards, and says clearly what it cannot do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium import spaces

import problems
from evo.networks import Networks, pack
from evo.outcome import Outcome
from problems.control import gymnasium_problem
from problems.control.gymnasium_problem import GymnasiumProblem, actions

LINEAR, TANH = 1, 5


def controllers(weights: np.ndarray) -> Networks:
    """Networks without hidden nodes; weights [n, inputs, outputs], zeros are no edges."""
    _, inputs, outputs = weights.shape
    kinds = [LINEAR] * (1 + inputs) + [TANH] * outputs
    edges = [[(1 + i, 1 + inputs + o, float(one[i, o])) for i, o in np.argwhere(one)] for one in weights]
    return pack(inputs, outputs, [(kinds, into) for into in edges])


def random_controllers(count: int, inputs: int, outputs: int) -> Networks:
    return controllers(np.random.default_rng(5).normal(size=(count, inputs, outputs)) * 3)


def plain_loop(problem: GymnasiumProblem, network: Networks, weight: float | None, seed: int, discrete: bool) -> float:
    environment = gymnasium.make(problem.environment, **dict(problem.options))
    observation, _ = environment.reset(seed=seed)
    total, done = 0.0, False
    while not done:
        outputs = network.forward(torch.from_numpy(observation)[None].float(), weight)[0, 0].numpy()
        action = (
            outputs.argmax() if discrete else outputs.clip(environment.action_space.low, environment.action_space.high)
        )
        observation, reward, terminated, truncated, _ = environment.step(action)
        total += float(reward)
        done = terminated or truncated
    environment.close()
    return total


@pytest.mark.parametrize("shared_weights", [(), (-1.0, 0.5)])
@pytest.mark.parametrize(
    ("environment", "inputs", "outputs", "options"),
    [("CartPole-v1", 4, 2, {}), ("Pendulum-v1", 3, 1, {"g": 9.0})],
)
def test_rewards_are_those_of_a_plain_loop(
    environment: str, inputs: int, outputs: int, options: dict[str, Any], shared_weights: tuple[float, ...]
) -> None:
    problem = GymnasiumProblem(shared_weights, environment=environment, episodes=2, options=options)
    networks = random_controllers(3, inputs, outputs)
    if shared_weights:  # networks differ in their edges
        networks = controllers(np.random.default_rng(5).integers(2, size=(3, inputs, outputs)))
    outcomes = problem.evaluate(networks, np.random.default_rng(1))
    seeds = np.random.default_rng(1).integers(2**31, size=2)
    expected = [
        [
            [
                plain_loop(problem, networks[n : n + 1], weight, int(seed), environment == "CartPole-v1")
                for seed in seeds
            ]
            for weight in shared_weights or (None,)
        ]
        for n in range(3)
    ]
    trials = outcomes.trials["reward"]
    np.testing.assert_allclose(trials.numpy(), expected, rtol=1e-6)
    assert len(trials.unique()) > 2
    mean = trials.mean((1, 2))
    torch.testing.assert_close(outcomes.scores[:, 0], mean)
    assert [objective.name for objective in problem.objectives] == ["reward", "best_weight_reward"][
        : 1 + bool(shared_weights)
    ]
    if shared_weights:
        torch.testing.assert_close(outcomes.scores[:, 1], trials.mean(2).max(1).values)


@pytest.mark.parametrize(("environment", "inputs", "outputs"), [("CartPole-v1", 4, 2), ("Pendulum-v1", 3, 1)])
def test_rewards_are_gymnasiums_own_step_by_step(environment: str, inputs: int, outputs: int) -> None:
    """Episodes cut after 1, 2, 3 ... steps add up, step by step, to the rewards of gymnasium's own environment."""
    network = random_controllers(1, inputs, outputs)
    own = gymnasium.make(environment)
    observation, _ = own.reset(seed=int(np.random.default_rng(1).integers(2**31, size=1)[0]))
    total = 0.0
    for steps in range(1, 61):
        action = network.forward(torch.from_numpy(observation)[None].float())[0, 0].numpy()
        chosen = action.argmax() if outputs > 1 else action.clip(own.action_space.low, own.action_space.high)
        observation, reward, terminated, truncated, _ = own.step(chosen)
        total += float(reward)
        problem = GymnasiumProblem(environment=environment, episodes=1, steps=steps)
        found = float(problem.evaluate(network, np.random.default_rng(1)).scores[0, 0])
        assert found == pytest.approx(total, rel=1e-6), steps
        if terminated or truncated:
            break
    assert steps > 5
    own.close()


def test_place_neighbours_and_earlier_evaluations_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = GymnasiumProblem(environment="CartPole-v1", episodes=3, steps=40)
    networks = random_controllers(5, 4, 2)
    first = problem.evaluate(networks, np.random.default_rng(2)).trials["reward"]
    problem.evaluate(networks, np.random.default_rng(3))
    monkeypatch.setattr(gymnasium_problem, "SLOTS", 7)
    again = problem.evaluate(networks, np.random.default_rng(2)).trials["reward"]
    alone = problem.evaluate(networks[3:4], np.random.default_rng(2)).trials["reward"]
    assert torch.equal(first, again)
    assert torch.equal(first[3:4], alone)
    assert first.max() <= 40
    assert len(first.unique()) > 1


class Lamps(gymnasium.Env[Any, Any]):
    """Pays 100 for the first lamp and 1 for the second; ends after as many steps as the lamps add up to, and one."""

    def __init__(self, breaks: bool = False) -> None:
        self.observation_space = spaces.Dict({"lamp": spaces.Discrete(3), "level": spaces.Box(-1, 1, (2,))})
        self.action_space = spaces.MultiDiscrete([3, 2])
        self.breaks = breaks
        self.broken = False
        self.left: int | None = None

    def _observation(self) -> dict[str, Any]:
        return {"lamp": 1, "level": np.array([0.5, -0.25], np.float32)}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        super().reset(seed=seed)
        assert not self.broken
        self.left = None
        return self._observation(), {}

    def step(self, action: Any) -> Any:
        assert self.action_space.contains(action)
        if self.left == 0:
            raise RuntimeError("stepped after the end")
        if self.breaks and action[0] == 2:
            self.broken = True
            raise RuntimeError("the lamp broke")
        self.left = int(sum(action)) if self.left is None else self.left - 1
        return self._observation(), float(100 * action[0] + action[1]), self.left == 0, False, {}


@pytest.fixture
def lamps() -> Iterator[str]:
    gymnasium.register("Lamps-v0", entry_point=Lamps, max_episode_steps=50)
    yield "Lamps-v0"
    del gymnasium.registry["Lamps-v0"]
    gymnasium_problem.environments.cache_clear()
    gymnasium_problem.interface.cache_clear()


def lamp_networks() -> Networks:
    """Three networks that choose (0, 1), (2, 0) and (1, 0) when they see lamp 1."""
    weights = np.zeros((3, 5, 5))
    for network, chosen in enumerate([(0, 4), (2, 3), (1, 3)]):
        weights[network, 1, list(chosen)] = 1.0
        weights[network, 3, list(chosen)] = 0.5
    return controllers(weights)


def test_dict_observations_multi_discrete_actions_and_nothing_after_the_end(lamps: str) -> None:
    problem = GymnasiumProblem(environment=lamps, episodes=2)
    assert (len(problem.inputs), len(problem.outputs)) == (5, 5)
    assert problem.inputs[0] == "obs0"
    outcomes = problem.evaluate(lamp_networks(), np.random.default_rng(0))
    assert outcomes.kinds == (Outcome.OK,) * 3, outcomes.messages
    assert outcomes.scores.tolist() == [[2.0], [600.0], [200.0]]


@pytest.mark.parametrize("slots", [2, 1024])
def test_an_environment_that_raises_fails_one_network_only(
    lamps: str, slots: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gymnasium_problem, "SLOTS", slots)
    problem = GymnasiumProblem(environment=lamps, episodes=2, options=(("breaks", True),))
    for _ in range(2):  # again: the broken environments are replaced
        outcomes = problem.evaluate(lamp_networks(), np.random.default_rng(0))
        assert outcomes.kinds == (Outcome.OK, Outcome.RAISED, Outcome.OK)
        assert "the lamp broke" in outcomes.messages[1]
        assert outcomes.scores[[0, 2], 0].tolist() == [2.0, 200.0]
        assert outcomes.scores[1].isnan().all()


def test_outputs_become_actions() -> None:
    outputs = np.array([[0.1, -3.0, 2.0, 1.0], [5.0, 0.0, 0.0, -1.0]], np.float32)
    count, decode = actions(spaces.Discrete(4, start=10), "x")
    assert (count, decode(outputs).tolist()) == (4, [12, 10])
    count, decode = actions(spaces.MultiDiscrete([[2], [2]]), "x")
    assert (count, decode(outputs).tolist()) == (4, [[[0], [0]], [[0], [0]]])
    count, decode = actions(spaces.MultiDiscrete([1, 3], start=[5, 6]), "x")
    assert (count, decode(outputs).tolist()) == (4, [[5, 7], [5, 6]])
    count, decode = actions(spaces.MultiBinary([2, 2]), "x")
    assert (count, decode(outputs).tolist()) == (4, [[[1, 0], [1, 1]], [[1, 0], [0, 0]]])
    space = spaces.Box(np.array([[-1, -1], [-1, -0.5]]), np.array([[1, 1], [1, 1]]), dtype=np.float64)
    count, decode = actions(space, "x")
    assert count == 4
    np.testing.assert_allclose(decode(outputs), [[[0.1, -1], [1, 1]], [[1, 0], [0, -0.5]]])
    assert all(space.contains(one) for one in decode(outputs))


@pytest.mark.parametrize(
    "space", [spaces.Text(3), spaces.Box(0, 255, (2,), np.uint8), spaces.Tuple([spaces.Discrete(2)])]
)
def test_other_action_spaces_are_named(space: spaces.Space[Any]) -> None:
    with pytest.raises(TypeError, match=type(space).__name__):
        actions(space, "x")


def test_observations_without_fixed_size_are_named(lamps: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make = gymnasium_problem.make_environment

    def sequences(*key: Any) -> gymnasium.Env[Any, Any]:
        made = make(*key)
        made.unwrapped.observation_space = spaces.Sequence(spaces.Discrete(2))
        return made

    monkeypatch.setattr(gymnasium_problem, "make_environment", sequences)
    with pytest.raises(TypeError, match="Sequence"):
        _ = GymnasiumProblem(environment=lamps).inputs


def test_unknown_environments_suggest_known_ones() -> None:
    with pytest.raises(ValueError, match="did you mean 'CartPole-v1'"):
        GymnasiumProblem(environment="CartPole")
    with pytest.raises(ValueError, match="without a module"):
        problems.make("gymnasium:os:CartPole-v1")


def test_missing_packages_name_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in [name for name in sys.modules if name.startswith("gymnasium.envs.box2d")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "Box2D", None)
    with pytest.raises(ImportError, match=r'pip install "evo-genomes\[box2d\]"'):
        _ = GymnasiumProblem(environment="BipedalWalker-v3").inputs
    monkeypatch.setitem(sys.modules, "ale_py", None)
    with pytest.raises(ImportError, match=r'pip install "evo-genomes\[atari\]"'):
        GymnasiumProblem(environment="ALE/Pong-v5")


def test_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="episodes"):
        GymnasiumProblem(environment="CartPole-v1", episodes=0)
    with pytest.raises(ValueError, match="steps"):
        _ = GymnasiumProblem(environment="Blackjack-v1").inputs
    with pytest.raises(TypeError, match="options"):
        GymnasiumProblem(environment="CartPole-v1", options=(("a", {"b": 1}),))
    with pytest.raises(TypeError, match="unknown_option"):
        _ = GymnasiumProblem(environment="CartPole-v1", options=(("unknown_option", 1),)).inputs
    with pytest.raises(ValueError, match="4 inputs and 2 outputs, got 3 and 1"):
        GymnasiumProblem(environment="CartPole-v1").evaluate(random_controllers(1, 3, 1), np.random.default_rng(0))


def test_options_come_back_from_json() -> None:
    problem = GymnasiumProblem(environment="FrozenLake-v1", options=[["is_slippery", False], ["desc", ["SF", "FG"]]])
    assert problem.options == (("desc", ("SF", "FG")), ("is_slippery", False))
    assert len(problem.inputs) == 4
    assert len(problem.outputs) == 4
    assert hash(problem)
