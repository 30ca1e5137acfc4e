"""The double pole moves by the published equations, and its rewards add up to the published fitnesses."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.linalg import solve_discrete_are

import problems
from evo.evaluation.episodes import play
from evo.networks import Execution, Networks, pack
from problems.control import double_pole
from problems.control.double_pole import DoublePole, DoublePoleHiddenVelocities, DoublePoleHiddenVelocitiesUndamped

MASSES, HALVES = (0.1, 0.01), (0.5, 0.05)
SCALES = np.array([4.8, 2, 0.52, 2, 0.52, 2])
RNG = np.random.default_rng(0)


def lagrangian(state, force, track=0.0005, pivot=0.000002):
    """Return the state's derivative from the Lagrangian of a cart and two rods: the mass matrix is solved for."""
    velocity, angles, spins = state[1], state[[2, 4]], state[[3, 5]]
    matrix, load = np.zeros((3, 3)), np.zeros(3)
    matrix[0, 0] = 1.0
    load[0] = force - track * np.sign(velocity)
    for number, (mass, half, angle, spin) in enumerate(zip(MASSES, HALVES, angles, spins, strict=True), start=1):
        matrix[0, 0] += mass
        matrix[0, number] = matrix[number, 0] = mass * half * math.cos(angle)
        matrix[number, number] = mass * half**2 + mass * (2 * half) ** 2 / 12
        load[0] += mass * half * spin**2 * math.sin(angle)
        load[number] = mass * 9.8 * half * math.sin(angle) - pivot * spin
    cart, long, short = np.linalg.solve(matrix, load)
    return np.array([velocity, cart, spins[0], long, spins[1], short])


def step_by_lagrangian(state, action, track=0.0005):
    """Return the state 0.02 s on, by two textbook Runge-Kutta steps."""
    force, h = 10 * min(max(action, -1.0), 1.0), 0.01
    for _ in range(2):
        k1 = lagrangian(state, force, track)
        k2 = lagrangian(state + h / 2 * k1, force, track)
        k3 = lagrangian(state + h / 2 * k2, force, track)
        k4 = lagrangian(state + h * k3, force, track)
        state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return state


@pytest.fixture(scope="module")
def gains() -> np.ndarray:
    """Return a linear controller that balances both poles: linear-quadratic, of the frictionless physics about 0."""

    def moved(point):
        return step_by_lagrangian(point[:6], point[6], track=0.0)

    h = 1e-5
    jacobian = np.array([(moved(h * unit) - moved(-h * unit)) / (2 * h) for unit in np.eye(7)]).T
    a, b = jacobian[:, :6], jacobian[:, 6:]
    cost = 0.1 * np.eye(1)
    p = solve_discrete_are(a, b, np.diag([1, 0.1, 1, 0.1, 1, 0.1]), cost)
    return (np.linalg.inv(cost + b.T @ p @ b) @ b.T @ p @ a)[0]


def controllers(weights: np.ndarray) -> Networks:
    """Return linear networks with weights `[n, 6]` of the six numbers of the physics, unscaled."""
    return pack(6, 1, [([1] * 8, [(1 + i, 7, float(w)) for i, w in enumerate(one * SCALES)]) for one in weights])


def recurrent(count: int) -> Networks:
    """Return random networks that see three inputs, with hidden nodes that remember."""
    rng = np.random.default_rng(8)
    kinds = [1] * 4 + [5] * 4
    ends = [(i, j) for i in range(7) for j in range(4, 8)]
    return pack(3, 1, [(kinds, [(i, j, float(rng.normal(0, 2))) for i, j in ends]) for _ in range(count)])


def test_random_steps_agree_with_the_lagrangian():
    rng = np.random.default_rng(1)
    for _ in range(300):
        state = rng.uniform(-1, 1, 6) * [2, 2, 0.6, 3, 0.6, 6]
        action = rng.uniform(-1.5, 1.5)
        moved, _, _ = DoublePole.advance(tuple(state), (action,))
        np.testing.assert_allclose(moved, step_by_lagrangian(state, action), rtol=1e-10, atol=1e-11)
        both, _, _ = DoublePoleHiddenVelocities.advance((*state, *[0.0] * 8), (action,))
        assert both[:6] == moved


