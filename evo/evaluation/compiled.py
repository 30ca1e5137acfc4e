"""Machine code for kernels: compiled by numba once per problem and machine, then loaded from disk.

numba's own cache knows a kernel by its file and line, not by what the kernel calls. Here a kernel's name holds
a hash of every source it is made from, so changed physics is a new kernel and never an old one's code.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import types
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit

from evo import activations, lanes
from evo.evaluation import classification_kernel as classification
from evo.evaluation import compiled_lanes, episode_kernel, network_kernel, wide_vectors
from evo.evaluation.lane_reader import lane_reader
from evo.evaluation.weighted_sum import weighted_sum
from evo.networks import Networks

Kernel = Callable[..., None]


def arrays(networks: Networks) -> tuple[np.ndarray, ...]:
    """Return the arrays of a population on the CPU, in the order that kernels take them."""
    return (
        networks.node_offsets.numpy(),
        networks.activations.numpy(),
        networks.edge_offsets.numpy(),
        networks.edge_sources.numpy(),
        networks.edge_weights.numpy(),
    )


def fingerprint(*sources: Any) -> str:
    """Return a short hash of sources: texts, or modules, functions and classes with a file."""
    text = "\n".join(source if isinstance(source, str) else inspect.getsource(source) for source in sources)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _substance(function: Callable[..., Any]) -> str:
    """Return all that decides what a function computes: its code, constants, numbers it names, functions it calls.

    Not its source, which a function from a notebook or another process need not have.
    """
    code = function.__code__
    parts = [code.co_code.hex(), repr([value for value in code.co_consts if not isinstance(value, types.CodeType)])]
    parts += [repr(cell.cell_contents) for cell in function.__closure__ or () if isinstance(cell.cell_contents, float)]
    for name in code.co_names:
        value = function.__globals__.get(name)
        if inspect.isfunction(value) and value.__module__ != lanes.__name__:
            parts.append(f"{name}: {_substance(value)}")
        elif isinstance(value, (int, float, tuple, str)) or value is None or inspect.isfunction(value):
            parts.append(f"{name}: {value.__name__ if inspect.isfunction(value) else value!r}")
    return "\n".join(parts)


def _copy(function: Callable[..., Any], name: str, **names: Any) -> Any:
    """Return a copy of `function` that finds `names` in place of its module's globals."""
    scope = {**function.__globals__, **names}
    copy = types.FunctionType(function.__code__, scope, name, function.__defaults__, function.__closure__)
    copy.__qualname__ = name
    copy.__module__ = function.__module__
    return copy


def single_precision(function: Callable[..., Any]) -> Any:
    """Return elementwise code compiled for float32, with its constants, and the functions it calls, in float32 too.

    Python's own constants are doubles; left as they are, one of them turns a whole expression into float64, and lanes
    into library calls (measured on a layer of sines: 6 times slower). Whole numbers are left alone (they may be
    indices): write 2.0, not 2.
    """
    names: dict[str, Any] = {}
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, float):
            names[name] = np.float32(value)
        elif inspect.isfunction(value) and value.__module__ != lanes.__name__:
            names[name] = single_precision(value)
    copy = _copy(function, function.__name__, **names)
    copy.__module__ = __name__  # a cached kernel imports the modules of its parts, and a user's may not be importable
    constants = tuple(np.float32(value) if isinstance(value, float) else value for value in function.__code__.co_consts)
    copy.__code__ = function.__code__.replace(co_consts=constants)
    return njit(forceinline=True, **compiled_lanes.OPTIONS)(copy)


def _propagate(lane_count: int) -> Any:
    functions = {function.__name__: single_precision(function) for _, function in activations.FUNCTIONS}
    activate = _copy(network_kernel.activate, "activate", LANES=lane_count, **functions)
    names = {
        "LANES": lane_count,
        "activate": njit(forceinline=True, **compiled_lanes.OPTIONS)(activate),
        "weighted_sum": weighted_sum(lane_count),
    }
    return njit(forceinline=True, nogil=True, **compiled_lanes.OPTIONS)(
        _copy(network_kernel.propagate, "propagate", **names)
    )


def cached(function: Callable[..., Any], name: str, options: dict[str, Any] | None = None, **names: Any) -> Any:
    """Return a kernel that is compiled once per machine, under a name that is to tell its sources."""
    chosen = compiled_lanes.OPTIONS | (options or {})
    return njit(cache=True, nogil=True, **chosen)(_copy(function, name, **names))


@functools.cache
def forward_kernel(lane_count: int) -> Kernel:
    """Return `network_kernel.forward` compiled for blocks of `lane_count` cases."""
    mark = fingerprint(lanes, activations, compiled_lanes, network_kernel, wide_vectors)
    return cached(  # type: ignore[no-any-return]
        network_kernel.forward, f"forward_{lane_count}_{mark}", LANES=lane_count, propagate=_propagate(lane_count)
    )


@functools.cache
def classification_kernel(lane_count: int) -> Kernel:
    """Return `classification_kernel.classify` compiled for blocks of `lane_count` cases."""
    mark = fingerprint(lanes, activations, compiled_lanes, network_kernel, classification, wide_vectors)
    return cached(  # type: ignore[no-any-return]
        classification.classify, f"classify_{lane_count}_{mark}", LANES=lane_count, propagate=_propagate(lane_count)
    )


@functools.cache
def episode_kernel_for(
    observe: Callable[..., Any], advance: Callable[..., Any], lane_count: int, states: int, inputs: int, outputs: int
) -> Kernel:
    """Return `episode_kernel.episodes` compiled with a problem's `observe` and `advance`."""
    shape = f"{lane_count}_{states}_{inputs}_{outputs}"
    physics = _substance(observe) + _substance(advance)
    sources = (lanes, activations, compiled_lanes, network_kernel, episode_kernel, wide_vectors, single_precision)
    mark = fingerprint(*sources, physics)
    return cached(  # type: ignore[no-any-return]
        episode_kernel.episodes,
        f"episodes_{shape}_{mark}",
        LANES=lane_count,
        STATES=states,
        INPUTS=inputs,
        OUTPUTS=outputs,
        propagate=_propagate(lane_count),
        read_state=lane_reader(states, lane_count),
        read_action=lane_reader(outputs, lane_count),
        observe=single_precision(observe),
        advance=single_precision(advance),
    )
