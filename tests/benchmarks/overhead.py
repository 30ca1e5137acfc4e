"""What keeping a campaign costs: its records as a share of a generation, and what handing out one evaluation takes.

    python tests/benchmarks/overhead.py [--generations 128] [--rounds 7] [--alone]

First a swing-up campaign of the paper's size (192 networks, 6 weights x 3 episodes of 1,000 steps), whole: wall time
inside the evaluator, in making a generation's record, in the journal (written through to the disk, with fsync), in the
archive, in the line of progress, and in the algorithm. Then microseconds per evaluation of a function that does
nothing, 2,000 to a generation on 2 processes: this package's pool, with its guards, on this machine and on the two
nodes of a Dask and a Ray cluster here; joblib with a call for each; EvoTorch's Ray actors. All in turn, after a
warm-up; medians over rounds. Asserts nothing.
"""

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
import torch

from evo.evaluation.backends import connect
from evo.evaluation.cluster import ClusterPool
from evo.evaluation.evaluator import Evaluator
from evo.evaluation.workers import WorkerPool
from evo.function_problem import fitness
from evo.journal import Journal
from evo.loading import load_campaign
from evo.run import _Execution

RUN = Path(__file__).parents[2] / "runs" / "wann_swingup.py"
COUNT, WORKERS = 2000, 2


def records(generations):
    """Print which share of a campaign's time each part takes."""
    parts = []  # of each generation, by name

    def timed(kind, method, name):
        inside = getattr(kind, method)

        def outside(self, *arguments):
            if name == "all":
                parts.append(defaultdict(float))
            began = time.perf_counter()
            result = inside(self, *arguments)
            if parts:
                parts[-1][name] += time.perf_counter() - began
            return result

        setattr(kind, method, outside)

    timed(Evaluator, "evaluate", "evaluation")
    timed(_Execution, "_record", "record")
    timed(Journal, "append", "journal")
    timed(_Execution, "_remember", "archive")
    timed(_Execution, "_report", "progress")
    timed(_Execution, "evaluate", "all")
    campaign = load_campaign(RUN)
    folder = Path(tempfile.mkdtemp(dir=os.environ.get("BENCHMARK_DIR")))
    began = time.perf_counter()
    replace(campaign, seeds=(0,), generations=generations).run(out=folder / "run", workers=2, quiet=True, source=RUN)
    whole = time.perf_counter() - began
    shutil.rmtree(folder)
    late = parts[generations // 2 :]  # networks have grown, and everything is compiled
    every = statistics.median(part["all"] for part in late)
    print(f"a generation of the swing-up, median of the last {len(late)} of {generations}: {1e3 * every:.2f} ms")
    for name in ("evaluation", "record", "journal", "archive", "progress"):
        took = statistics.median(part[name] for part in late)
        print(f"  {name:10} {1e3 * took:8.2f} ms, {100 * took / every:6.2f} %")
    named = [sum(part.values()) - part["all"] for part in late]
    rest = statistics.median(part["all"] - some for part, some in zip(late, named, strict=True))
    print(f"  the rest   {1e3 * rest:8.2f} ms, {100 * rest / every:6.2f} %")
    total = sum(part["all"] for part in parts)
    inside = sum(part["evaluation"] for part in parts)
    print(f"  whole campaign {whole:8.2f} s: evaluation {inside:.2f}, records {total - inside:.2f}, all else")


def nothing(x):
    """Return the first number: what is measured is the way to here and back."""
    return float(x[0])


def pool_seconds(rounds):
    """Return seconds per generation in this package's worker processes."""
    problem = fitness(maximize="score")(nothing)
    rows = torch.arange(COUNT, dtype=torch.float64)[:, None]
    with WorkerPool(WORKERS) as pool:
        return [measured(lambda: pool.evaluate(problem, rows, np.random.default_rng(0))) for _ in range(rounds + 2)][2:]


def dask_seconds(rounds):
    """Return seconds per generation on the nodes of a Dask cluster."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, silence_logs=40) as nodes:
        return cluster_seconds(nodes.scheduler_address.replace("tcp", "dask"), rounds)


def own_ray_seconds(rounds):
    """Return seconds per generation on the nodes of a Ray cluster."""
    import ray

    ray.init("local", num_cpus=WORKERS, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    found = cluster_seconds("ray", rounds)
    ray.shutdown()
    return found


def cluster_seconds(backend, rounds):
    """Return seconds per generation by way of a backend."""
    problem = fitness(maximize="score")(nothing)
    rows = torch.arange(COUNT, dtype=torch.float64)[:, None]
    with connect(backend) as cluster:
        pool = ClusterPool(cluster)
        return [measured(lambda: pool.evaluate(problem, rows, np.random.default_rng(0))) for _ in range(rounds + 2)][2:]


def joblib_seconds(rounds):
    """Return seconds per generation of a joblib call for each individual, in processes that stay."""
    rows = [np.array([float(number)]) for number in range(COUNT)]
    with joblib.Parallel(WORKERS) as parallel:
        return [measured(lambda: parallel(joblib.delayed(nothing)(row) for row in rows)) for _ in range(rounds + 2)][2:]


def ray_seconds(rounds):
    """Return seconds per generation in EvoTorch's actors, which are Ray's."""
    os.environ["EVOTORCH_VERBOSE_LEVEL"] = "0"
    import evotorch

    problem = evotorch.Problem("max", nothing, solution_length=1, bounds=(0, 1), num_actors=WORKERS)
    batch = problem.generate_batch(COUNT)

    def evaluate():
        batch.set_values(batch.values)  # forgets the scores
        problem.evaluate(batch)

    found = [measured(evaluate) for _ in range(rounds + 2)][2:]
    problem.kill_actors()
    return found


def measured(work):
    """Return the wall time of `work()`."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main():
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generations", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--alone", action="store_true", help="without clusters, Dask and Ray")
    asked = parser.parse_args()
    records(asked.generations)
    print(f"\nan evaluation of nothing, {COUNT} a generation on {WORKERS} processes:")
    peers = {"worker pool": pool_seconds, "joblib.Parallel": joblib_seconds}
    if not asked.alone:
        peers |= {"... on Dask": dask_seconds, "... on Ray": own_ray_seconds, "EvoTorch's Ray actors": ray_seconds}
    for name, seconds in peers.items():
        times = seconds(asked.rounds)
        low, high = 1e6 * min(times) / COUNT, 1e6 * max(times) / COUNT
        print(f"  {name:22} {1e6 * statistics.median(times) / COUNT:8.1f} us ({low:.1f} to {high:.1f})")


if __name__ == "__main__":
    main()
