"""One process at a time in a campaign's folder; the lock dies with its holder. For local disks."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class CampaignBusyError(RuntimeError):
    """Another process works in the folder; the text names it."""


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; raises CampaignBusyError where another process does."""
    with (folder / ".lock").open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            stream.seek(0)
            holder = stream.read().strip() or "unknown"
            raise CampaignBusyError(
                f"{folder}: process {holder} is running this campaign; wait for it or stop it"
            ) from None
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
