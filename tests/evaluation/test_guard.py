"""One guarded evaluation: every way it can end, and no trace left behind."""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
import warnings
from fractions import Fraction

import numpy as np
import pytest
import torch

from evo.evaluation.guard import MESSAGE_LENGTH, explain, guarded, kind_of, read_scores


def evaluate(function, argument=1.0, seed=None, time_limit=5.0, memory_limit=0, objectives=("score",)):
    return guarded(function, argument, seed, time_limit, memory_limit, objectives)


ONE = [
    (2, "OK"),
    (2.5, "OK"),
    (True, "OK"),
    (Fraction(1, 2), "OK"),
    (np.float32(1.5), "OK"),
    (np.longdouble(1.5), "OK"),
    (np.int64(3), "OK"),
    (np.bool_(True), "OK"),
    (np.array(1.0), "OK"),
    (np.array([1.0]), "OK"),
    (np.array([[1.0]]), "OK"),
    (torch.tensor(1.0), "OK"),
    (torch.tensor([1], dtype=torch.int64), "OK"),
    (torch.ones(1, requires_grad=True), "OK"),
    (torch.tensor(1.5, dtype=torch.bfloat16), "OK"),
    ([torch.tensor(1.0)], "OK"),
    ({"score": np.float64(1.0)}, "OK"),
    (float("nan"), "NAN"),
    (np.float32("nan"), "NAN"),
    (torch.tensor(float("nan")), "NAN"),
    (float("inf"), "INFINITE"),
    (np.array([-np.inf]), "INFINITE"),
    (10**400, "INFINITE"),
    (None, "WRONG_TYPE"),
    ("1.0", "WRONG_TYPE"),
    (1 + 2j, "WRONG_TYPE"),
    (np.complex64(1), "WRONG_TYPE"),
    (torch.tensor(1j), "WRONG_TYPE"),
    (np.array("1.0"), "WRONG_TYPE"),
    (np.datetime64("2020-01-01"), "WRONG_TYPE"),
    ([], "WRONG_TYPE"),
    ([1.0, 2.0], "WRONG_TYPE"),
    ([[1.0]], "WRONG_TYPE"),
    (np.ones(2), "WRONG_TYPE"),
    (np.ones(0), "WRONG_TYPE"),
    (torch.ones(2), "WRONG_TYPE"),
    ({"other": 1.0}, "WRONG_TYPE"),
    ({"score": "1"}, "WRONG_TYPE"),
    ({"score": [1.0, 2.0]}, "WRONG_TYPE"),
    (object(), "WRONG_TYPE"),
    ({1.0}, "WRONG_TYPE"),
]


@pytest.mark.parametrize(("value", "kind"), ONE, ids=lambda thing: str(thing).split(" at 0x")[0][:30])
def test_a_returned_value_is_one_outcome(value, kind):
    found, scores, message = read_scores(value, ("score",))
    assert found == kind
    assert len(scores) == (kind == "OK")
    assert bool(message) == (kind != "OK")
    assert " at 0x" not in message


def test_scores_keep_their_value_and_order():
    assert read_scores((1, 2.5), ("gain", "cost")) == ("OK", (1.0, 2.5), "")
    assert read_scores({"cost": 2.5, "gain": 1}, ("gain", "cost")) == ("OK", (1.0, 2.5), "")
    assert read_scores(torch.tensor([1.0, 2.5]), ("gain", "cost")) == ("OK", (1.0, 2.5), "")
    assert read_scores(np.array([1.0, np.nan]), ("gain", "cost")) == ("NAN", (), "scores [1.0, nan]")
    kind, _, message = read_scores([1.0, 2.0, 3.0], ("gain", "cost"))
    assert kind == "WRONG_TYPE"
    assert "[1.0, 2.0, 3.0] (list)" in message
    assert "gain, cost" in message


def test_an_exception_keeps_the_users_frames_only():
    def inner():
        return 1 / 0

    kind, scores, message = evaluate(lambda x: inner())
    assert (kind, scores) == ("RAISED", ())
    assert "in inner" in message
    assert message.endswith("ZeroDivisionError: division by zero")
    assert "evo/evaluation/guard.py" not in message


class _Unspeakable(Exception):  # noqa: N818
    def __str__(self):
        raise RuntimeError("no words")


class _Worse(Exception):  # noqa: N818
    def __str__(self):
        raise SystemExit


@pytest.mark.parametrize("error", [_Unspeakable, _Worse])
def test_an_exception_that_cannot_be_shown_is_recorded(error):
    def function(x):
        raise error

    kind, _, message = evaluate(function)
    assert kind == "RAISED"
    assert error.__name__ in message