def errors(gains, halvings, monkeypatch):
    """Return how far 100 steps, balanced from a poor start, are from an exact integration with forces of its own."""
    monkeypatch.setattr(double_pole, "TRACK_FRICTION", 0.0)  # it jumps, which defeats the exact integrator
    monkeypatch.setattr(double_pole, "STEP", 0.01 / 2**halvings)
    ours = exact = np.array([0.5, -0.2, 0.07, 0.1, -0.05, 0.2])
    far = []
    for _ in range(100):
        action = -gains @ ours
        for _ in range(2**halvings):
            ours = np.array(double_pole.balance(tuple(ours), action))
        force = 10 * min(max(-gains @ exact, -1.0), 1.0)
        span, slope = (0, 0.02), lambda _, y, force=force: lagrangian(y, force, track=0.0)
        exact = solve_ivp(slope, span, exact, rtol=1e-11, atol=1e-12).y[:, -1]
        far.append(np.abs(ours - exact).max())
    return far


def test_100_steps_agree_with_an_exact_integration(gains, monkeypatch):
    as_published, halved = (errors(gains, halvings, monkeypatch) for halvings in (0, 1))
    assert max(as_published) < 3e-5  # mostly of the short pole's spin, which turns at 3 rad/s
    assert max(halved) < max(as_published) / 12  # of fourth order: a sixteenth is to be expected
    assert as_published[-1] < 1e-6


def test_energy_stays_where_nothing_rubs_or_pushes(monkeypatch):
    for name, value in {"TRACK_FRICTION": 0.0, "PIVOT_FRICTION": 0.0, "STEP": 0.001}.items():
        monkeypatch.setattr(double_pole, name, value)

    def energies(state):
        velocity = state[1]
        kinetic, potential = velocity**2 / 2, 0.0
        for mass, half, angle, spin in zip(MASSES, HALVES, state[2::2], state[3::2], strict=True):
            across, up = velocity + half * spin * math.cos(angle), -half * spin * math.sin(angle)
            kinetic += mass * (across**2 + up**2) / 2 + mass * (2 * half) ** 2 / 12 * spin**2 / 2
            potential += mass * 9.8 * half * math.cos(angle)
        return kinetic, potential

    state = (0.0, 0.3, 0.4, 0.0, -0.2, 1.0)
    parts = [energies(state)]
    for _ in range(500):  # one second, in which the poles fall over and swing through
        state = double_pole.balance(state, 0.0)
        parts.append(energies(state))
    total = np.sum(parts, axis=1)
    assert np.ptp(np.array(parts)[:, 1]) > 0.3
    assert np.ptp(total) < 1e-8


@pytest.mark.parametrize(
    ("state", "action"),
    [
        ((2.39, 1.0, 0, 0, 0, 0), 0.0),
        ((-2.39, -1.0, 0, 0, 0, 0), 0.0),
        ((0, 0, 0.62, 1.0, 0, 0), 0.0),
        ((0, 0, 0, 0, -0.62, -1.0), 0.0),
    ],
)
def test_an_episode_ends_where_the_cart_or_a_pole_is_out_of_bounds(state, action):
    state = tuple(map(float, state))
    _, reward, done = DoublePole.advance(state, (action,))
    assert (reward, done) == (0.0, True)
    nearer = tuple(0.95 * x for x in state)
    _, reward, done = DoublePole.advance(nearer, (action,))
    assert (reward, done) == (1.0, False)


def test_rewards_are_the_steps_balanced():
    pushing = pack(6, 1, [([1] * 8, [(0, 7, 1.0)]), ([1] * 8, [])])
    problem = DoublePole(steps=300)
    expected = []
    for action in (1.0, 0.0):
        state, steps = np.array([0, 0, 0.07, 0, 0, 0.0]), 0
        while np.abs(state[0]) <= 2.4 and np.abs(state[[2, 4]]).max() <= math.radians(36):
            state, steps = step_by_lagrangian(state, action), steps + 1
        expected.append(steps - 1)
    for engine in ("compiled", "torch"):
        outcomes = problem.evaluate(pushing.on(Execution(engine)), RNG)
        assert outcomes.scores[:, 0].tolist() == expected


def test_a_good_controller_balances_to_the_end_and_a_worse_one_does_not(gains):
    problem = DoublePole(steps=3000)
    outcomes = problem.evaluate(controllers(np.array([-gains, -0.05 * gains, gains])), RNG)
    assert float(outcomes.scores[0, 0]) == 3000
    assert outcomes.scores[1:, 0].max() < 3000
    assert problem.balanced(outcomes).tolist() == [1, 0, 0]


def test_engines_agree(gains):
    rng = np.random.default_rng(2)
    seeing = controllers(-gains * np.concatenate(([np.ones(6)], rng.normal(1, 0.3, (20, 6)))))
    for problem, networks in ((DoublePole(steps=150), seeing), (DoublePoleHiddenVelocities(steps=150), recurrent(20))):
        compiled, on_torch = (
            problem.evaluate(networks.on(Execution(engine)), RNG).scores for engine in ("compiled", "torch")
        )
        torch.testing.assert_close(compiled, on_torch, rtol=1e-3, atol=1e-5)
        assert compiled.unique().numel() > 5


