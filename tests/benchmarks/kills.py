"""Campaigns killed at random moments and resumed, until they are done: every file is what it is without a kill.

    python tests/benchmarks/kills.py [--kills 5] [--only NAME ...] [--seed 0]

For each of ten campaigns (several algorithms, in this process and with workers, with and without a state) one
uninterrupted run is the standard. The other is a process group of its own that gets SIGKILL when its journals have come
to a random length, and some milliseconds later; and is resumed; `kills` times. Then it is let finish. Journals,
champions and archives of all runs must be the same, byte for byte. Ends with exit code 1 where any is not.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COMPARED = ("journal.jsonl", "champion.json", "archive.json", "tasks.json")
SECONDS = 600
"""After which a process that does nothing is taken to hang."""

HEAD = """
import time

import numpy as np

from evo import Campaign, fitness
from genomes.perceptron import Perceptron
from genomes.topology import Topology
from genomes.vector import Vector
from problems.digits import Digits
from problems.xor import Xor

digits = Digits(batch=64)
perceptron = Perceptron.for_problem(digits, hidden=(4,))


@fitness(maximize="score")
def score(x, rng):
    time.sleep(0.002)
    if x[0] > 0.95:
        raise ValueError("too far")
    return float(-np.square(x).sum() + 0.01 * rng.standard_normal())

"""
CAMPAIGNS = {
    "snes": """
from evo.algorithms.distribution import SNES
campaign = Campaign(digits, perceptron, SNES(population=20), generations=60, seeds=(0,))
""",
    "cma-es": """
from evo.algorithms.distribution import CMAES
sphere = fitness(minimize="cost", batch=True)(lambda x: x.square().sum(1))
campaign = Campaign(sphere, Vector(6), CMAES(population=12), generations=150, seeds=(0,))
""",
    "weight-agnostic": """
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
problem = Xor(shared_weights=(-1.0, 1.0))
genome = Topology.for_problem(problem, mutation="each")
campaign = Campaign(problem, genome, WeightAgnosticSearch(population=64), generations=60, seeds=(0,))
""",
    "neat": """
from evo.algorithms.neat import Neat
problem = Xor()
campaign = Campaign(problem, Topology.for_problem(problem), Neat(population=60), generations=40, seeds=(0,))
""",
    "mu-plus-lambda, 2 seeds apart": """
from evo.algorithms.mu_plus_lambda import MuPlusLambda
campaign = Campaign(digits, perceptron, MuPlusLambda(population=20), generations=50, seeds=(0, 1))
""",
    "function, 1 worker": """
from evo.algorithms.mu_plus_lambda import MuPlusLambda
campaign = Campaign(score, Vector(3, low=-1.0, high=1.0), MuPlusLambda(population=20), generations=40, seeds=(0,))
""",
    "function, 2 workers": """
from evo.algorithms.mu_plus_lambda import MuPlusLambda
campaign = Campaign(score, Vector(3, low=-1.0, high=1.0), MuPlusLambda(population=20), generations=40, seeds=(0,))
""",
    "lifetimes, lamarckian": """
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.learning.weight_training import TrainedWeights
problem = TrainedWeights(digits, steps=2, inheritance="lamarckian")
campaign = Campaign(problem, perceptron, MuPlusLambda(population=10), generations=30, seeds=(0,))
""",
    "pathways": """
from evo.algorithms.binary_tournament import BinaryTournament
from genomes.pathway import Pathway
from problems.transfer.binary_digits import BinaryDigits
problem = BinaryDigits(digits="digits", batches=20, replicates=3)
tournament = BinaryTournament(population=8, replicates=3, tasks=2, generations_per_task=30)
campaign = Campaign(problem, Pathway.for_problem(problem), tournament, generations=60, seeds=(0,))
""",
    "cohort": """
from evo.algorithms.cohort import Cohort
from genomes.learner import Learner
from problems.continual.permuted_tasks import PermutedTasks
problem = PermutedTasks(data="digits", tasks=12, images=0, test_images=0)
learner = Learner.for_problem(problem, hidden=(16,))
campaign = Campaign(problem, learner, Cohort([{"step_size": 0.1}], 3), generations=12, seeds=(0,))
""",
}
OPTIONS = {"mu-plus-lambda, 2 seeds apart": ("--workers", "2"), "function, 2 workers": ("--workers", "2")}


def begin(*arguments, options=()):
    """Return a process of the command line in a group of its own."""
    command = [sys.executable, "-m", "evo.cli", *map(str, arguments), *options]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONHASHSEED"}
    return subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, env=environment)


def lines(folder):
    """Return how many generations all journals hold."""
    return sum(path.read_bytes().count(b"\n") - 1 for path in folder.rglob("journal.jsonl"))


def kill_at(process, folder, length, pause):
    """Kill a process group when its journals have a length, and a pause later; return whether it was alive."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and lines(folder) < length:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{folder}: nothing has happened for {SECONDS} seconds")
        time.sleep(0.002)
    time.sleep(pause)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def files(folder):
    """Return what is compared."""
    return {str(path.relative_to(folder)): path.read_bytes() for name in COMPARED for path in folder.rglob(name)}


def survives(name, kills, draws, folder):
    """Return how often a campaign was killed, and the files in which it differs from one that was not."""
    source = folder / "file.py"
    source.write_text(HEAD + CAMPAIGNS[name])
    options = OPTIONS.get(name, ())
    if begin("run", source, "--out", folder / "whole", options=options).wait() != 0:
        raise RuntimeError(f"{name}: the uninterrupted run failed")
    length, done, killed = lines(folder / "whole"), folder / "killed", 0
    moments = sorted(draws.randrange(0, length) for _ in range(kills))
    for moment in moments:
        begun = (done / "campaign.json").is_file()
        process = begin(*(("resume", done) if begun else ("run", source, "--out", done)), options=options)
        killed += kill_at(process, done, moment, draws.uniform(0, 0.05))
    if begin(*(("resume", done) if (done / "campaign.json").is_file() else ("run", source, "--out", done)),
             options=options).wait() != 0:  # fmt: skip
        raise RuntimeError(f"{name}: it could not be resumed")
    expected, found = files(folder / "whole"), files(done)
    return killed, sorted(path for path in expected.keys() | found.keys() if expected.get(path) != found.get(path))


def main():
    """Kill and resume all campaigns, and print what became of them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=5)
    options.add_argument("--only", nargs="*", default=list(CAMPAIGNS), choices=CAMPAIGNS)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    total, bad = 0, 0
    for name in chosen.only:
        with tempfile.TemporaryDirectory() as folder:
            killed, different = survives(name, chosen.kills, random.Random(f"{name} {chosen.seed}"), Path(folder))
        total, bad = total + killed, bad + bool(different)
        said = f"DIFFERENT: {different}" if different else "the same bytes"
        print(f"{name:32} {killed} kills  {said}", flush=True)
    print(f"{total} kills, {len(chosen.only)} campaigns, {bad} with other bytes")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
