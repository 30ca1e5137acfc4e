"""The compiled engine for learners that see one case at a time: dense layers, on the CPU, one learner after the other.

A learner is one unit of work for threads. Its bits depend on neither its neighbours nor threads.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from evo import lanes
from evo.evaluation import compiled, compiled_lanes
from evo.evaluation.threads import share
from evo.learners import NAMES, Learners
from evo.learning import (
    online_descent,
    online_draws,
    online_forward,
    online_kernel,
    online_packing,
    online_replacement,
    online_state,
    online_sums,
    simd,
)
from evo.learning.denormals import flushed
from evo.learning.plasticity.initial_weights import bounds
from evo.learning.training import Record
from evo.stream import Segment

BORROWED = {"_nrt": False}
"""Arrays stay the caller's: compiled code counts no references to them, at 20 times the rest of a small step."""


def learn_online(learners: Learners, segment: Segment, bins: int = 1) -> tuple[Learners, Record]:
    """Return the learners after the segment, and what was measured; see `evo.learning.training.learn`.

    Numbers too small for float32's full precision count as 0: dead units would otherwise slow all down.
    """
    after = _with_room(learners.clone())
    shape = online_state.shape_of(learners.architecture)
    flat, traits = _flat(after), _traits(learners, segment)
    record = _record(learners, bins)
    arguments = (flat, traits, _cases(segment), record, _manner(learners, segment, bins), shape)
    pulled = bool((learners.settings["initial_decay"] > 0).any())
    moments = sum(state.shape[1] > 0 for state in (after.first_moment, after.second_moment))

    def work(first: int, last: int) -> None:
        with flushed():
            kernel()(first, last, *arguments, online_state.scratch_for(shape, pulled, moments))

    share(work, len(learners), learners.execution.threads)
    after.due[:] = torch.from_numpy(flat.due)
    after = replace(after, segments=learners.segments + 1)
    return after, Record(*(torch.from_numpy(measured) for measured in record))


@functools.cache
def kernel() -> compiled.Kernel:
    """Return `online_kernel.learn_one_by_one` compiled."""
    parts = (
        simd,
        online_sums,
        online_draws,
        online_forward,
        online_descent,
        online_replacement,
        online_packing,
        online_state,
    )
    mark = compiled.fingerprint(lanes, compiled_lanes, *parts, online_kernel, repr(BORROWED))
    return compiled.cached(  # type: ignore[no-any-return]
        online_kernel.learn_one_by_one, f"learn_one_by_one_{mark}", options=BORROWED
    )


def _with_room(learners: Learners) -> Learners:
    """Return learners with all the state that their optimiser needs, zeros where they had none."""
    adam = learners.rules.optimizer == "adam"
    momentum = bool(learners.settings["momentum"].any())
    for name, needed in (("first_moment", adam or momentum), ("second_moment", adam), ("moment_steps", adam)):
        if needed and not getattr(learners, name).shape[1]:
            room: dict[str, Any] = {name: torch.zeros_like(learners.weights)}
            learners = replace(learners, **room)
    return learners


def _flat(learners: Learners) -> online_state.Flat:
    """Return the learners' own numbers as arrays: views, but for what is due."""
    names = online_state.Flat._fields
    arrays = {name: getattr(learners, name).numpy() for name in names}
    return online_state.Flat(**{**arrays, "due": arrays["due"].astype(np.float64)})


def _traits(learners: Learners, segment: Segment) -> online_state.Traits:
    return online_state.Traits(
        torch.stack([learners.settings[name] for name in NAMES], 1).numpy(),
        learners.activation.numpy(),
        learners.utility.numpy(),
        learners.key.numpy(),
        learners.segments.numpy(),
        segment.lived(learners.segments).numpy(),
        segment.places(learners.stream).cpu().numpy(),
        _bounds(learners),
    )


def _bounds(learners: Learners) -> np.ndarray:
    """Return the bounds of new incoming weights, `[n, layers]` float32."""
    layers = learners.architecture.layers
    return torch.stack([bounds(learners.rules.initial, layer, learners.activation) for layer in layers], 1).numpy()


def _cases(segment: Segment) -> online_state.Cases:
    squared = segment.loss == "squared"
    targets = segment.targets.cpu().numpy()
    return online_state.Cases(
        segment.inputs.cpu().flatten(2).contiguous().numpy(),
        np.ascontiguousarray(targets) if squared else np.zeros((0, 0, 0), np.float32),
        np.zeros((0, 0), np.int64) if squared else np.ascontiguousarray(targets),
        segment.table.cpu().numpy(),
        np.ascontiguousarray(segment.order[:, :, 0].cpu().numpy()),
        np.zeros((0, 0), np.int64) if segment.columns is None else segment.columns.cpu().contiguous().numpy(),
    )


def _manner(learners: Learners, segment: Segment, bins: int) -> online_state.Manner:
    rules = learners.rules
    return online_state.Manner(
        adam=rules.optimizer == "adam",
        released=rules.released_adam,
        accumulate=rules.accumulate,
        count_all=rules.count_all,
        bias_transfer=rules.bias_transfer,
        corrected=rules.corrected,
        reset_optimizer=rules.reset_optimizer,
        reset_head=segment.reset_head,
        squared=segment.loss == "squared",
        classes=segment.classes or learners.architecture.outputs,
        bins=bins,
    )


def _record(learners: Learners, bins: int) -> online_state.Measured:
    count, depth = len(learners), len(learners.architecture.layers) - 1
    return online_state.Measured(
        np.zeros((count, bins)), np.zeros((count, bins)), np.zeros((count, depth), np.int64), np.zeros(count)
    )
