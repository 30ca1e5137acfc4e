"""Keep a pole up on a cart that is pushed left or right: `cartpole-v1`, the same as gymnasium's CartPole-v1.

Inputs: cart position (m), cart velocity (m/s), the pole's angle from upright (rad), its angular velocity (rad/s).
Output: "push right": above 0 pushes with 10 N to the right, else with 10 N to the left.
Reward: 1 per step, that with which the episode ends included; 500 at most.
Start: all four numbers uniform between -0.05 and 0.05.
End: the cart leaves the track (2.4 m from its middle), the pole leans more than 12 degrees, or 500 steps of 0.02 s.
Version: 1, with gymnasium's physics in its order of computation.

Source: Barto, Sutton & Anderson 1983 (Neuronlike adaptive elements that can solve difficult learning control
problems); gymnasium 1.0, environment CartPole-v1 (constants, start, end).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from evo.control import ControlProblem, State
from evo.lanes import PI, Lanes, absolute, cos, sin, where

GRAVITY = 9.8
"""m/s^2"""
CART_MASS = 1.0
POLE_MASS = 0.1
"""kg"""
HALF_LENGTH = 0.5
"""m, from the pivot to the middle of the pole"""
FORCE = 10.0
"""N"""
STEP = 0.02
"""s"""
TRACK = 2.4
"""m, from the middle to either end"""
LEAN = 12.0 * PI / 180.0
"""rad, the largest angle"""
START_RANGE = 0.05

MASS = CART_MASS + POLE_MASS
POLE_MOMENT = POLE_MASS * HALF_LENGTH


@dataclass(frozen=True)
class CartPole(ControlProblem):
    """Keep a pole up on a cart that is pushed left or right, as gymnasium's CartPole-v1."""

    steps: int = 500
    name: ClassVar[str] = "cartpole-v1"
    states: ClassVar[tuple[str, ...]] = ("position", "velocity", "angle", "angular velocity")

    @property
    def inputs(self) -> tuple[str, ...]:
        """What the network sees."""
        return self.states

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the network does."""
        return ("push right",)

    def start(self, episodes: int, rng: np.random.Generator) -> np.ndarray:
        """Return states `[episodes, 4]` near the pole standing still in the middle."""
        return rng.uniform(-START_RANGE, START_RANGE, (episodes, 4))

    @staticmethod
    def observe(state: State) -> tuple[Lanes, ...]:
        """Return the state."""
        return state

    @staticmethod
    def advance(state: State, action: tuple[Lanes, ...]) -> tuple[State, Lanes, Lanes]:
        """Move one step of 0.02 s by Euler's explicit method: positions move with the old velocities."""
        position, velocity, angle, spin = state
        force = where(action[0] > 0.0, FORCE, -FORCE)
        s = sin(angle)
        c = cos(angle)
        push = (force + POLE_MOMENT * spin * spin * s) / MASS
        spin_up = (GRAVITY * s - c * push) / (HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * c * c / MASS))
        acceleration = push - POLE_MOMENT * spin_up * c / MASS
        position = position + STEP * velocity
        velocity = velocity + STEP * acceleration
        angle = angle + STEP * spin
        spin = spin + STEP * spin_up
        fallen = (absolute(position) > TRACK) | (absolute(angle) > LEAN)
        return (position, velocity, angle, spin), 1.0, fallen

    @staticmethod
    def scene(state: State) -> tuple[Any, ...]:
        """Return the track, the cart and the pole, which leans to the right at positive angles."""
        position, _, angle, _ = state
        tip = position + 2.0 * HALF_LENGTH * sin(angle)
        height = 2.0 * HALF_LENGTH * cos(angle)
        return (
            ("line", -TRACK, -0.1, TRACK, -0.1),
            ("box", position, 0.0, 0.5, 0.2),
            ("line", position, 0.0, tip, height),
        )
