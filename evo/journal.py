"""One append-only journal per run: a checksummed line per generation, safe against being cut off anywhere.

A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON. The first line holds the format and
what was run. A line that is torn or damaged, and all behind it, are cut off on opening: the generations they held
are computed again, with the same result. Lines hold no times, so the same run writes the same bytes.
"""

from __future__ import annotations

import json
import os
import zlib
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from evo.files import sync_directory

FORMAT = "evo.journal/1"


class JournalError(ValueError):
    """A journal that belongs to another run, or to a later version; the text says which."""


def encode(record: dict[str, Any]) -> bytes:
    """Return a record as a line; raises ValueError for NaN and infinity."""
    text = json.dumps(record, separators=(",", ":"), allow_nan=False).encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def decode(line: bytes) -> dict[str, Any] | None:
    """Return the record of a whole, undamaged line; None for any other."""
    checksum, space, text = line[:8], line[8:9], line[9:-1]
    if space != b" " or line[-1:] != b"\n" or checksum != b"%08x" % zlib.crc32(text):
        return None
    record = json.loads(text)
    return record if isinstance(record, dict) else None


def read(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the undamaged records at a journal's start, and the bytes they take."""
    records: list[dict[str, Any]] = []
    size = 0
    with path.open("rb") as stream:
        for line in stream:
            record = decode(line)
            if record is None:
                break
            records.append(record)
            size += len(line)
    return records, size


def header(path: Path) -> dict[str, Any]:
    """Return a journal's first record, which says what was run; an empty one where that line is torn or damaged."""
    with path.open("rb") as stream:
        return decode(stream.readline()) or {}


class Journal:
    """A run's journal, open for reading what is there and appending.

    Args:
        path: the file; made where there is none.
        header: what is run; a journal that is there must have been opened with the same.

    Raises:
        JournalError: the file is of another format, or of another run.
    """

    def __init__(self, path: Path, header: dict[str, Any]) -> None:
        expected = {"format": FORMAT, **header}
        records, size = read(path) if path.exists() else ([], 0)
        if records and records[0] != expected:
            changed = [name for name in expected if records[0].get(name) != expected[name]]
            raise JournalError(
                f"{path} belongs to another run: {', '.join(changed)} differ "
                f"(recorded {[records[0].get(name) for name in changed]}, now {[expected[name] for name in changed]}). "
                f"If you changed the code or the settings, start a new run."
            )
        self._stream: BinaryIO = path.open("r+b" if path.exists() else "x+b")
        self._stream.truncate(size)
        self._stream.seek(size)
        self.records = records[1:]
        self._header = expected
        if not records:
            self._write(expected)
            sync_directory(path.parent)

    def append(self, record: dict[str, Any]) -> None:
        """Add a record; when this returns, it is on the disk."""
        self._write(record)
        self.records.append(record)

    def cut(self, count: int) -> None:
        """Forget all records but the first `count`."""
        size = sum(len(encode(record)) for record in (self._header, *self.records[:count]))
        self._stream.truncate(size)
        self._stream.seek(size)
        del self.records[count:]

    def _write(self, record: dict[str, Any]) -> None:
        self._stream.write(encode(record))
        self._stream.flush()
        os.fsync(self._stream.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
