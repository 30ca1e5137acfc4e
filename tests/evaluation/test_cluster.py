"""A campaign on a cluster writes what it writes on one machine, byte for byte, and outlives the nodes it loses."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from evo import Campaign
from evo.algorithms.distribution import SNES
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.evaluation.backends import connect
from evo.evaluation.cluster import Cluster, ClusterPool
from evo.evaluation.packing import as_bytes, register_by_value
from evo.function_problem import fitness
from evo.outcome import Outcome, join
from genomes.perceptron import Perceptron
from genomes.vector import Vector
from problems.digits import Digits

register_by_value(sys.modules[__name__])  # nodes need not be able to import the tests
SECONDS = 120


@dataclass
class Nodes:
    """A cluster of this machine's, with two nodes.

    Attributes:
        backend: its name.
        lose_one: kills a node with everything that it runs.
    """

    backend: str
    lose_one: Callable[[], None]


def started(stack: contextlib.ExitStack, *command: str) -> subprocess.Popen:
    """Return a process with a group of its own, which ends with the stack."""
    process = subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def end() -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    stack.callback(end)
    return process


@contextlib.contextmanager
def dask_nodes(folder: Path):
    file = folder / "scheduler.json"
    with contextlib.ExitStack() as stack:
        bare = ("--host", "127.0.0.1", "--no-dashboard")
        started(stack, sys.executable, "-m", "dask", "scheduler", *bare, "--port", "0", "--scheduler-file", str(file))
        wait_for(file.is_file)
        worker = ("-m", "dask", "worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-nanny", *bare)
        nodes = [started(stack, sys.executable, *worker, "--local-directory", str(folder)) for _ in range(2)]
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=SECONDS)
            address = client.scheduler.address
        yield Nodes(address.replace("tcp", "dask"), lambda: os.killpg(nodes.pop().pid, signal.SIGKILL))


@contextlib.contextmanager
def ray_nodes(_folder: Path):
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    with contextlib.ExitStack() as stack:
        stack.callback(cluster.shutdown)
        nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
        stack.enter_context(pytest.MonkeyPatch.context()).setenv("RAY_ADDRESS", cluster.address)
        ray.init(address=cluster.address, log_to_driver=False)
        stack.callback(ray.shutdown)
        wait_for(lambda: ray.cluster_resources().get("CPU", 0) == 2)
        yield Nodes("ray", lambda: cluster.remove_node(nodes.pop(), allow_graceful=False))


def wait_for(ready) -> None:
    deadline = time.monotonic() + SECONDS
    while not ready():
        assert time.monotonic() < deadline, "the cluster did not start"
        time.sleep(0.1)


@pytest.fixture(params=["dask", "ray"])
def nodes(request, tmp_path):
    with {"dask": dask_nodes, "ray": ray_nodes}[request.param](tmp_path) as found:
        yield found


@fitness(maximize="score")
def faulty(x, rng):
    """Score numbers, and fail in a different way for some of them."""
    if 0.2 < x[0] < 0.25:
        os._exit(3)
    if 0.3 < x[0] < 0.35:
        raise ValueError("no")
    if 0.4 < x[0] < 0.45:
        return float("nan")
    time.sleep(0.01)
    return float(-np.square(x).sum() + 0.01 * rng.standard_normal())


def functions(generations=5) -> Campaign:
    genome = Vector(3, low=-1.0, high=1.0)
    return Campaign(faulty, genome, MuPlusLambda(population=24), generations=generations, seeds=(0,))


def batches() -> Campaign:
    problem = Digits(batch=64)
    genome = Perceptron.for_problem(problem, hidden=(4,))
    return Campaign(problem, genome, SNES(population=10), generations=3, seeds=(0, 1))


def journals(folder: Path) -> dict[str, bytes]:
    names = ("journal.jsonl", "champion.json", "archive.json")
    found = {str(path.relative_to(folder)): path.read_bytes() for name in names for path in folder.rglob(name)}
    assert found
    return found


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Return what the campaigns write on one machine."""
    folder = tmp_path_factory.mktemp("local")
    for workers in (1, 2, 3):
        functions().run(workers=workers, out=folder / f"functions-{workers}", quiet=True)
    batches().run(workers=2, out=folder / "batches", quiet=True)
    found = [journals(folder / f"functions-{workers}") for workers in (1, 2, 3)]
    assert found[0] == found[1] == found[2]
    return found[0], journals(folder / "batches")


def test_journals_are_those_of_one_machine(nodes, local, tmp_path):
    for make, expected in zip((functions, batches), local, strict=True):
        make().run(out=tmp_path / make.__name__, quiet=True, backend=nodes.backend)
        assert journals(tmp_path / make.__name__) == expected


def test_a_node_that_dies_in_mid_generation_loses_nothing(nodes):
    def slow(x):
        time.sleep(0.05)
        return float(x[0])

    problem = fitness(maximize="score")(slow)
    with connect(nodes.backend) as cluster:
        pool = ClusterPool(cluster)
        assert join(pool.evaluate(problem, torch.zeros(4, 1), np.random.default_rng(0))).ok.all()
        killer = threading.Timer(0.5, nodes.lose_one)
        killer.start()
        outcomes = join(pool.evaluate(problem, torch.arange(60.0)[:, None], np.random.default_rng(0)))
        killer.join()
    assert outcomes.scores.flatten().tolist() == list(range(60))
    assert set(outcomes.kinds) == {Outcome.OK}


class Here(Cluster):
    """A cluster of two slots that are this process; it notes how much it was sent."""

    sent: ClassVar[list[int]] = []

    def slots(self):
        return 2

    def map(self, function, shared, parts):
        self.sent.extend(map(len, parts))
        return [function(shared, part) for part in parts]

    def close(self):
        pass


def test_a_share_takes_only_its_own_individuals_along():
    problem = Digits(batch=8)
    genome = Perceptron.for_problem(problem, hidden=(4,))
    phenotypes = genome.express(genome.sample(64, np.random.default_rng(0)))
    Here.sent.clear()
    outcomes = join(ClusterPool(Here()).evaluate(problem, phenotypes, np.random.default_rng(1)))
    assert torch.equal(outcomes.scores, problem.evaluate(phenotypes, np.random.default_rng(1)).scores)
    assert len(Here.sent) == 8
    assert sum(Here.sent) < 2 * len(as_bytes(phenotypes, "all"))


def test_dask_workers_with_a_nanny_may_catch_what_crashes():
    from distributed import LocalCluster

    def deadly(x):
        return os._exit(3) if x[0] == 2 else float(x[0])

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as nodes,
        connect(nodes.scheduler_address.replace("tcp", "dask")) as cluster,
    ):
        outcomes = join(
            ClusterPool(cluster).evaluate(
                fitness(maximize="score")(deadly), torch.arange(6.0)[:, None], np.random.default_rng(0)
            )
        )
    assert [kind.name for kind in outcomes.kinds] == ["OK", "OK", "CRASHED", "OK", "OK", "OK"]


@pytest.mark.parametrize("backend", ["spark", "ray://", "dask", "dask://", ""])
def test_a_backend_that_does_not_exist_is_refused_before_anything_is_written(backend, tmp_path):
    with pytest.raises(ValueError, match="backend: expected 'loky'"):
        functions().run(out=tmp_path / "run", quiet=True, backend=backend)
    assert not (tmp_path / "run").exists()


def test_a_cluster_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("evo.evaluation.on_dask.SECONDS", 0.2)
    with pytest.raises(RuntimeError, match=r"no Dask scheduler with workers at tcp://127.0.0.1:1"):
        connect("dask://127.0.0.1:1")
