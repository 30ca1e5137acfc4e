"""Swing up a pole that hangs from a cart, and hold it up: `cartpole-swingup-v1`, or seeing no velocities.

Inputs: cart position (m), cart velocity (m/s), cosine and sine of the pole's angle, angular velocity (rad/s); of
`cartpole-swingup-hidden-velocities-v1`, the same without the two velocities, for networks with recurrent edges.
Output: force, -1 to 1 (clipped), times 10 N.
Reward: per step (cos(angle) + 1) / 2 * cos(position / 2.4 * pi / 2): 1 with the pole up in the middle; 0 to 1000.
Start: position, velocities 0 and angle pi (hanging), each plus normal noise with standard deviation 0.2.
End: the cart leaves the track (2.4 m from its middle), or 1,000 steps of 0.01 s.
Version: 1, as published with weight agnostic networks; the form with hidden velocities is this project's own.

Source: Gaier & Ha 2019 (arXiv:1906.04358), section 4; physics after Zuo (cartpole swing-up of Gal, McAllister and
Rasmussen 2016, section 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evo.control import ControlProblem, State
from evo.lanes import PI, Lanes, absolute, clip, cos, sin

GRAVITY = 9.82
"""m/s^2"""
CART_MASS = 0.5
POLE_MASS = 0.5
"""kg"""
POLE_LENGTH = 0.6
"""m"""
FRICTION = 0.1
"""N s/m, between cart and track"""
FORCE = 10.0
"""N, at an action of 1"""
STEP = 0.01
"""s"""
TRACK = 2.4
"""m, from the middle to either end"""
START_DEVIATION = 0.2

MASS = CART_MASS + POLE_MASS
POLE_MOMENT = POLE_MASS * POLE_LENGTH


@dataclass(frozen=True)
class SwingUp(ControlProblem):
    """The shared part: all but what the network sees."""

    states: ClassVar[tuple[str, ...]] = ("position", "velocity", "angle", "angular velocity")

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the network does."""
        return ("force",)

    def start(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        """Return states `[episodes, 4]` near the pole hanging still in the middle."""
        return np.array([0.0, 0.0, np.pi, 0.0]) + START_DEVIATION * rng.standard_normal((episodes, 4))

    @staticmethod
    def advance(state: State, action: tuple[Lanes, ...]) -> tuple[State, Lanes, Lanes]:
        """Move one step of 0.01 s by Euler's explicit method: positions move with the old velocities."""
        position, velocity, angle, spin = state
        force = FORCE * clip(action[0], -1.0, 1.0) - FRICTION * velocity
        s = sin(angle)
        c = cos(angle)
        pull = POLE_MOMENT * spin * spin * s
        acceleration = (-2.0 * pull + 3.0 * POLE_MASS * GRAVITY * s * c + 4.0 * force) / (
            4.0 * MASS - 3.0 * POLE_MASS * c * c
        )
        spin_up = (-3.0 * pull * c + 6.0 * MASS * GRAVITY * s + 6.0 * force * c) / (
            4.0 * POLE_LENGTH * MASS - 3.0 * POLE_MOMENT * c * c
        )
        position = position + STEP * velocity
        angle = angle + STEP * spin
        velocity = velocity + STEP * acceleration
        spin = spin + STEP * spin_up
        reward = 0.5 * (cos(angle) + 1.0) * cos(position * (PI / (2.0 * TRACK)))
        return (position, velocity, angle, spin), reward, absolute(position) > TRACK

    @staticmethod
    def scene(state: State) -> tuple[Any, ...]:
        """Return the track, the cart and the pole, which leans to the left at positive angles."""
        position, _, angle, _ = state
        return (
            ("line", -TRACK, -0.1, TRACK, -0.1),
            ("box", position, 0.0, 0.5, 0.2),
            ("line", position, 0.0, position - POLE_LENGTH * sin(angle), POLE_LENGTH * cos(angle)),
        )


@dataclass(frozen=True)
class CartPoleSwingUp(SwingUp):
    """Swing up a pole that hangs from a cart, and hold it up (Gaier & Ha 2019)."""

    name: ClassVar[str] = "cartpole-swingup-v1"

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the network sees."""
        return ("position", "velocity", "cos(angle)", "sin(angle)", "angular velocity")

    @staticmethod
    def observe(state: State) -> tuple[Lanes, ...]:
        """Return position, velocity, cosine and sine of the angle, angular velocity."""
        position, velocity, angle, spin = state
        return position, velocity, cos(angle), sin(angle), spin


@dataclass(frozen=True)
class CartPoleSwingUpHiddenVelocities(SwingUp):
    """Swing up a pole that hangs from a cart, and hold it up, without seeing velocities."""

    name: ClassVar[str] = "cartpole-swingup-hidden-velocities-v1"

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the network sees."""
        return ("position", "cos(angle)", "sin(angle)")

    @staticmethod
    def observe(state: State) -> tuple[Lanes, ...]:
        """Return position, cosine and sine of the angle."""
        position, _, angle, _ = state
        return position, cos(angle), sin(angle)
