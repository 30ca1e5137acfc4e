"""A whole episode as compiled code: network and physics fused, lanes = shared weights x episodes.

Written for numba; `evo.evaluation.compiled` puts a problem's own `observe` and `advance` in place of the names below.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evo.evaluation.network_kernel import propagate
from evo.evaluation.wide_vectors import wide_vectors

LANES = 16
STATES = 1
INPUTS = 1
OUTPUTS = 1
"""Constants of each compiled kernel: lanes, the problem's state variables, observations and actions."""


def observe(state: Any) -> Any:
    """Stand-in for a problem's `observe`."""
    return state


def read_state(states: Any, lane: int) -> Any:
    """Stand-in for a compiled reader of one lane's state, a tuple."""
    return tuple(states[:, lane])


def read_action(actions: Any, lane: int) -> Any:
    """Stand-in for a compiled reader of one lane's action, a tuple."""
    return tuple(actions[:, lane])


def advance(state: Any, action: Any) -> Any:
    """Stand-in for a problem's `advance`."""
    return state, action[0], False


def episodes(
    node_offsets: Any,
    activations: Any,
    edge_offsets: Any,
    edge_sources: Any,
    edge_weights: Any,
    scale: Any,
    start: Any,
    steps: int,
    first: int,
    last: int,
    values: Any,
    rewards: Any,
    lengths: Any,
) -> None:
    """Play episodes with networks `first` to `last - 1`; a lane's reward and length stop where its episode ends.

    Args:
        node_offsets, activations, edge_offsets, edge_sources, edge_weights: as in `evo.networks.Networks`.
        scale: `[LANES]` each lane's shared weight, or 1.
        start: `[STATES, LANES]` each lane's state at the start.
        steps: the longest an episode lasts.
        values: scratch `[largest network's nodes, LANES]`.
        rewards: `[networks, LANES]` total reward of each episode, written.
        lengths: `[networks, LANES]` steps that each episode lasted, written.
    """
    wide_vectors()
    states = np.empty((STATES, LANES), np.float32)
    alive = np.empty(LANES, np.float32)
    total = np.empty(LANES, np.float32)
    scratch = np.empty(LANES, np.float32)
    lasted = np.empty(LANES, np.float32)
    for network in range(first, last):
        begin, end = node_offsets[network], node_offsets[network + 1]
        computed = begin + 1 + INPUTS
        values[: end - begin] = np.float32(0.0)
        values[0] = np.float32(1.0)
        states[:] = start
        alive[:] = np.float32(1.0)
        total[:] = np.float32(0.0)
        lasted[:] = np.float32(0.0)
        for _ in range(steps):
            for lane in range(len(scale)):
                seen = observe(read_state(states, lane))
                for number in range(INPUTS):
                    values[1 + number, lane] = seen[number]
            propagate(
                begin, end, computed, activations, edge_offsets, edge_sources, edge_weights, scale, values, scratch
            )
            actions = values[end - begin - OUTPUTS : end - begin]
            living = np.float32(0.0)
            for lane in range(len(scale)):
                state, reward, done = advance(read_state(states, lane), read_action(actions, lane))
                for number in range(STATES):
                    states[number, lane] = state[number]
                total[lane] += reward if alive[lane] > 0 else np.float32(0.0)
                lasted[lane] += alive[lane]
                alive[lane] = np.float32(0.0) if done else alive[lane]
            for lane in range(len(scale)):
                living += alive[lane]
            if living == 0:
                break
        rewards[network] = total
        lengths[network] = lasted
