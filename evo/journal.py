"""One append-only journal per run: a checksummed line per generation, safe against being cut off anywhere.

A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON. The first line holds the format and
what was run. A line that is torn or damaged, and all behind it, are as good as none, and are cut off when the next one
is written: the generations they held are computed again, with the same result. Lines hold no times, so the same run
writes the same bytes.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Iterator
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


def each(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the undamaged records at a journal's start, one at a time, and the bytes up to the end of each."""
    end = 0
    with path.open("rb") as stream:
        for line in stream:
            record = decode(line)
            if record is None:
                return
            end += len(line)
            yield record, end


def read(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the undamaged records at a journal's start, whole, and the bytes they take."""
    records: list[dict[str, Any]] = []
    size = 0
    for record, size in each(path):  # noqa: B007 (the last one counts)
        records.append(record)
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
        without: what `records` leaves out of each record, by name; the file has it.

    Attributes:
        records: those in the file, but for the header.
        damaged: whether there was something behind them that could not be read.

    Raises:
        JournalError: the file is of another format, or of another run.
    """

    def __init__(self, path: Path, header: dict[str, Any], without: Iterable[str] = ()) -> None:
        expected = {"format": FORMAT, **header}
        self._without = frozenset(without)
        self._ends: list[int] = []
        self.records: list[dict[str, Any]] = []
        if path.exists():
            self._read(path, expected)
        self._stream: BinaryIO = path.open("r+b" if path.exists() else "x+b")
        self.damaged = self._stream.seek(0, os.SEEK_END) > self._end
        if not self._ends:
            self._write(expected)
            sync_directory(path.parent)

    def _read(self, path: Path, expected: dict[str, Any]) -> None:
        for record, end in each(path):
            if self._ends:
                self.records.append(self._kept(record))
            elif record != expected:
                changed = [name for name in expected if record.get(name) != expected[name]]
                raise JournalError(
                    f"{path} belongs to another run: {', '.join(changed)} differ "
                    f"(recorded {[record.get(name) for name in changed]}, now {[expected[name] for name in changed]}). "
                    f"If you changed the code, the settings or the data, start a new run."
                )
            self._ends.append(end)

    def append(self, record: dict[str, Any]) -> None:
        """Add a record; when this returns, it is on the disk."""
        self._write(record)
        self.records.append(self._kept(record))

    def cut(self, count: int) -> None:
        """Forget all records but the first `count`."""
        if count >= len(self.records):
            return
        del self.records[count:], self._ends[count + 1 :]
        self._end_here()

    def _kept(self, record: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in record.items() if name not in self._without}

    @property
    def _end(self) -> int:
        return self._ends[-1] if self._ends else 0

    def _end_here(self) -> None:
        self._stream.truncate(self._end)
        self._stream.seek(self._end)

    def _write(self, record: dict[str, Any]) -> None:
        line = encode(record)
        self._end_here()
        self._stream.write(line)
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self._ends.append(self._end + len(line))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()