def test_a_traceback_is_bounded_and_has_no_addresses():
    def function(x):
        raise ValueError("a" * 10**6 + " the end of " + repr(object()))

    message = evaluate(function)[2]
    assert len(message) <= MESSAGE_LENGTH
    assert message.startswith("Traceback")
    assert message.endswith("the end of <object object>")


@pytest.mark.parametrize("error", [SystemExit, GeneratorExit, StopIteration, RecursionError])
def test_unusual_exceptions_are_failures(error):
    def function(x):
        raise error

    assert evaluate(function)[0] == "RAISED"


def test_ctrl_c_is_no_failure():
    def function(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluate(function)


def test_memory_errors_of_python_and_torch_are_told():
    assert kind_of(MemoryError()) == "OUT_OF_MEMORY"
    assert kind_of(RuntimeError("DefaultCPUAllocator: can't allocate memory")) == "OUT_OF_MEMORY"
    assert kind_of(RuntimeError("something else")) == "RAISED"
    assert explain(MemoryError()) == "MemoryError"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits memory")
def test_memory_is_limited_and_the_limit_taken_back():
    import resource

    before = resource.getrlimit(resource.RLIMIT_AS)
    assert evaluate(lambda x: len(np.ones(2**27)), memory_limit=256)[0] == "OUT_OF_MEMORY"
    assert evaluate(lambda x: len(torch.ones(2**27)), memory_limit=256)[0] == "OUT_OF_MEMORY"
    assert evaluate(lambda x: len(np.ones(2**20)), memory_limit=256)[0] == "OK"
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def _sleep(x):
    time.sleep(30)


def _spin(x):
    while True:
        pass


def _swallow(x):
    started = time.monotonic()
    while time.monotonic() - started < 30:
        try:
            time.sleep(30)
        except Exception:
            return 1.0
    return None


def _swallow_all(x):
    try:
        time.sleep(30)
    except BaseException:
        return 1.0


def _swallow_once(x):
    try:
        time.sleep(30)
    except BaseException:
        time.sleep(30)


@pytest.mark.parametrize("function", [_sleep, _spin, _swallow, _swallow_all, _swallow_once])
def test_time_is_limited(function):
    handler = signal.getsignal(signal.SIGALRM)
    started = time.monotonic()
    assert evaluate(function, time_limit=0.1) == ("TIMED_OUT", (), "stopped after its time limit of 0.1 seconds")
    assert time.monotonic() - started < 5
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_anothers_timer_goes_on():
    signal.setitimer(signal.ITIMER_REAL, 100, 7)
    try:
        evaluate(lambda x: x)
        delay, interval = signal.getitimer(signal.ITIMER_REAL)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    assert 90 < delay <= 100
    assert interval == 7


def test_other_threads_evaluate_without_a_time_limit():
    found = []
    thread = threading.Thread(target=lambda: found.append(evaluate(lambda x: time.sleep(0.2) or 1.0, time_limit=0.05)))
    thread.start()
    thread.join()
    assert found == [("OK", (1.0,), "")]


def _chance():
    return random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()


def test_global_generators_are_put_back_and_start_alike():
    before = _chance()

    def function(x):
        return random.random(), np.random.random(), torch.rand(())

    def failing(x):
        function(x)
        raise ValueError

    first = evaluate(function, objectives=("a", "b", "c"))
    evaluate(failing)
    assert _chance() == before
    random.random()
    np.random.random()
    torch.rand(1)
    assert evaluate(function, objectives=("a", "b", "c")) == first
    assert evaluate(lambda x: random.random(), seed=None) != evaluate(lambda x, rng: random.random(), seed=5)


def test_a_seed_makes_one_generator():
    draw = [evaluate(lambda x, rng: rng.random(), seed=seed)[1] for seed in (3, 3, 4)]
    assert draw[0] == draw[1] != draw[2]


@pytest.mark.parametrize("argument", [np.zeros(3), [1, 2], {"a": [1]}])
def test_the_argument_is_not_changed(argument):
    def function(x):
        if isinstance(x, dict):
            x["a"].append(9)
        else:
            x[0] = 9
        return 1

    before = repr(argument)
    assert evaluate(function, argument)[0] == "OK"
    assert repr(argument) == before


def test_a_forked_child_does_not_come_back():
    reader, writer = os.pipe()

    def function(x):
        os.fork()
        return 1

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking with threads about, which some Pythons mention
        evaluate(function)
    os.write(writer, b"x")
    assert os.wait()[1] == 0
    assert os.read(reader, 10) == b"x"
    os.close(reader)
    os.close(writer)
