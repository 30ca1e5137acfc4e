"""Keep two poles of different length up on one cart: `double-pole-v1`, and without seeing velocities, in two forms.

Inputs: cart position / 4.8 m, cart velocity / (2 m/s), and for the long and the short pole the angle from upright
/ 0.52 rad and the angular velocity / (2 rad/s), as in the released code of Stanley & Miikkulainen; about -1 to 1, the
velocities beyond it where the poles are past saving. With hidden velocities: position and the two angles only.
Output: force, -1 to 1 (clipped), times 10 N. Published networks had a sigmoid that stood for -10 to 10 N: use tanh.
Start: the long pole at 0.07 rad (4 degrees), all else 0; so nothing is drawn, and one episode says everything.
End: the cart leaves the track (2.4 m from its middle), a pole leans more than 36 degrees, or after `steps` of 0.02 s.
Reward of `double-pole-v1` and `double-pole-hidden-velocities-undamped-v1`: 1 for every step after which both poles are
up. Published as solved: 100,000 steps (half an hour); with hidden velocities, also 200 starts of the generalization.
Reward of `double-pole-hidden-velocities-v1`, in which swinging the poles to and fro does not pay: 0.1 t / 1000, and
from t = 100 on plus 0.9 * 0.75 / (the sum of |position| + |velocity| + |long angle| + |long angular velocity| over the
last 100 steps), t being the steps balanced, 1,000 at most. A step's reward is what it adds to that. Of the last 100
steps, sums of twenty are kept but no single step: where t is no multiple of twenty, the oldest twenty count with the
share of them that is still inside. At multiples, t = 1000 above all, it is exactly the published fitness.
Generalization (`generalization_test`): how many of 625 starts are balanced for 1,000 steps, rewarded with 1 per step.
Version: 1. The released code has no friction between cart and track, the published equations have.

Source: Wieland 1991 (Evolving neural network controllers for unstable systems), equations; Gruau, Whitley & Pyeatt 1996
(A comparison between cellular encoding and direct encoding for genetic neural networks), damping and generalization;
Stanley & Miikkulainen 2002 (Evolving neural networks through augmenting topologies), section 5, with all constants.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
import torch

from evo.control import ControlProblem, State
from evo.lanes import INFINITY, PI, Lanes, absolute, clip, cos, sin, where
from evo.outcome import Outcomes

GRAVITY = -9.8
"""m/s^2"""
CART_MASS = 1.0
LONG_MASS = 0.1
SHORT_MASS = 0.01
"""kg"""
LONG_HALF = 0.5
SHORT_HALF = 0.05
"""m, from the pivot to the middle of the pole"""
TRACK_FRICTION = 0.0005
"""N, between cart and track"""
PIVOT_FRICTION = 0.000002
"""N m s, between each pole and the cart"""
FORCE = 10.0
"""N, at an action of 1"""
STEP = 0.01
"""s, of integration; the network acts in every other"""
TRACK = 2.4
"""m, from the middle to either end"""
LEAN = 36.0 * PI / 180.0
"""rad, the largest angle"""
START_ANGLE = 0.07
"""rad, of the long pole"""
POSITION_SCALE = 4.8
ANGLE_SCALE = 0.52
VELOCITY_SCALE = 2.0
"""What inputs are divided by."""

GRID_RANGES = (2.16, 1.35, 3.6 * np.pi / 180, 8.6 * np.pi / 180)
"""m, m/s, rad, rad/s: position, velocity, long angle and its velocity lie within these, to either side of 0."""
GRID_SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)
"""Where between the ends of each range the starts of the generalization test lie."""
GRID_STEPS = 1000
GRID_STARTS = len(GRID_SHARES) ** len(GRID_RANGES)

PHYSICS = ("position", "velocity", "long angle", "long angular velocity", "short angle", "short angular velocity")
SEEN = ("position", "long angle", "short angle")
"""Inputs with hidden velocities."""
WINDOW = ("balanced steps", "new steps", "new sum", "sum 1", "sum 2", "sum 3", "sum 4", "sum 5")
"""What is remembered of the last 100 steps: five sums of 20 steps each, and that of the new ones."""


@dataclass(frozen=True)
class DoublePoles(ControlProblem):
    """The shared part: all but what the network sees, and rewards of 1 per step.

    Attributes:
        generalization: start from the grid of the generalization test, spread over it where `episodes` are fewer.
    """

    episodes: int = 1
    steps: int = 100_000
    generalization: bool = False
    states: ClassVar[tuple[str, ...]] = PHYSICS

    @property
    def stochastic(self) -> bool:
        """False: starts are always the same."""
        return False

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the network does."""
        return ("force",)

    def start(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        """Return states `[episodes, states]`: the long pole leans a little; or those of the generalization test."""
        starts = np.zeros((episodes, len(self.states)))
        if self.generalization:
            starts[:, :4] = grid()[np.linspace(0, GRID_STARTS - 1, episodes).round().astype(int)]
        else:
            starts[:, 2] = START_ANGLE
        return starts

    def generalization_test(self) -> DoublePoles:
        """Return the published test of a solution: 1,000 steps from each of 625 starts, rewarded with 1 per step."""
        return replace(self, generalization=True, episodes=GRID_STARTS, steps=GRID_STEPS)

    def balanced(self, outcomes: Outcomes) -> torch.Tensor:
        """Return from how many starts each network balanced for all steps `[n]`, with the shared weight that suits it.

        Args:
            outcomes: of this problem, where a reward is 1 per step.
        """
        return (outcomes.trials["reward"] >= self.steps).sum(2).amax(1)

    @staticmethod
    def advance(state: State, action: tuple[Lanes, ...]) -> tuple[State, Lanes, Lanes]:
        """Move one step of 0.02 s; the reward is 1 unless the episode ends with it."""
        moved = balance(state, action[0])
        down = fallen(moved)
        return moved, where(down, 0.0, 1.0), down

    @staticmethod
    def scene(state: State) -> tuple[Any, ...]:
        """Return the track, the cart, the long and the short pole, which lean to the right at positive angles."""
        position, long_angle, short_angle = state[0], state[2], state[4]
        long_tip = position + 2.0 * LONG_HALF * sin(long_angle)
        short_tip = position + 2.0 * SHORT_HALF * sin(short_angle)
        return (
            ("line", -TRACK, -0.05, TRACK, -0.05),
            ("box", position, -0.025, 0.4, 0.05),
            ("line", position, 0.0, long_tip, 2.0 * LONG_HALF * cos(long_angle)),
            ("line", position, 0.0, short_tip, 2.0 * SHORT_HALF * cos(short_angle)),
        )


@dataclass(frozen=True)
class DoublePole(DoublePoles):
    """Keep two poles up on one cart, seeing velocities (Wieland 1991)."""

    name: ClassVar[str] = "double-pole-v1"

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the network sees."""
        return PHYSICS

    @staticmethod
    def observe(state: State) -> tuple[Lanes, ...]:
        """Return positions, angles and velocities, scaled."""
        return (
            state[0] / POSITION_SCALE,
            state[1] / VELOCITY_SCALE,
            state[2] / ANGLE_SCALE,
            state[3] / VELOCITY_SCALE,
            state[4] / ANGLE_SCALE,
            state[5] / VELOCITY_SCALE,
        )


@dataclass(frozen=True)
class DoublePoleHiddenVelocitiesUndamped(DoublePoles):
    """Keep two poles up on one cart without seeing velocities, rewarded with 1 per step."""

    name: ClassVar[str] = "double-pole-hidden-velocities-undamped-v1"

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the network sees."""
        return SEEN

    @staticmethod
    def observe(state: State) -> tuple[Lanes, ...]:
        """Return position and angles, scaled."""
        return positions(state)


@dataclass(frozen=True)
class DoublePoleHiddenVelocities(DoublePoles):
    """Keep two poles up on one cart, and calm, without seeing velocities (Gruau, Whitley & Pyeatt 1996)."""

    steps: int = 1000
    name: ClassVar[str] = "double-pole-hidden-velocities-v1"
    states: ClassVar[tuple[str, ...]] = PHYSICS + WINDOW

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the network sees."""
        return SEEN

    def generalization_test(self) -> DoublePoles:
        """Return the published test of a solution: 1,000 steps from each of 625 starts, rewarded with 1 per step."""
        return DoublePoleHiddenVelocitiesUndamped(self.shared_weights).generalization_test()

    def balanced(self, outcomes: Outcomes) -> torch.Tensor:
        """Raise TypeError: these rewards do not say how long the poles were up."""
        raise TypeError(
            f"outcomes: {self.name} rewards calm, not steps; score the networks on its generalization_test(), or on "
            f"{DoublePoleHiddenVelocitiesUndamped.name}, and ask that problem"
        )

    @staticmethod
    def observe(state: State) -> tuple[Lanes, ...]:
        """Return position and angles, scaled."""
        return positions(state)

    @staticmethod
    def advance(state: State, action: tuple[Lanes, ...]) -> tuple[State, Lanes, Lanes]:
        """Move one step of 0.02 s; the reward is what the step adds to the fitness, 0 if the episode ends with it."""
        moved = balance(state, action[0])
        down = fallen(moved)
        slid = slide(state, moved)
        return slid, where(down, 0.0, fitness(slid) - fitness(state)), down


def positions(state: State) -> tuple[Lanes, ...]:
    """Return position, long and short angle, scaled as inputs."""
    return state[0] / POSITION_SCALE, state[2] / ANGLE_SCALE, state[4] / ANGLE_SCALE


def grid() -> np.ndarray:
    """Return the starts `[625, 4]` of the generalization test: position, velocity, long angle and its velocity."""
    axes = [[end * (2 * share - 1) for share in GRID_SHARES] for end in GRID_RANGES]
    return np.array(list(itertools.product(*axes)))


def balance(state: State, action: Lanes) -> State:
    """Return the six numbers of the physics 0.02 s on: two steps of fourth-order Runge-Kutta with the same force."""
    force = FORCE * clip(action, -1.0, 1.0)
    return runge_kutta(runge_kutta(state, force), force)


def runge_kutta(state: State, force: Lanes) -> State:
    """Return the six numbers of the physics one step of 0.01 s on."""
    first = slopes(state, force)
    second = slopes(along(state, first, 0.5 * STEP), force)
    third = slopes(along(state, second, 0.5 * STEP), force)
    fourth = slopes(along(state, third, STEP), force)
    mean = (
        (first[0] + 2.0 * (second[0] + third[0]) + fourth[0]) / 6.0,
        (first[1] + 2.0 * (second[1] + third[1]) + fourth[1]) / 6.0,
        (first[2] + 2.0 * (second[2] + third[2]) + fourth[2]) / 6.0,
        (first[3] + 2.0 * (second[3] + third[3]) + fourth[3]) / 6.0,
        (first[4] + 2.0 * (second[4] + third[4]) + fourth[4]) / 6.0,
        (first[5] + 2.0 * (second[5] + third[5]) + fourth[5]) / 6.0,
    )
    return along(state, mean, STEP)


def along(state: State, slope: State, time: float) -> State:
    """Return the six numbers of the physics, moved on along a slope for some time."""
    return (
        state[0] + time * slope[0],
        state[1] + time * slope[1],
        state[2] + time * slope[2],
        state[3] + time * slope[3],
        state[4] + time * slope[4],
        state[5] + time * slope[5],
    )


def slopes(state: State, force: Lanes) -> State:
    """Return how fast the six numbers of the physics change (the equations of Wieland 1991)."""
    velocity, long_spin, short_spin = state[1], state[3], state[5]
    long_sine, long_cosine, short_sine, short_cosine = sin(state[2]), cos(state[2]), sin(state[4]), cos(state[4])
    long_pull = PIVOT_FRICTION / (LONG_MASS * LONG_HALF) * long_spin + GRAVITY * long_sine
    short_pull = PIVOT_FRICTION / (SHORT_MASS * SHORT_HALF) * short_spin + GRAVITY * short_sine
    friction = TRACK_FRICTION * clip(1e9 * velocity, -1.0, 1.0)  # mu_c sgn(velocity)
    long_force = LONG_MASS * (LONG_HALF * long_spin * long_spin * long_sine + 0.75 * long_cosine * long_pull)
    short_force = SHORT_MASS * (SHORT_HALF * short_spin * short_spin * short_sine + 0.75 * short_cosine * short_pull)
    long_mass = LONG_MASS * (1.0 - 0.75 * long_cosine * long_cosine)
    short_mass = SHORT_MASS * (1.0 - 0.75 * short_cosine * short_cosine)
    acceleration = (force - friction + long_force + short_force) / (CART_MASS + long_mass + short_mass)
    long_up = -0.75 / LONG_HALF * (acceleration * long_cosine + long_pull)
    short_up = -0.75 / SHORT_HALF * (acceleration * short_cosine + short_pull)
    return velocity, acceleration, long_spin, long_up, short_spin, short_up


def fallen(state: State) -> Lanes:
    """Return whether the cart has left the track, or a pole leans too much."""
    return (absolute(state[0]) > TRACK) | (absolute(state[2]) > LEAN) | (absolute(state[4]) > LEAN)


def slide(state: State, moved: State) -> State:
    """Return the whole state, with the physics as `moved`, and the window over the last 100 steps slid on by one."""
    steps = state[7] + 1.0
    total = state[8] + absolute(moved[0]) + absolute(moved[1]) + absolute(moved[2]) + absolute(moved[3])
    full = where(steps > 19.5, 1.0, 0.0)
    rest = 1.0 - full
    return (
        moved[0],
        moved[1],
        moved[2],
        moved[3],
        moved[4],
        moved[5],
        state[6] + 1.0,
        rest * steps,
        rest * total,
        full * total + rest * state[9],
        full * state[9] + rest * state[10],
        full * state[10] + rest * state[11],
        full * state[11] + rest * state[12],
        full * state[12] + rest * state[13],
    )


def fitness(state: State) -> Lanes:
    """Return the fitness of Gruau, Whitley & Pyeatt 1996 after the steps so far, as the data sheet says."""
    oldest = state[13] * (1.0 - state[7] / 20.0)
    swing = state[8] + state[9] + state[10] + state[11] + state[12] + oldest
    calm = 0.75 / where(state[6] < 99.5, INFINITY, swing)  # f2; none before there are 100 steps
    return 0.1 * (state[6] / 1000.0) + 0.9 * calm  # f1 = t / 1000
