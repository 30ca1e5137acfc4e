"""The worker pool: every fault has its outcome, siblings' results are kept, and nothing depends on the workers."""

from __future__ import annotations

import dataclasses
import importlib.util
import itertools
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from evo.evaluation import workers
from evo.evaluation.packing import as_bytes, register_by_value
from evo.evaluation.workers import WorkerPool
from evo.function_problem import fitness
from evo.networks import Networks, pack
from evo.outcome import Outcome

register_by_value(sys.modules[__name__])  # workers need not be able to import the tests


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def pool():
    with WorkerPool(2) as shared:
        yield shared


def numbered(count):
    """Rows 0, 1, 2 ...: functions tell individuals apart by their first number."""
    return torch.arange(count, dtype=torch.float64)[:, None]


def _raise(x):
    return 1 // 0


def _eat(x):
    hoard = []
    while True:
        hoard.append(np.empty(10**6))


def _segfault(x):
    os.kill(os.getpid(), signal.SIGSEGV)


def _spin(x):
    while True:
        pass


FAULTS = [
    (_raise, Outcome.RAISED, "ZeroDivisionError"),
    (lambda x: sys.exit(3), Outcome.RAISED, "SystemExit"),
    (lambda x: float("nan"), Outcome.NAN, "nan"),
    (lambda x: np.inf, Outcome.INFINITE, "inf"),
    (lambda x: None, Outcome.WRONG_TYPE, "None"),
    (lambda x: "good", Outcome.WRONG_TYPE, "'good'"),
    (lambda x: time.sleep(60), Outcome.TIMED_OUT, "1 seconds"),
    (_spin, Outcome.TIMED_OUT, "1 seconds"),
    (_eat, Outcome.OUT_OF_MEMORY, "MemoryError"),
    (lambda x: os._exit(3), Outcome.CRASHED, "exit code"),
    (_segfault, Outcome.CRASHED, "SIGSEGV"),
    (lambda x: os.kill(os.getpid(), signal.SIGKILL), Outcome.CRASHED, "SIGKILL"),
]
if not sys.platform.startswith("linux"):
    FAULTS = [fault for fault in FAULTS if fault[0] is not _eat]  # memory is limited on Linux only


