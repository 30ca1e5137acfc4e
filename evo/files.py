"""Writing files so that nothing is ever half written: a temporary file beside, fsync, rename. Reading JSON."""

from __future__ import annotations

import errno
import json
import math
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

LARGEST_JSON = 256 * 2**20
"""Bytes; a JSON file beyond is refused unread."""


DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
"""Faults of a disk, not of a path."""


class DiskError(OSError):
    """A file that could not be written, as the disk is full, say; the text says which, why, and what to do."""


@contextmanager
def telling_of(path: Path) -> Iterator[None]:
    """Tell in one line, as DiskError, of what goes wrong while `path` is written."""
    try:
        yield
    except OSError as error:
        if error.errno not in DISK:  # a DiskError has no number
            raise
        raise DiskError(
            f"{path} could not be written: {error.strerror or error}. What was finished before is whole; make room, or "
            f"mend what the disk lacks, and resume"
        ) from error


def open_own(path: Path, flags: int) -> int:
    """Open a file for writing, as `os.open` does with `flags`, but never what a link in its place leads to.

    Raises:
        DiskError: it is a link, or cannot be opened.
    """
    if path.is_symlink():
        raise DiskError(f"{path} is a link to another file, and is not written through; put a file in its place")
    with telling_of(path):
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)


def write_all(handle: int, content: bytes) -> None:
    """Write `content` whole to an open file."""
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(handle, rest) :]


def append_text(path: Path, text: str) -> None:
    """Write `text` behind what a file has; DiskError where it cannot be written."""
    handle = open_own(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        with telling_of(path):
            write_all(handle, text.encode())
    finally:
        os.close(handle)


def read_json(path: Path) -> Any:
    """Return what a JSON file says that may come from a stranger.

    Raises:
        ValueError: it is too large, or no JSON as the standard has it (NaN and numbers beyond float64 are none); the
            text is one line, without the file's name.
        FileNotFoundError: there is none.
    """
    if path.stat().st_size > LARGEST_JSON:
        raise ValueError(f"larger than {LARGEST_JSON} bytes")
    return parsed(path.read_bytes())


def read_format(path: Path, written: str) -> dict[str, Any]:
    """Return what a JSON file says whose `format` is `written`; ValueError, in one line, where it is none."""
    try:
        said = read_json(path)
    except ValueError as error:
        raise ValueError(f"{path}: {error}; is it what the run left, and whole?") from None
    if not isinstance(said, dict) or said.get("format") != written:
        raise ValueError(f"{path}: not of the format {written}; was it written by a later version?")
    return said


def parsed(content: bytes) -> Any:
    """Return what JSON says; ValueError, in one line, where it is none."""
    try:
        return json.loads(content.decode(), parse_constant=refuse, parse_float=_finite)
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"no JSON: {error}") from None


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:20]} is beyond what a number can be")
    return number


def refuse(constant: str) -> NoReturn:
    """Raise ValueError for NaN and infinity, as `parse_constant` of `json.loads`."""
    raise ValueError(f"it holds {constant}, which is no JSON number")


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
    """Write `content` to `path`, as `write_text` does; a link there is replaced, not written through.

    Raises:
        DiskError: it cannot be written.
    """
    with telling_of(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            try:
                write_all(handle, content)
                os.fsync(handle)
            finally:
                os.close(handle)
            os.chmod(name, 0o644)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write plain JSON data to `path`, whole or not at all; NaN and infinity are refused with ValueError."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:
    """Return plain JSON data as files have it; ValueError for NaN and infinity."""
    return json.dumps(value, indent=1, allow_nan=False) + "\n"


def sync_directory(folder: Path) -> None:
    """Make sure that a rename in `folder` outlives a crash of the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
