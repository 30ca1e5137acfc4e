"""A whole trial of a recurrent policy on table problems as compiled code: lanes are tasks.

Written for numba; `evo.evaluation.compiled_trials` makes it into machine code. Every lane is computed alike, whatever
the others are, so a policy's bits depend on neither neighbours nor chunks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from evo.activations import hyperbolic_tangent, sigmoid
from evo.evaluation.network_kernel import weighted_sum
from evo.evaluation.wide_vectors import wide_vectors

LANES = 32
"""Tasks in a block, a constant of each compiled kernel."""


def trials(
    parameters: Any,
    sources: Any,
    sizes: Any,
    rewards: Any,
    cumulative: Any,
    horizon: int,
    binary: bool,
    policy_noise: Any,
    reward_noise: Any,
    state_noise: Any,
    expected: bool,
    earned: Any,
) -> None:
    """Live through trials with every policy, and write what each step earned.

    Args:
        parameters: `[policies, P]`, as `evo.policies` orders them.
        sources: `[P]` the row of `values` that each parameter weighs.
        sizes: inputs, hidden units, actions, states.
        rewards: `[blocks, states * actions, LANES]` mean rewards, or chances to win.
        cumulative: `[blocks, states * actions, states, LANES]` chances that the next state is this or an earlier one.
        horizon: steps of an episode.
        binary: whether rewards are 1 or 0.
        policy_noise: `[blocks, steps, actions, LANES]`.
        reward_noise, state_noise: `[blocks, steps, LANES]`.
        expected: whether mean rewards are written, in place of those drawn, which policies see in any case.
        earned: `[policies, blocks, steps, LANES]`, written.
    """
    wide_vectors()
    inputs, hidden, actions, states = sizes[0], sizes[1], sizes[2], sizes[3]
    memory = 1 + inputs  # the first row of `values` that holds memory
    both, seen, known = 1 + inputs + hidden, 1 + inputs, 1 + hidden
    values = np.zeros((1 + inputs + hidden, LANES), np.float32)
    fresh = np.empty((hidden, LANES), np.float32)
    reset, update = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    observed, remembered = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    logit, best = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    action, state = np.empty(LANES, np.int64), np.empty(LANES, np.int64)
    action_row = 1 if states == 1 else 1 + states
    reward_row = action_row + actions
    for policy in range(len(parameters)):
        weights = parameters[policy]
        for block in range(len(rewards)):
            values[:] = np.float32(0.0)
            values[0] = np.float32(1.0)
            state[:] = 0
            if states > 1:  # a trial begins as an episode does after the last one's end
                values[1] = np.float32(1.0)
                values[reward_row + 1] = np.float32(1.0)
            for step in range(policy_noise.shape[1]):
                for unit in range(hidden):
                    first = unit * both
                    weighted_sum(values, sources, weights, first, first + both, reset)
                    first += hidden * both
                    weighted_sum(values, sources, weights, first, first + both, update)
                    first = 2 * hidden * both + unit * seen
                    weighted_sum(values, sources, weights, first, first + seen, observed)
                    first = 2 * hidden * both + hidden * seen + unit * known
                    weighted_sum(values, sources, weights, first, first + known, remembered)
                    mine, after = values[memory + unit], fresh[unit]
                    for lane in range(len(after)):
                        gate = sigmoid(update[lane])
                        candidate = hyperbolic_tangent(observed[lane] + sigmoid(reset[lane]) * remembered[lane])
                        after[lane] = candidate + gate * (mine[lane] - candidate)
                values[memory:] = fresh
                start = 2 * hidden * both + hidden * (seen + known)
                best[:] = np.float32(-np.inf)
                action[:] = 0
                for number in range(actions):
                    first = start + number * known
                    weighted_sum(values, sources, weights, first, first + known, logit)
                    for lane in range(len(best)):
                        value = logit[lane] + policy_noise[block, step, number, lane]
                        if value > best[lane]:
                            best[lane] = value
                            action[lane] = number
                values[1:memory] = np.float32(0.0)
                ended = (step + 1) % horizon == 0
                for lane in range(len(best)):
                    place = state[lane] * actions + action[lane]
                    mean, noise = rewards[block, place, lane], reward_noise[block, step, lane]
                    won = np.float32(1.0) if noise < mean else np.float32(0.0)
                    reward = won if binary else mean + noise
                    earned[policy, block, step, lane] = mean if expected else reward
                    values[action_row + action[lane], lane] = np.float32(1.0)
                    values[reward_row, lane] = reward
                    if states > 1:
                        following = 0
                        if not ended:
                            for other in range(states - 1):
                                if state_noise[block, step, lane] >= cumulative[block, place, other, lane]:
                                    following += 1
                        state[lane] = following
                        values[1 + following, lane] = np.float32(1.0)
                        values[reward_row + 1, lane] = np.float32(1.0) if ended else np.float32(0.0)