def test_every_fault_has_its_outcome_and_siblings_are_kept(pool, monkeypatch):
    monkeypatch.setitem(workers.ENVIRONMENT, "PYTHONFAULTHANDLER", "")
    faults = {3 * number + 1: fault for number, (fault, _, _) in enumerate(FAULTS)}

    def score(x):
        return faults[int(x[0])](x) if int(x[0]) in faults else x[0] ** 2

    memory = 256 if sys.platform.startswith("linux") else 0
    count = 3 * len(FAULTS)
    one = fitness(maximize="score", time_limit=1.0, memory_limit=memory)(score)
    outcomes = pool.evaluate(one, numbered(count), rng())
    for index in range(count):
        if index in faults:
            _, kind, said = FAULTS[index // 3]
            assert outcomes.kinds[index] is kind
            assert said in outcomes.messages[index]
            assert outcomes.scores[index].isnan().all()
        else:
            assert outcomes.kinds[index] is Outcome.OK
            assert outcomes.scores[index].item() == index**2
    assert set(outcomes.messages) == set(faults)


def test_a_hang_that_python_cannot_interrupt_is_killed(pool, monkeypatch):
    monkeypatch.setattr(workers, "GRACE", 1.0)

    @fitness(maximize="score", time_limit=0.5)
    def score(x):
        if x[0] == 5:
            all(itertools.repeat(True))  # endless, and inside the interpreter's C code
        return x[0]

    outcomes = pool.evaluate(score, numbered(12), rng())
    assert [index for index, kind in enumerate(outcomes.kinds) if kind is not Outcome.OK] == [5]
    assert outcomes.kinds[5] is Outcome.TIMED_OUT
    assert outcomes.messages[5] == "stopped after its time limit of 0.5 seconds"
    assert outcomes.scores[6:].flatten().tolist() == [6, 7, 8, 9, 10, 11]


def _chaotic(x, rng):
    """Something that would tell workers apart: linear algebra, chance, global chance, a set's order, odd durations."""
    time.sleep(random.Random(float(x[0])).random() * 0.002)
    product = np.random.default_rng(int(x[0])).standard_normal((200, 200))
    words = list({f"word {number}" for number in range(50)})
    return (product @ product).sum(), rng.random() + np.random.random(), random.random() + words.index("word 7")


def test_results_are_the_same_for_any_number_of_workers(pool, monkeypatch):
    one = fitness(maximize=("product", "chance", "order"))(_chaotic)
    with WorkerPool(1) as single:
        first = single.evaluate(one, numbered(60), rng(1)).scores
        monkeypatch.setattr(workers, "LARGEST_CHUNK", 1)
        monkeypatch.setattr(workers, "BUDGET", 0.0)
        second = single.evaluate(one, numbered(60), rng(1)).scores
    third = pool.evaluate(one, numbered(60), rng(1)).scores
    reverse = pool.evaluate(one, numbered(60).flip(0), rng(1)).scores.flip(0)
    assert first.numpy().tobytes() == second.numpy().tobytes() == third.numpy().tobytes()
    assert reverse.contiguous().numpy().tobytes() == first.numpy().tobytes()
    assert len(first[:, 1].unique()) == 1
    assert not torch.equal(pool.evaluate(one, numbered(60), rng(2)).scores[:, 1], first[:, 1])


def test_even_one_worker_is_another_process():
    with WorkerPool(1) as single:
        process = fitness(maximize="process")(lambda x: os.getpid())
        assert single.evaluate(process, numbered(1), rng()).scores.item() != os.getpid()


def test_a_worker_computes_on_one_thread_and_leaves_ctrl_c_to_its_parent(pool):
    threads = fitness(maximize=("torch", "blas"))(
        lambda x: (torch.get_num_threads(), int(os.environ["OPENBLAS_NUM_THREADS"]))
    )
    assert pool.evaluate(threads, numbered(2), rng()).scores.flatten().tolist() == [1, 1, 1, 1]
    interrupted = fitness(maximize="score")(lambda x: os.kill(os.getpid(), signal.SIGINT) or 1.0)
    assert pool.evaluate(interrupted, numbered(2), rng()).ok.all()


def test_arguments_are_what_the_problem_says(pool):
    kind = fitness(maximize="kind", accepts=list)(lambda x: (type(x) is np.ndarray) + 2 * x.flags.writeable)
    assert pool.evaluate(kind, [torch.zeros(3), np.zeros(3)], rng()).scores.flatten().tolist() == [3, 3]
    numbers = fitness(maximize="sum")(lambda x: x.sum() + (x.dtype == np.float32))
    assert pool.evaluate(numbers, torch.ones(2, 3, 4), rng()).scores.flatten().tolist() == [13, 13]

    @fitness(maximize="output", accepts=Networks)
    def output(network):
        return network.forward(torch.ones(1, 1)).sum()

    networks = pack(1, 1, [([1, 1, 1], [(1, 2, 3.0)]), ([1, 1, 1], [(1, 2, 5.0), (0, 2, 1.0)])])
    torched = networks.on(dataclasses.replace(networks.execution, engine="torch"))
    assert pool.evaluate(output, torched, rng()).scores.flatten().tolist() == [3, 6]
    assert len(pool.evaluate(numbers, torch.zeros(0, 2), rng())) == 0


def test_a_view_takes_only_its_own_elements_along():
    assert len(as_bytes(torch.zeros(10**6)[:2], "a view")) < 1000
    many = pack(1, 1, [([1, 1, 1], [(1, 2, 3.0)])] * 1000)
    assert len(as_bytes(many[:10], "ten networks")) < len(as_bytes(many, "a thousand")) / 20


def test_a_stray_kill_of_a_worker_changes_nothing(pool):
    slow = fitness(maximize="score")(lambda x: time.sleep(0.02) or x[0])
    pool.evaluate(slow, numbered(4), rng())

    def kill():
        for worker in pool._workers:
            for process in list(worker._executor._processes):
                os.kill(process, signal.SIGKILL)

    timer = threading.Timer(0.15, kill)
    timer.start()
    outcomes = pool.evaluate(slow, numbered(30), rng())
    timer.join()
    assert outcomes.scores.flatten().tolist() == list(range(30))
    kill()  # and while they are idle
    time.sleep(0.3)
    assert pool.evaluate(slow, numbered(4), rng()).ok.all()


class DeadlyToLoad:
    """Ends the process that unpickles it, so many times."""

    def __init__(self, folder, times):
        self.folder, self.times = folder, times

    def __call__(self, x):
        return float(x[0])

    def __setstate__(self, state):
        self.__dict__.update(state)
        (self.folder / str(time.monotonic_ns())).touch()
        if len(list(self.folder.iterdir())) <= self.times:
            os._exit(1)


@pytest.mark.parametrize("times", [1, 100])
def test_a_worker_that_dies_while_it_loads_is_forgiven_but_not_for_ever(tmp_path, times):
    score = fitness(maximize="score")(DeadlyToLoad(tmp_path, times))
    with WorkerPool(1) as single:
        if times == 1:
            assert single.evaluate(score, numbered(3), rng()).scores.flatten().tolist() == [0, 1, 2]
        else:
            with pytest.raises(RuntimeError, match="could not load the function"):
                single.evaluate(score, numbered(3), rng())
            assert len(list(tmp_path.iterdir())) == workers.LOADS


def test_what_cannot_be_sent_is_named(pool):
    lock = threading.Lock()
    with pytest.raises(TypeError, match="locked: the function cannot be sent"):
        pool.evaluate(fitness(maximize="score", name="locked")(lambda x: lock), numbered(1), rng())
    with pytest.raises(TypeError, match="individual 1's phenotype"):
        pool.evaluate(fitness(maximize="score", accepts=list)(lambda x: 1), [1, lock], rng())
    with pytest.raises(TypeError, match="FunctionProblem"):
        pool.evaluate(fitness(maximize="score", batch=True)(lambda x: x), numbered(1), rng())


@pytest.mark.parametrize("count", [0, -1, 1.5, "2"])
def test_the_number_of_workers_is_checked(count):
    with pytest.raises(ValueError, match="workers"):
        WorkerPool(count)


SOURCE = """
from dataclasses import dataclass
from evo.function_problem import fitness

@dataclass
class Scale:
    factor: float

def helper(x):
    return Scale(2.0).factor * x[0]

@fitness(maximize="score")
def score(x):
    return helper(x)
"""


def _load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def test_functions_of_a_file_reach_the_workers(pool, tmp_path):
    (tmp_path / "somebodys_file.py").write_text(SOURCE)
    module = _load(tmp_path / "somebodys_file.py")
    with pytest.raises(RuntimeError, match="register_by_value"):
        pool.evaluate(module.score, numbered(3), rng())
    register_by_value(module)
    pool.close()
    with WorkerPool(1) as single:
        assert single.evaluate(module.score, numbered(3), rng()).scores.flatten().tolist() == [0, 2, 4]


SCRIPT = """
import os, sys, time, numpy as np, torch
from evo.function_problem import fitness
from evo.evaluation.workers import WorkerPool

def helper():
    os.write(1, f"{os.getpid()}\\n".encode())  # at once, so that two workers' lines stay apart
    time.sleep(60)

@fitness(maximize="score")
def score(x):
    helper()

pool = WorkerPool(2)
try:
    pool.evaluate(score, torch.ones(4, 1), np.random.default_rng(0))
except KeyboardInterrupt:
    sys.exit(130)
"""


def _gone(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    status = Path(f"/proc/{process}/stat")  # where nobody waits for orphans, a dead one stays as a zombie
    return status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def _heed_interrupts():
    """Heed Ctrl-C in a child even where the tests themselves run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_functions_of_a_script_reach_workers_and_no_worker_outlives_its_parent(tmp_path, number, code):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-W", "error", str(tmp_path / "script.py")]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, stdout=pipe, stderr=pipe, text=True, start_new_session=True, preexec_fn=_heed_interrupts
    ) as parent:
        children = [int(parent.stdout.readline() or 0) for _ in range(2)]
        started = time.monotonic()
        if number == signal.SIGINT:
            os.killpg(parent.pid, number)  # Ctrl-C reaches the workers too
        else:
            parent.send_signal(number)
        said = parent.communicate(timeout=60)[1]
    while not all(_gone(child) for child in children) and time.monotonic() - started < 60:
        time.sleep(0.05)
    assert all(children)
    assert all(_gone(child) for child in children)
    assert parent.returncode == code
    assert said == "" or number == signal.SIGKILL


def test_closing_leaves_nothing_and_a_later_evaluation_starts_again():
    process = fitness(maximize="process")(lambda x: os.getpid())
    single = WorkerPool(1)
    first = int(single.evaluate(process, numbered(1), rng()).scores.item())
    single.close()
    single.close()
    assert _gone(first)
    second = int(single.evaluate(process, numbered(1), rng()).scores.item())
    single.close()
    assert second != first
    assert _gone(second)
