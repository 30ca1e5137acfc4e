"""Sharing a population among threads: kernels let go of the interpreter, so plain threads use all cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

PIECES = 8
"""Pieces per thread: enough to even out large and small networks, few enough to cost nothing."""


def share(work: Callable[[int, int], None], count: int, threads: int) -> None:
    """Call `work(first, last)` for pieces that make up `range(count)`, on several threads."""
    if threads <= 1 or count <= 1:
        work(0, count)
        return
    size = -(-count // (threads * PIECES))
    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(work, first, min(first + size, count)) for first in range(0, count, size)]:
            done.result()
