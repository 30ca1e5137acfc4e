"""What benchmarks share: timing, and what this machine could do at most."""

import statistics
import time

import numpy as np
from numba import njit

from evo.evaluation.compiled_lanes import OPTIONS
from evo.evaluation.threads import share
from evo.lanes import exp


def seconds(work, repeats=5):
    """Return the median wall time of `work()`, after one call that does not count."""
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


@njit(nogil=True, **OPTIONS)
def _multiply_add(x, y, w, rounds):
    for _ in range(rounds):
        for place in range(len(x)):
            y[place] += w * x[place]


@njit(nogil=True, **OPTIONS)
def _exponentials(x, y, rounds):
    for _ in range(rounds):
        for place in range(len(x)):
            y[place] = exp(x[place])


def limit(edges, nodes, threads):
    """Return the seconds this machine needs for one fused multiply-add per edge and one vectorised exp per node.

    Args:
        edges, nodes: how many element operations of each kind there are in all.
        threads: how many threads share them.
    """
    block = 2048  # float32 numbers: input and output stay in the first-level cache
    x, w = np.linspace(-1, 1, block, dtype=np.float32), np.float32(0.5)

    def work(first, last):
        y = np.zeros(block, np.float32)
        _multiply_add(x, y, w, (last - first) * edges // (block * 64))
        _exponentials(x, y, (last - first) * nodes // (block * 64))

    return seconds(lambda: share(work, 64, threads))
