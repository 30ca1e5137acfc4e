"""Writing files so that nothing is ever half written: a temporary file beside, fsync, rename."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any


def check_output(option: str, path: Path, *sources: Path) -> None:
    """Raise ValueError where a file cannot be written, before anything is reckoned for it.

    Args:
        option: what the path was given as, for the message, such as "--out".
        path: the file to be written.
        sources: files that are read for it, and would be lost.
    """
    if path.is_dir():
        raise ValueError(f"{option}: {path} is a folder; name a file in it")
    if not path.parent.is_dir():
        raise ValueError(f"{option}: there is no folder {path.parent} to write {path.name} to; make it first")
    for source in sources:
        if path.exists() and source.exists() and path.samefile(source):
            raise ValueError(f"{option}: {path} is a file that is read for it; name another")


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path`, whole or not at all; a file that was there stays until the new one is complete."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, as `write_text` does."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write plain JSON data to `path`, whole or not at all; NaN and infinity are refused with ValueError."""
    write_text(path, json.dumps(value, indent=1, allow_nan=False) + "\n")


def sync_directory(folder: Path) -> None:
    """Make sure that a rename in `folder` outlives a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
