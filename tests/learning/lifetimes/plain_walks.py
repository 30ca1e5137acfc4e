"""Walks in a plane step by step, in numpy and float64: what batched ones must equal."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from evo.points import PointTasks

Plain = Callable[[np.ndarray], np.ndarray]
"""From what one walker sees `[6]` to its answer `[2]`; it may keep a state."""

NEAR = PointTasks(
    torch.tensor([[0.3, -0.2], [0.05, 0.4], [0.1, 0.0]]), nearness=0.03, horizon=7, episodes=3
)  # the last is reached at once by who walks there
CORNERS = PointTasks(
    torch.tensor([[2.0, -2.0], [-2.0, -2.0], [0.2, 0.1]]),
    size=2.0,
    speed=0.4,
    sight=2.0,
    bound=1.5,
    horizon=9,
    episodes=2,
)


def plain_returns(make: Callable[[int, int], Plain], count: int, tasks: PointTasks) -> np.ndarray:
    """Return `[count, tasks, episodes]`, with a walker made anew for each individual and task."""
    returns = np.zeros((count, len(tasks), tasks.episodes))
    for number in range(count):
        for task, goal in enumerate(tasks.goals.double().numpy()):
            answer, move, reward = make(number, task), np.zeros(2), 0.0
            for episode in range(tasks.episodes):
                place = np.zeros(2)
                for step in range(tasks.horizon):
                    seen = [*(place / tasks.size), *move, reward / tasks.size / tasks.size, 1.0 if step == 0 else 0.0]
                    move = np.minimum(1.0, np.maximum(-1.0, answer(np.array(seen))))
                    place = np.minimum(tasks.bound, np.maximum(-tasks.bound, place + tasks.speed * move))
                    distance = np.hypot(*(place - goal))
                    reward = -(min(distance, tasks.sight) ** 2)
                    returns[number, task, episode] += reward
                    if distance < tasks.nearness:
                        break
    return returns


def plain_layers(layers: Sequence[tuple[np.ndarray, np.ndarray]], values: np.ndarray) -> np.ndarray:
    """Return the answer of a tanh network with linear outputs, of weights `[units, inputs]` and biases `[units]`."""
    for number, (weights, biases) in enumerate(layers):
        values = weights @ values + biases
        values = values if number == len(layers) - 1 else np.tanh(values)
    return values
