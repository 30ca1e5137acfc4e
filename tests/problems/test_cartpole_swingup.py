import math

import numpy as np
import pytest
import torch
from published_champion import published_champion

import problems
from evo.networks import Execution
from problems.control.cartpole_swingup import CartPoleSwingUp, CartPoleSwingUpHiddenVelocities


def equations(state, action):
    """The published equations (Gaier & Ha 2019, released code, cartpole_swingup.py), written out in float64."""
    g, m_c, m_p, length, b, dt = 9.82, 0.5, 0.5, 0.6, 0.1, 0.01
    x, xd, th, thd = state
    force = 10 * max(-1.0, min(1.0, action))
    s, c = math.sin(th), math.cos(th)
    total = m_c + m_p
    xdd = (-2 * m_p * length * thd**2 * s + 3 * m_p * g * s * c + 4 * force - 4 * b * xd) / (4 * total - 3 * m_p * c**2)
    thdd = (-3 * m_p * length * thd**2 * s * c + 6 * total * g * s + 6 * (force - b * xd) * c) / (
        4 * length * total - 3 * m_p * length * c**2
    )
    x, th, xd, thd = x + xd * dt, th + thd * dt, xd + xdd * dt, thd + thdd * dt
    return (x, xd, th, thd), (math.cos(th) + 1) / 2 * math.cos((x / 2.4) * (math.pi / 2)), abs(x) > 2.4


def random_steps(count=1000):
    rng = np.random.default_rng(7)
    states = rng.standard_normal((count, 4)) * [1.5, 2.0, 3.0, 5.0]
    return states, rng.uniform(-2, 2, count)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 2e-4)])
def test_a_thousand_random_steps_agree_with_the_published_equations(dtype, tolerance):
    states, actions = random_steps()
    moved, reward, done = CartPoleSwingUp.advance(
        tuple(torch.tensor(states, dtype=dtype).T), (torch.tensor(actions, dtype=dtype),)
    )
    for number, (state, action) in enumerate(zip(states, actions, strict=True)):
        expected, expected_reward, expected_done = equations(state, action)
        assert [float(part[number]) for part in moved] == pytest.approx(expected, abs=tolerance, rel=tolerance)
        assert float(reward[number]) == pytest.approx(expected_reward, abs=tolerance)
        assert bool(done[number]) == expected_done