# The damped fitness


def played(monkeypatch, trajectory):
    """Return what the damped problem's rewards add up to where the physics goes through made-up states `[t, 6]`."""
    steps = iter(trajectory)
    monkeypatch.setattr(double_pole, "balance", lambda state, action: tuple(next(steps).tolist()))
    state = tuple(DoublePoleHiddenVelocities().start(1, RNG)[0].tolist())
    total, done = 0.0, False
    for _ in trajectory:
        assert not done
        state, reward, done = DoublePoleHiddenVelocities.advance(state, (0.0,))
        total += reward
    return total, done


def made_up(steps):
    rng = np.random.default_rng(steps)
    return rng.uniform(-1, 1, (steps, 6)) * [2.3, 2, 0.6, 3, 0.6, 5] * np.linspace(1, 0.2, steps)[:, None]


def published(trajectory):
    """Return Gruau's fitness: 0.1 t / 1000 + 0.9 * (0 below 100 steps, else 0.75 over the sum of the last 100)."""
    balanced = len(trajectory)
    swing = np.abs(trajectory[-100:, :4]).sum()
    return 0.1 * balanced / 1000 + (0.9 * 0.75 / swing if balanced >= 100 else 0.0)


@pytest.mark.parametrize("steps", [1, 60, 99, 100, 120, 640, 1000])
def test_rewards_add_up_to_the_published_fitness(monkeypatch, steps):
    trajectory = made_up(steps)
    assert played(monkeypatch, trajectory) == (pytest.approx(published(trajectory), rel=1e-9), False)


def test_the_step_that_fails_adds_nothing(monkeypatch):
    trajectory = made_up(241)
    trajectory[-1, 2] = 0.7
    assert played(monkeypatch, trajectory) == (pytest.approx(published(trajectory[:-1]), rel=1e-9), True)


def test_between_twenties_the_oldest_count_with_their_share(monkeypatch):
    trajectory = made_up(447)
    moves = np.abs(trajectory[:, :4]).sum(1)
    swing = moves[360:].sum() + moves[340:360].sum() * 13 / 20  # 87 steps, and 13 of the 20 before
    total, _ = played(monkeypatch, trajectory)
    assert total == pytest.approx(0.0447 + 0.9 * 0.75 / swing, rel=1e-9)
    assert total == pytest.approx(published(trajectory), rel=0.05)


def test_compiled_rewards_add_up_too():
    """Controllers that see no velocities: the kernel's float32 against the published formula, step by step."""
    networks = recurrent(40).on(Execution("compiled"))
    problem, plain = DoublePoleHiddenVelocities(), DoublePoleHiddenVelocitiesUndamped(steps=1000)
    start = torch.from_numpy(problem.start(1, RNG).T.astype(np.float32))
    rewards, lengths = play(problem, networks, start, torch.ones(1))
    steps, _ = play(plain, networks.on(Execution("torch")), start[:6], torch.ones(1))
    torch.testing.assert_close(lengths - 1, steps)  # none lasts: the last step is the one that fails
    short = steps < 100
    torch.testing.assert_close(rewards[short], 0.0001 * steps[short], rtol=1e-4, atol=1e-6)


def differencing(gains: np.ndarray) -> Networks:
    """Return a network that balances without seeing velocities: it remembers what it saw, and takes differences.

    Nodes: bias, three inputs, three with what the inputs were a step before, three with what they are, output.
    """
    places, speeds, scales = gains[::2], gains[1::2] / 0.02, SCALES[::2]
    edges = [(1 + i, 7 + i, 1.0) for i in range(3)] + [(7 + i, 4 + i, 1.0) for i in range(3)]
    edges += [(1 + i, 10, -float((places[i] + speeds[i]) * scales[i])) for i in range(3)]
    return pack(3, 1, [([1] * 11, edges + [(4 + i, 10, float(speeds[i] * scales[i])) for i in range(3)])])


@pytest.fixture(scope="module")
def calmed(gains) -> np.ndarray:
    """Return the states `[1000, 6]` that such a controller goes through by the Lagrangian, in plain Python."""
    state, before, states = np.array([0, 0, 0.07, 0, 0, 0.0]), np.zeros(3), []
    for _ in range(1000):
        seen = state[::2]
        state = step_by_lagrangian(state, -gains[::2] @ seen - gains[1::2] / 0.02 @ (seen - before))
        before = seen
        states.append(state)
    assert np.abs(np.array(states)[:, [2, 4]]).max() < math.radians(36)
    return np.array(states)


