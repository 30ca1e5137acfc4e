"""cartpole-v1 is gymnasium's CartPole-v1: step by step, and episode by episode in the compiled kernel."""

from __future__ import annotations

import gymnasium
import numpy as np
import pytest
import torch

import problems
from evo.evaluation.episodes import play
from evo.networks import Execution, Networks, pack
from problems.control.cartpole import CART_MASS, FORCE, POLE_MASS, STEP, CartPole


@pytest.fixture(scope="module")
def environment() -> gymnasium.Env:
    return gymnasium.make("CartPole-v1")


def put(environment: gymnasium.Env, state: np.ndarray) -> None:
    """Begin an episode from a state of one's own."""
    environment.reset(seed=0)
    environment.unwrapped.state = np.array(state)


def linear(weights: np.ndarray) -> Networks:
    """Linear networks with weights `[n, 5]` of the bias and the inputs."""
    return pack(4, 1, [([1] * 6, [(i, 5, float(w)) for i, w in enumerate(one)]) for one in weights])


def test_random_actions_move_it_as_they_move_gymnasiums(environment: gymnasium.Env) -> None:
    rng = np.random.default_rng(1)
    ends = set()
    for number in range(60):
        right = 0.5 if number % 3 else 0.8
        state = CartPole().start(1, rng)[0] if number % 2 else rng.uniform(-1, 1, 4) * [2.3, 2.0, 0.2, 1.0]
        put(environment, state)
        ours, done = tuple(state.tolist()), False
        while not done:
            action = float(rng.uniform() < right) - 0.5
            ours, reward, done = CartPole.advance(ours, (action,))
            _, expected_reward, expected_done, _, _ = environment.step(int(action > 0))
            np.testing.assert_allclose(ours, environment.unwrapped.state, rtol=0, atol=1e-12)
            assert (reward, done) == (expected_reward, expected_done)
        ends.add((abs(ours[0]) > 2.4, abs(ours[2]) > 12 * np.pi / 180))
    assert ends >= {(True, False), (False, True)}


def test_compiled_episodes_last_as_long_as_gymnasiums(environment: gymnasium.Env) -> None:
    rng = np.random.default_rng(2)
    weights = np.concatenate((rng.normal(0, 1, (30, 5)), np.abs(rng.normal(0, 1, (15, 5))) * [0, 0.3, 0.5, 1, 1]))
    problem = CartPole(episodes=3)
    starts = problem.start(3, rng).astype(np.float32)
    rewards, lengths = play(problem, linear(weights), torch.from_numpy(starts.T.copy()), torch.ones(3))
    expected = np.zeros((len(weights), 3))
    for place in np.ndindex(*expected.shape):
        put(environment, starts[place[1]])
        seen, over = starts[place[1]], False
        while not over:
            action = int(weights[place[0]] @ [1, *seen] > 0)
            seen, _, terminated, truncated, _ = environment.step(action)
            over = terminated or truncated
            expected[place] += 1
    np.testing.assert_array_equal(rewards, lengths)
    short = expected < 150  # in longer ones, float32 may once push the other way where an output is nearly 0
    np.testing.assert_array_equal(lengths.numpy()[short], expected[short])
    assert (lengths.numpy() == expected).mean() > 0.9
    assert len(np.unique(expected[short])) > 15
    assert (expected == 500).sum() > 5


def test_the_torch_path_is_the_compiled_one() -> None:
    problem = CartPole(episodes=4)
    networks = linear(np.random.default_rng(3).normal(0, 1, (20, 5)) * [0, 1, 1, 4, 2])
    compiled, on_torch = (
        problem.evaluate(networks.on(Execution(engine)), np.random.default_rng(4)).trials["reward"]
        for engine in ("compiled", "torch")
    )
    assert (compiled == on_torch).double().mean() > 0.9
    assert 8 < compiled.mean() < 500


def test_starts_are_gymnasiums() -> None:
    starts = CartPole().start(4000, np.random.default_rng(0))
    assert starts.shape == (4000, 4)
    assert np.abs(starts).max() < 0.05
    np.testing.assert_allclose(starts.std(0), 0.1 / np.sqrt(12), rtol=0.05)
    assert CartPole().stochastic


def test_the_scene_moves_as_newton_says() -> None:
    """The masses that are drawn gather momentum from the push alone, so the pole is drawn leaning the right way."""
    for state in np.random.default_rng(5).uniform(-1, 1, (20, 4)) * [2, 1, 1.5, 2]:
        after, _, _ = CartPole.advance(tuple(state), (1.0,))
        acceleration = (np.array(after) - state)[[1, 3]] / STEP

        def centres(time: float, state=state, acceleration=acceleration) -> np.ndarray:
            x, angle = state[[0, 2]] + time * state[[1, 3]] + time**2 / 2 * acceleration
            _, box, pole = CartPole.scene((x, 0.0, angle, 0.0))
            return np.array([box[1], (pole[1] + pole[3]) / 2])

        h = 1e-3
        second = (centres(h) - 2 * centres(0) + centres(-h)) / h**2
        assert second @ [CART_MASS, POLE_MASS] == pytest.approx(FORCE, rel=1e-4)


def test_it_is_made_by_name() -> None:
    assert problems.make("cartpole-v1") == CartPole()
    assert CartPole().steps == 500