def test_the_compiled_episode_follows_the_published_equations():
    """One linear network, one episode, step by step in float64 beside the compiled float32 kernel."""
    from evo.networks import pack

    weights = [0.3, 0.5, -0.2, 0.8, 1.1, 0.1]
    networks = pack(5, 1, [([1] * 7, [(source, 6, weight) for source, weight in enumerate(weights)])])
    problem = CartPoleSwingUp(episodes=1, steps=100)
    state = problem.start(1, np.random.default_rng(3))[0]
    expected = 0.0
    for _ in range(100):
        seen = (1.0, state[0], state[1], math.cos(state[2]), math.sin(state[2]), state[3])
        state, reward, done = equations(state, sum(w * x for w, x in zip(weights, seen, strict=True)))
        expected += reward
        if done:
            break
    outcomes = problem.evaluate(networks, np.random.default_rng(3))
    assert float(outcomes.scores[0, 0]) == pytest.approx(expected, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize(
    ("weight", "mean", "deviation"),
    [(-2.0, 543.6, 96.6), (-0.5, 521.0, 4.7), (0.5, 521.6, 4.1), (0.78, 723.4, 15.8), (1.0, 701.5, 6.7)],
)
def test_the_published_champion_scores_as_published(weight, mean, deviation):
    """100 episodes beside the original's 100: means within three standard errors of their difference."""
    problem = CartPoleSwingUp(shared_weights=(weight,), episodes=100)
    outcomes = problem.evaluate(published_champion(), np.random.default_rng(0))
    assert abs(float(outcomes.scores[0, 0]) - mean) < 3 * deviation * math.sqrt(2 / 100)


def test_wrong_physics_would_be_seen():
    """The control of the test above: where the pole moves a tenth faster, the champion's score is far off."""
    problem = CartPoleSwingUp(shared_weights=(1.0,), episodes=100)

    class Faster(CartPoleSwingUp):
        @staticmethod
        def advance(state, action):
            (x, xd, th, thd), reward, done = CartPoleSwingUp.advance(state, action)
            return (x, xd, th + 0.001 * thd, thd), reward, done

    faster = Faster(shared_weights=(1.0,), episodes=100)
    networks = published_champion().on(Execution("torch"))
    right, wrong = (one.evaluate(networks, np.random.default_rng(0)).scores[0, 0] for one in (problem, faster))
    assert abs(float(wrong - right)) > 3 * 6.7 * math.sqrt(2 / 100)


def test_episodes_end_where_the_cart_leaves_the_track():
    from evo.evaluation.episodes import play
    from evo.networks import pack

    pushing = pack(5, 1, [([1] * 7, [(0, 6, 1.0)])])  # full force to one side
    problem = CartPoleSwingUp(episodes=1)
    start = torch.tensor([[0.0], [0.0], [math.pi], [0.0]])
    for execution in (Execution("compiled"), Execution("torch")):
        rewards, lengths = play(problem, pushing.on(execution), start, torch.ones(1))
        state, steps, done = (0.0, 0.0, math.pi, 0.0), 0, False
        while not done:
            state, _, done = equations(state, 1.0)
            steps += 1
        assert int(lengths[0, 0]) == steps
        assert steps < 1000
        assert rewards[0, 0].isfinite()


def test_objectives_are_means_of_trials():
    problem = CartPoleSwingUp(shared_weights=(0.5, 1.0), episodes=4)
    outcomes = problem.evaluate(published_champion(), np.random.default_rng(0))
    trials = outcomes.trials["reward"]
    assert trials.shape == (1, 2, 4)
    assert float(outcomes.scores[0, 0]) == pytest.approx(float(trials.mean()))
    assert float(outcomes.scores[0, 1]) == pytest.approx(float(trials.mean(2).max()))


def test_hidden_velocities_change_only_what_is_seen():
    from evo.networks import pack

    weights = {"bias": 0.1, "position": 0.4, "cos": -0.7, "sin": 1.3}
    own = {"velocity": 5.0, "spin": 5.0}
    seeing = ["bias", "position", "velocity", "cos", "sin", "spin"]
    blind = ["bias", "position", "cos", "sin"]

    def network(names, weights):
        edges = [(place, len(names), weights.get(name, 0.0)) for place, name in enumerate(names)]
        return pack(len(names) - 1, 1, [([1] * len(names) + [5], edges)]).on(Execution("torch"))

    full, hidden = CartPoleSwingUp(steps=300), CartPoleSwingUpHiddenVelocities(steps=300)
    scores = [
        float(problem.evaluate(networks, np.random.default_rng(5)).scores[0, 0])
        for problem, networks in (
            (full, network(seeing, weights)),
            (hidden, network(blind, weights)),
            (full, network(seeing, weights | own)),
        )
    ]
    assert scores[0] == pytest.approx(scores[1], rel=1e-6)
    assert scores[2] != pytest.approx(scores[1], rel=1e-2)
    assert hidden.inputs == tuple(name for name in full.inputs if "velocity" not in name)
    assert problems.make("cartpole-swingup-hidden-velocities-v1", steps=300) == hidden


def test_recurrent_edges_remember_what_velocities_would_tell():
    """Force from the sine now and one step before: the network remembers it, the loop beside it does too."""
    from evo.networks import pack

    # nodes: bias, position, cos, sin, the sine before, the sine, the output
    remembering = pack(3, 1, [([1] * 7, [(3, 5, 1.0), (5, 4, 1.0), (3, 6, 10.0), (4, 6, -9.0)])])
    problem = CartPoleSwingUpHiddenVelocities(episodes=1, steps=60)
    state, before, expected = problem.start(1, np.random.default_rng(6))[0], 0.0, 0.0
    for _ in range(60):
        sine = math.sin(state[2])
        state, reward, _ = equations(state, 10.0 * sine - 9.0 * before)
        before = sine
        expected += reward
    for engine in ("compiled", "torch"):
        outcomes = problem.evaluate(remembering.on(Execution(engine)), np.random.default_rng(6))
        assert float(outcomes.scores[0, 0]) == pytest.approx(expected, rel=1e-4, abs=1e-3)


@pytest.mark.parametrize("action", [1.0, -0.3])
def test_the_scene_moves_as_newton_says(action):
    """The masses that are drawn gather momentum from force and friction alone, so the pole leans the right way."""
    for state in np.random.default_rng(5).uniform(-1, 1, (20, 4)) * [2, 1, 3, 3]:
        after, _, _ = CartPoleSwingUp.advance(tuple(state), (action,))
        acceleration = (np.array(after) - state)[[1, 3]] / 0.01

        def centres(time, state=state, acceleration=acceleration):
            x, angle = state[[0, 2]] + time * state[[1, 3]] + time**2 / 2 * acceleration
            _, box, pole = CartPoleSwingUp.scene((x, 0.0, angle, 0.0))
            return np.array([box[1], (pole[1] + pole[3]) / 2])

        h = 1e-3
        second = (centres(h) - 2 * centres(0) + centres(-h)) / h**2
        assert second @ [0.5, 0.5] == pytest.approx(10 * action - 0.1 * state[1], rel=1e-4, abs=1e-3)


def test_the_pole_is_drawn_upright_where_it_is_rewarded():
    *_, (kind, foot, foot_height, tip, height) = CartPoleSwingUp.scene((0.5, 0.0, 0.0, 0.0))
    assert (kind, foot, foot_height, tip) == ("line", 0.5, 0.0, 0.5)
    assert height == pytest.approx(0.6)