@pytest.mark.parametrize(
    ("engine", "steps"), [("compiled", 99), ("compiled", 100), ("compiled", 160), ("compiled", 1000), ("torch", 120)]
)
def test_a_controller_that_balances_is_rewarded_for_calm(gains, calmed, engine, steps):
    """Both engines, in float32, against the published formula of states by hand; calm counts from 100 steps on."""
    problem = DoublePoleHiddenVelocities(steps=steps)
    score = float(problem.evaluate(differencing(gains).on(Execution(engine)), RNG).scores)
    assert score == pytest.approx(published(calmed[:steps]), rel=1e-4)
    assert (score > 1.5 * 0.0001 * steps) == (steps >= 100)


def test_calm_is_worth_more_than_swinging(gains):
    """With velocities shown to it, the damped problem would reward the controller that holds the poles still."""
    start = tuple(DoublePoleHiddenVelocities().start(1, RNG)[0].tolist())
    fitness = []
    for wobble in (0.0, 0.02):
        state, total = start, 0.0
        for step in range(1000):
            action = -gains @ np.array(state[:6]) + wobble * (-1) ** (step // 25)
            state, reward, done = DoublePoleHiddenVelocities.advance(state, (action,))
            total += reward
            assert not done
        fitness.append(total)
    assert fitness[0] > 2 * fitness[1] > 0.2


# Generalization


def test_the_grid_is_the_published_one():
    starts = DoublePole().generalization_test().start(625, RNG)
    assert len(np.unique(starts, axis=0)) == 625
    np.testing.assert_allclose(starts.max(0), 0.9 * np.array([2.16, 1.35, 0.0628318, 0.1500983, 0, 0]), rtol=1e-5)
    np.testing.assert_allclose(starts.min(0), -starts.max(0), atol=1e-15)
    assert len(np.unique(starts[:, 0].round(12))) == 5
    fewer = replace(DoublePole(), generalization=True).start(20, RNG)
    assert len(np.unique(fewer, axis=0)) == 20


@pytest.mark.parametrize("made", [DoublePole, DoublePoleHiddenVelocities, DoublePoleHiddenVelocitiesUndamped])
def test_the_generalization_test_counts_starts_balanced(made, gains):
    test = made(shared_weights=(1.0,)).generalization_test()
    assert (test.steps, test.episodes, test.generalization) == (1000, 625, True)
    assert test.inputs == made().inputs
    short = replace(test, steps=60, shared_weights=())
    weights = np.array([-gains, gains]) * ([1] * 6 if made is DoublePole else [1, 0] * 3)
    networks = controllers(weights) if made is DoublePole else pack(3, 1, [([1] * 5, [(2, 4, -1.0)])])
    outcomes = short.evaluate(networks.on(Execution("torch")), RNG)
    counts = (outcomes.trials["reward"][:, 0] == 60).sum(1)
    assert short.balanced(outcomes).tolist() == counts.tolist()
    if made is DoublePole:
        assert 400 < counts[0] < 625
        assert counts[1] == 1  # at rest in the middle, even the reverse of a good controller leaves all as it is


def test_damped_rewards_count_no_steps():
    problem = DoublePoleHiddenVelocities(steps=5)
    with pytest.raises(TypeError, match="generalization_test"):
        problem.balanced(problem.evaluate(recurrent(1).on(Execution("torch")), RNG))


def test_the_scene_moves_as_newton_says():
    """The masses that are drawn gather momentum from force and friction, so both poles lean the right way."""
    for state in np.random.default_rng(5).uniform(-1, 1, (20, 6)) * [2, 1, 0.6, 2, 0.6, 2]:
        slope = np.array(double_pole.slopes(tuple(state), 4.0))

        def centres(time, state=state, slope=slope):
            moved = state.copy()
            moved[::2] += time * slope[::2] + time**2 / 2 * slope[1::2]
            _, box, long, short = DoublePole.scene(tuple(moved))
            return np.array([box[1], (long[1] + long[3]) / 2, (short[1] + short[3]) / 2])

        h = 1e-3
        second = (centres(h) - 2 * centres(0) + centres(-h)) / h**2
        assert second @ [1, 0.1, 0.01] == pytest.approx(4.0 - 0.0005 * np.sign(state[1]), rel=1e-4)


def test_they_are_made_by_name_and_draw_nothing():
    assert problems.make("double-pole-v1") == DoublePole()
    assert problems.make("double-pole-hidden-velocities-v1", steps=5) == DoublePoleHiddenVelocities(steps=5)
    undamped = problems.make("double-pole-hidden-velocities-undamped-v1")
    assert undamped == DoublePoleHiddenVelocitiesUndamped()
    assert not undamped.stochastic
    assert undamped.start(2, RNG).tolist() == [[0, 0, 0.07, 0, 0, 0]] * 2
