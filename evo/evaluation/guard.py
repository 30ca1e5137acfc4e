"""One evaluation of a user's function, guarded: whatever it does ends as an outcome and leaves no trace.

Used in this process and in worker processes (`evo.evaluation.workers`), which start faster because nothing here
imports torch. Time is limited by SIGALRM, so only in a main thread and only while Python code runs (the pool's own
limit takes care of the rest); memory by RLIMIT_AS, so only on Linux.
"""

from __future__ import annotations

import copy
import functools
import numbers
import os
import pickle
import random
import re
import reprlib
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

Result = tuple[str, tuple[float, ...], str]
"""The name of an `evo.outcome.Outcome`, the scores (none where the evaluation failed), and what happened if so."""

MESSAGE_LENGTH = 4000
"""Characters of a traceback that are kept: its beginning and its end."""
RING_AGAIN = 0.5
"""Seconds until a time limit is enforced again, should the function have swallowed the first interruption."""
OURS = ("evo.evaluation.guard", "evo.function_problem")
"""Modules whose frames begin a traceback and tell the user nothing."""


class TimeUpError(BaseException):
    """The time limit has passed. No Exception, so that a function's own `except Exception` lets it through."""


def guarded(
    function: Callable[..., Any],
    argument: Any,
    seed: int | None,
    time_limit: float,
    memory_limit: int,
    objectives: Sequence[str],
    alone: bool = False,
) -> Result:
    """Evaluate `function(argument)` once and return how it ended.

    The function gets a copy of its argument. The global generators (random, numpy.random, torch) start from the same
    state in every evaluation, and afterwards are as they were before; so is the working directory.

    Args:
        function: returns one number per objective, or a dict of them by name.
        argument: one phenotype.
        seed: where the function takes `rng`, what to make that generator from; else None.
        time_limit: seconds; 0 for none.
        memory_limit: MiB beyond what the process uses now; 0 for none.
        objectives: their names.
        alone: whether this is a worker process, where nobody else has a use for the argument or the generators; it
            saves most of what an evaluation costs besides the function.

    Raises:
        KeyboardInterrupt: the user's wish to stop is no failure of the function.
    """
    process = os.getpid()
    try:
        with own_random_state(seed, restore=not alone), own_place(), _memory_cap(memory_limit):
            given = argument if alone else copy.deepcopy(argument)
            value = _within(time_limit, lambda: call(function, given, seed))
        return read_scores(value, objectives)
    except TimeUpError:
        return "TIMED_OUT", (), timed_out(time_limit)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        return kind_of(error), (), explain(error)
    finally:
        if os.getpid() != process:  # a child that the function forked came back: there must be no second campaign
            os._exit(0)


def call(function: Callable[..., Any], argument: Any, seed: int | None) -> Any:
    """Return `function(argument)`, with a generator of its own made from `seed` where there is one."""
    if seed is None:
        return function(argument)
    return function(argument, rng=np.random.Generator(np.random.PCG64DXSM(seed)))


def timed_out(time_limit: float) -> str:
    """Return what is recorded of an evaluation that ran too long."""
    return f"stopped after its time limit of {time_limit:g} seconds"


def kind_of(error: BaseException) -> str:
    """Return the name of the outcome that an exception is: OUT_OF_MEMORY (torch's own error too) or RAISED."""
    text = str(error) if type(error) is RuntimeError or type(error).__name__ == "OutOfMemoryError" else ""
    no_memory = isinstance(error, MemoryError) or "can't allocate memory" in text or "out of memory" in text
    return "OUT_OF_MEMORY" if no_memory else "RAISED"


def explain(error: BaseException) -> str:
    """Return an exception's traceback from the user's first frame on, in at most 4,000 characters.

    Memory addresses are left out, so that the same failure reads the same in every process.
    """
    frames = error.__traceback__
    while frames is not None and frames.tb_frame.f_globals.get("__name__") in OURS:
        frames = frames.tb_next
    try:
        text = "".join(traceback.format_exception(type(error), error, frames)).strip()
    except Exception:
        text = f"{type(error).__name__} (an exception that cannot be shown)"
    text = _without_addresses(text)
    half = MESSAGE_LENGTH // 2 - 10
    return text if len(text) <= MESSAGE_LENGTH else f"{text[:half]}\n[...]\n{text[-half:]}"


def read_scores(value: Any, objectives: Sequence[str]) -> Result:
    """Return the outcome that a returned value is.

    Args:
        value: a number, a tuple, list, array or tensor of one number per objective, or a dict of them by name.
        objectives: their names.
    """
    expected = "expected one finite number" + (f" for each of {', '.join(objectives)}" if len(objectives) > 1 else "")
    items: Any = _items(value)
    if isinstance(value, dict):
        if set(value) != set(objectives):
            return "WRONG_TYPE", (), f"returned a dict with keys {_shown(list(value))}; expected {list(objectives)}"
        items = [_items(value[name]) for name in objectives]
        items = [item[0] if len(item) == 1 else item for item in items]
    if len(items) != len(objectives) or not all(isinstance(item, numbers.Real) for item in items):
        return "WRONG_TYPE", (), f"returned {_shown(value)}; {expected}"
    try:
        scores = tuple(float(item) for item in items)
    except OverflowError:
        return "INFINITE", (), "returned a whole number too large for a float"
    if any(np.isnan(scores)):
        return "NAN", (), f"scores {list(scores)}"
    if any(np.isinf(scores)):
        return "INFINITE", (), f"scores {list(scores)}"
    return "OK", scores, ""


