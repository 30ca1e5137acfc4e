"""What a user's function may do to a campaign, and what becomes of it: one campaign in which it does all of that.

Each individual of the first generation is another fault. `pytest tests/test_faults.py` prints the table at its end.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo import Campaign, fitness, journal
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.evaluation import workers
from evo.evaluation.packing import register_by_value
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.outcome import Outcome

register_by_value(sys.modules[__name__])  # workers need not be able to import the tests

LINUX = sys.platform.startswith("linux")
OUTPUT = 100 * 2**20


def raises(x: np.ndarray) -> float:
    return 1 / 0


def eats_memory(x: np.ndarray) -> float:
    hoard = []
    while True:
        hoard.append(np.empty(10**6))


def spins(x: np.ndarray) -> float:
    while True:
        pass


def spins_in_c(x: np.ndarray) -> float:
    return float(all(itertools.repeat(True)))


def swallows_everything(x: np.ndarray) -> float:
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(60)


def forks(x: np.ndarray) -> float:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return float(x[0])


def prints(x: np.ndarray) -> float:
    line = "x" * 1023 + "\n"
    with open(os.devnull, "w") as nowhere:
        kept = os.dup(1)
        os.dup2(nowhere.fileno(), 1)
        try:
            for _ in range(OUTPUT // 1024):
                sys.stdout.write(line)
            sys.stdout.flush()
        finally:
            os.dup2(kept, 1)
    return float(x[0])


def leaves(x: np.ndarray) -> float:
    os.chdir("/")
    return float(x[0])


def seeds_all(x: np.ndarray) -> float:
    random.seed(1)
    np.random.seed(1)
    torch.manual_seed(1)
    return float(x[0])


def mutates(x: np.ndarray) -> float:
    score = float(x[0])
    x[:] = -1.0
    return score


def recurses(x: np.ndarray) -> float:
    return recurses(x)


@dataclass(frozen=True)
class Fault:
    """What a function does, how that ends, and words that are said of it."""

    act: Callable[[np.ndarray], Any]
    ends: Outcome
    said: str = ""


FAULTS = {
    "raises an exception": Fault(raises, Outcome.RAISED, "ZeroDivisionError"),
    "calls itself for ever": Fault(recurses, Outcome.RAISED, "RecursionError"),
    "calls sys.exit": Fault(lambda x: sys.exit(3), Outcome.RAISED, "SystemExit: 3"),
    "returns NaN": Fault(lambda x: float("nan"), Outcome.NAN, "nan"),
    "returns infinity": Fault(lambda x: -np.inf, Outcome.INFINITE, "-inf"),
    "returns None": Fault(lambda x: None, Outcome.WRONG_TYPE, "returned None"),
    "returns text": Fault(lambda x: "good", Outcome.WRONG_TYPE, "'good'"),
    "returns two numbers for one": Fault(lambda x: (1.0, 2.0), Outcome.WRONG_TYPE, "(1.0, 2.0)"),
    "sleeps for ever": Fault(lambda x: time.sleep(1e6), Outcome.TIMED_OUT, "1 seconds"),
    "loops for ever": Fault(spins, Outcome.TIMED_OUT, "1 seconds"),
    "loops for ever in C": Fault(spins_in_c, Outcome.TIMED_OUT, "1 seconds"),
    "sleeps, and swallows what stops it": Fault(swallows_everything, Outcome.TIMED_OUT, "1 seconds"),
    "takes all memory": Fault(eats_memory, Outcome.OUT_OF_MEMORY, "MemoryError"),
    "calls os._exit": Fault(lambda x: os._exit(3), Outcome.CRASHED, "exit code"),
    "is a segmentation fault": Fault(lambda x: os.kill(os.getpid(), signal.SIGSEGV), Outcome.CRASHED, "SIGSEGV"),
    "is killed": Fault(lambda x: os.kill(os.getpid(), signal.SIGKILL), Outcome.CRASHED, "SIGKILL"),
    "forks": Fault(forks, Outcome.OK),
    "prints 100 MB": Fault(prints, Outcome.OK),
    "changes the working directory": Fault(leaves, Outcome.OK),
    "seeds the global generators": Fault(seeds_all, Outcome.OK),
    "changes its genome": Fault(mutates, Outcome.OK),
}
if not LINUX:
    del FAULTS["takes all memory"]  # memory is limited on Linux only
COUNT = 2 * len(FAULTS)


@dataclass(frozen=True)
class Numbers(Genome):
    """A number: 0, 1, 2 ... in the first generation, a thousand more for a child."""

    name: ClassVar[str] = "numbers"

    @property
    def layout(self) -> Layout:
        return Layout(Field("number", (1,), "which"))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return self.layout.rows(number=np.arange(count)[:, None])

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        children = rows.clone()
        self.layout.view(children, "number").add_(1000.0)
        return children


def score(x: np.ndarray) -> tuple[float, float, float]:
    """Return the number; two draws and whether the place is the same tell of traces that others left."""
    trace = np.random.random() + random.random(), float(len(os.getcwd()))
    number = int(x[0])
    if number < COUNT and number % 2:
        value = FAULTS[[*FAULTS][number // 2]].act(x)
        return (value, *trace) if isinstance(value, float) else value
    return float(number), *trace


@dataclass(frozen=True)
class Met:
    """What a campaign became: its first two generations as recorded."""

    first: dict[str, Any]
    second: dict[str, Any]
    place: str


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Met:
    """Run the campaign; it must finish."""
    patch = pytest.MonkeyPatch()
    patch.setattr(workers, "GRACE", 1.0)
    patch.setitem(workers.ENVIRONMENT, "PYTHONFAULTHANDLER", "")
    folder, place = tmp_path_factory.mktemp("faults"), os.getcwd()
    problem = fitness(maximize=("score", "chance", "place"), time_limit=1.0, memory_limit=256 if LINUX else 0)(score)
    random_state = random.getstate()
    Campaign(problem, Numbers(), MuPlusLambda(population=COUNT), generations=2).run(
        out=folder / "run", workers=2, quiet=True
    )
    assert os.getcwd() == place
    assert random.getstate() == random_state
    first, second = journal.generations(folder / "run" / "default" / "seed-0" / "journal.jsonl", ("scores", "failed"))
    patch.undo()
    return Met(first, second, place)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_an_outcome_of_its_own_individual(met: Met, name: str) -> None:
    index, fault = 2 * [*FAULTS].index(name) + 1, FAULTS[name]
    kind, message = met.first["failed"].get(str(index), ("OK", ""))
    assert Outcome[kind] is fault.ends
    assert fault.said in message
    scores = met.first["scores"][index]
    assert scores[0] == index if fault.ends is Outcome.OK else scores == [None, None, None]


def test_siblings_keep_their_results_and_no_trace_is_left(met: Met) -> None:
    sound = [row for number, row in enumerate(met.first["scores"]) if number % 2 == 0]
    assert [row[0] for row in sound] == list(range(0, COUNT, 2))
    finished = [row for row in met.first["scores"] if row[0] is not None]
    assert len({row[1] for row in finished}) == 1, "somebody's seeds reached others"
    assert {row[2] for row in finished} == {len(met.place)}, "somebody's working directory reached others"


def test_the_campaign_goes_on_with_all_who_were_sound(met: Met) -> None:
    assert met.second["failed"] == {}
    assert all(row[0] is not None for row in met.second["scores"])


def test_every_outcome_but_success_comes_with_advice() -> None:
    for outcome in Outcome:
        assert outcome is Outcome.OK or ":" in outcome.value, outcome


def test_the_table(met: Met, capsys: pytest.CaptureFixture[str]) -> None:
    """Print what became of each fault."""
    lines = []
    for number, name in enumerate(FAULTS):
        kind, message = met.first["failed"].get(str(2 * number + 1), ("OK", "contained: nothing of it reached others"))
        lines.append(f"{name:36} {kind:14} {message.splitlines()[-1][:90]}")
    with capsys.disabled():
        print("", *lines, sep="\n")
    assert [line[37:].split()[0] for line in lines] == [fault.ends.name for fault in FAULTS.values()]
