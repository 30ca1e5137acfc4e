"""One process at a time in a campaign's folder; the lock dies with its holder. For local disks."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from evo.files import open_own

LOOKS, SECONDS = 3, 0.02
"""How often, and after how long, a lock is tried again: who only looks whether it is free holds it for a moment."""


class CampaignBusyError(RuntimeError):
    """Another process works in the folder; the text names it."""


@contextmanager
def locked(folder: Path, take: bool = True) -> Iterator[None]:
    """Hold the folder's lock; raises CampaignBusyError where another process does.

    Args:
        folder: the campaign's.
        take: whether to write down who holds it; else it is only tried.
    """
    if not take and not (folder / ".lock").exists():
        yield
        return
    with os.fdopen(open_own(folder / ".lock", os.O_RDWR | os.O_APPEND | os.O_CREAT), "a+") as stream:
        try:
            _lock(stream)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "unknown"
            raise CampaignBusyError(
                f"{folder}: process {holder} is running this campaign; wait for it or stop it"
            ) from None
        if take:
            stream.truncate(0)
            stream.write(str(os.getpid()))
            stream.flush()
        yield


def _lock(stream: TextIO) -> None:
    """Take the lock of a file; raises BlockingIOError where another process holds it, for longer than a look takes."""
    for _ in range(LOOKS):
        try:
            return fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(SECONDS)
    return fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