def _items(value: Any) -> list[Any]:
    """Return a number, or a tuple, list, array or tensor of numbers, as a list of Python's numbers if they are such."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(value, torch.Tensor):
        return list(value.detach().reshape(-1).tolist())
    if isinstance(value, (np.ndarray, np.generic)):
        return list(np.asarray(value).reshape(-1).tolist()) if value.dtype.kind in "biufO" else [None]
    if isinstance(value, (list, tuple)):
        inner = [_items(item) if not isinstance(item, (list, tuple)) else [item] for item in value]
        return [item[0] if len(item) == 1 else item for item in inner]
    return [value]


def _shown(value: Any) -> str:
    """Return a value's type and the beginning of its representation."""
    shown = _without_addresses(reprlib.repr(value))
    return shown if value is None else f"{shown} ({type(value).__qualname__})"


def _without_addresses(text: str) -> str:
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


@contextmanager
def own_random_state(seed: int | None, restore: bool = True) -> Iterator[None]:
    """Give the block global generators in a state that depends on `seed` alone, and put the old states back after.

    Without `restore` they stay as the block left them. Reading numpy's takes longer than all the rest.
    """
    states = _random_states() if restore else []
    _seed_all(seed or 0)
    try:
        yield
    finally:
        for put_back, state in states:
            put_back(state)


def _random_states() -> list[tuple[Callable[[Any], None], Any]]:
    """Return how to put each global generator back, and to what state."""
    states: list[tuple[Callable[[Any], None], Any]] = [
        (random.setstate, random.getstate()),
        (np.random.set_state, np.random.get_state()),
    ]
    torch = sys.modules.get("torch")
    if torch is not None:
        states.append((torch.set_rng_state, torch.get_rng_state()))
        if torch.cuda.is_initialized():
            states.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    return states


def _seed_all(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.default_generator.manual_seed(seed)  # torch.manual_seed asks for every accelerator: a quarter of a ms
        if torch.cuda.is_initialized():
            torch.cuda.manual_seed_all(seed)


@contextmanager
def own_place() -> Iterator[None]:
    """Put the working directory back after the block: who changes it would change what comes after."""
    place = _here()
    try:
        yield
    finally:
        if place and _here() != place:
            os.chdir(place)


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""


@contextmanager
def _torch_state(torch: Any, seed: int) -> Iterator[None]:
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


@contextmanager
def _memory_cap(mebibytes: int) -> Iterator[None]:
    """Let the block map at most so much more memory than the process has mapped now; 0 for no limit."""
    if not mebibytes:
        yield
        return
    import resource

    with open("/proc/self/statm") as pages:
        mapped = int(pages.read().split()[0]) * resource.getpagesize()
    before, hard = resource.getrlimit(resource.RLIMIT_AS)
    cap = min([mapped + mebibytes * 2**20] + [limit for limit in (before, hard) if limit != resource.RLIM_INFINITY])
    resource.setrlimit(resource.RLIMIT_AS, (cap, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (before, hard))


class _Alarm:
    """Rings by raising TimeUpError wherever the program is, until it is off."""

    def __init__(self) -> None:
        self.on = True
        self.rang = False

    def ring(self, *_: object) -> None:
        """Handle SIGALRM."""
        if self.on:
            self.rang = True
            raise TimeUpError


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Return `work()`, or raise TimeUpError when it takes longer; without a limit outside the main thread."""
    if not seconds or threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        return work()
    alarm = _Alarm()
    handler = signal.signal(signal.SIGALRM, alarm.ring)
    started = time.monotonic()
    others_delay, others_interval = signal.setitimer(signal.ITIMER_REAL, seconds, RING_AGAIN)
    try:
        try:
            value = work()
        finally:
            alarm.on = False
    finally:  # two of them: should the alarm ring on the way into the first, the second still puts things back
        alarm.on = False
        passed = time.monotonic() - started
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if others_delay:
            signal.setitimer(signal.ITIMER_REAL, max(others_delay - passed, 1e-3), others_interval)
    if alarm.rang:  # the function swallowed the interruption and returned in the end: too late is too late
        raise TimeUpError
    return value


# What follows runs in worker processes only.

_loaded: dict[str, Callable[..., Any]] = {}


def prepare(parent: int) -> None:
    """Make this process a worker of process `parent`: Ctrl-C is the parent's business, and so is staying alive."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with(parent)


@functools.cache
def end_with(parent: int) -> None:
    """Let this process end soon after its parent is gone: killed, that could not say goodbye."""
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)


def load(payload: bytes) -> None:
    """Unpickle the function that this worker evaluates from now on."""
    _loaded["function"] = pickle.loads(payload)  # noqa: S301 - from the parent process


def run(
    arguments: Sequence[bytes],
    seed: int | None,
    time_limit: float,
    memory_limit: int,
    objectives: Sequence[str],
    budget: float,
) -> list[Result]:
    """Return the results of the first evaluations, one at least, until `budget` seconds are over."""
    started = time.monotonic()
    results: list[Result] = []
    for data in arguments:
        if results and time.monotonic() - started > budget:
            break
        argument = pickle.loads(data)  # noqa: S301 - from the parent process
        results.append(guarded(_loaded["function"], argument, seed, time_limit, memory_limit, objectives, alone=True))
    return results
