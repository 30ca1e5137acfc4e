"""Trials of recurrent policies, compiled: what `evo.learning.lifetimes.recurrent` runs on the CPU.

Measured on one thread of a busy machine, 64 policies of 16 units on 128 bandits of 5 arms: 9.8 million pulls a second,
2.9 million by batched products.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch

from evo import activations, lanes
from evo.evaluation import compiled_lanes, trial_kernel, wide_vectors
from evo.evaluation import weighted_sum as summing
from evo.evaluation.compiled import cached, fingerprint, single_precision
from evo.markov import Chance, MarkovTasks
from evo.policies import RecurrentPolicies, shapes

LANES = trial_kernel.LANES


def earned(policies: RecurrentPolicies, tasks: MarkovTasks, chance: Chance, expected: bool = False) -> torch.Tensor:
    """Return what each step of each trial earned, `[n, tasks, steps]` float32; its mean, where `expected`."""
    count, states = len(tasks), tasks.states
    rewards = _blocks(tasks.rewards.reshape(count, -1).T.numpy())
    cumulative = np.cumsum(tasks.transitions.double().numpy(), -1).reshape(count, -1).T.astype(np.float32)
    blocks = len(rewards)
    written = np.empty((len(policies), blocks, tasks.steps, LANES), np.float32)
    _kernel()(
        np.ascontiguousarray(policies.parameters.detach().numpy(), np.float32),
        _sources(policies.inputs, policies.hidden, policies.actions),
        np.array((policies.inputs, policies.hidden, policies.actions, states)),
        rewards,
        _blocks(cumulative).reshape(blocks, -1, states, LANES),
        tasks.horizon,
        tasks.binary,
        _blocks(chance.policy),
        _blocks(chance.reward),
        _blocks(chance.state),
        expected,
        written,
    )
    lived = torch.from_numpy(written).permute(0, 1, 3, 2).reshape(len(policies), blocks * LANES, tasks.steps)
    return lived[:, :count]


def _blocks(values: np.ndarray) -> np.ndarray:
    """Return values `[..., tasks]` as `[blocks, ..., LANES]`; the last block is filled with the last task."""
    count = values.shape[-1]
    blocks = -(-count // LANES)
    places = np.minimum(np.arange(blocks * LANES), count - 1)
    split = values[..., places].reshape(*values.shape[:-1], blocks, LANES)
    return np.ascontiguousarray(np.moveaxis(split, -2, 0), np.float32)


@functools.lru_cache(maxsize=16)
def _sources(inputs: int, hidden: int, actions: int) -> np.ndarray:
    """Return which row (1, what is observed, the memory) each parameter weighs."""
    both = [*range(1 + inputs + hidden)]
    seen, known = both[: 1 + inputs], [0, *both[1 + inputs :]]
    columns = (both, both, seen, known, known)
    units = [rows for rows, _ in shapes(inputs, hidden, actions)]
    return np.array([place for some, rows in zip(columns, units, strict=True) for place in some * rows])


@functools.cache
def _kernel() -> Any:
    mark = fingerprint(lanes, activations, compiled_lanes, trial_kernel, summing, wide_vectors, single_precision)
    functions = {
        function.__name__: single_precision(function)
        for function in (activations.hyperbolic_tangent, activations.sigmoid)
    }
    return cached(
        trial_kernel.trials, f"trials_{mark}", LANES=LANES, weighted_sum=summing.weighted_sum(LANES), **functions
    )
