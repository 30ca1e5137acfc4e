"""Numbers too small for their type's usual form: processors take many times longer with them, so they count as 0.

Weights and moments of silent units decay into them. Torch flushes them for the calling thread alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def flushed() -> Iterator[None]:
    """Count denormal numbers as 0 in this thread while the context lasts."""
    before = _flushing()
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(before)


def _flushing() -> bool:
    """Return whether this thread flushes denormal numbers; torch does not say, so one is tried."""
    smallest = torch.tensor(torch.finfo(torch.float32).tiny)
    return not (smallest * 0.5).item()
