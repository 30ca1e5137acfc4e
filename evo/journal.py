"""One append-only journal per run: a checksummed line per generation, safe against being cut off anywhere.

A line is the CRC-32 of its JSON in eight hexadecimal digits, a space, the JSON. The first line holds the format and
what was run. A line that is torn or damaged, and all behind it, are as good as none, and are cut off when the next one
is written: the generations they held are computed again, with the same result. Lines hold no times, so the same run
writes the same bytes. A line outlives its process at once; a power cut costs the last one at most, for it is synced
while the next generation is evaluated.
"""

from __future__ import annotations

import json
import os
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from evo.files import open_own, refuse, sync_directory, telling_of, write_all

FORMAT = "evo.journal/1"
LONGEST_LINE = 2**30
"""Bytes; a longer one is neither read nor written."""


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
    try:
        record = json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def each(path: Path) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the undamaged records at a journal's start, one at a time, and the bytes up to the end of each."""
    end = 0
    with path.open("rb") as stream:
        while line := stream.readline(LONGEST_LINE):
            record = decode(line)
            if record is None:
                return
            end += len(line)
            yield record, end


def generations(path: Path, needed: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """Yield a journal's records but the first, one at a time, checked: the file may come from a stranger.

    Args:
        path: the file.
        needed: names that every record must have.

    Raises:
        JournalError: it is of another format, or a whole line says what no run writes.
    """
    for place, (record, _) in enumerate(each(path)):
        fault = _fault(record, place - 1, needed) if place else _header_fault(record)
        if fault:
            raise _wrong(path, place, fault)
        if place:
            yield record


def _wrong(path: Path, place: int, fault: str) -> JournalError:
    return JournalError(f"{path}: line {place + 1}: {fault}; was it edited, or written by a later version?")


def _header_fault(record: dict[str, Any]) -> str:
    if record.get("format") != FORMAT:
        return f"not of the format {FORMAT}"
    whole = type(record.get("seed", 0)) is int and isinstance(record.get("variant", ""), str)
    return "" if whole else "seed is no whole number, or variant no text"


def _fault(record: dict[str, Any], generation: int, needed: Iterable[str]) -> str:
    """Return what is wrong with the record of a generation; empty where nothing is."""
    missing = [name for name in needed if name not in record]
    if missing:
        return f"it has no {', '.join(missing)}"
    if record.get("generation") != generation:
        return f"generation {str(record.get('generation'))[:20]!r} in place of {generation}"
    wrong = [name for name, right in SHAPES.items() if name in record and not right(record[name])]
    return f"{wrong[0]} is not as it should be" if wrong else ""


def _are_scores(rows: Any) -> bool:
    """Return whether it is a list of lists, all of one length from 1 up, of finite numbers and None."""
    if not isinstance(rows, list) or not all(isinstance(row, list) and row for row in rows):
        return False
    numbers = all(value is None or _is_number(value) for row in rows for value in row)
    return numbers and len({len(row) for row in rows}) <= 1


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= sys.float_info.max


def _are_births(births: Any) -> bool:
    return isinstance(births, list) and all(
        isinstance(one, list) and len(one) == 3 and all(type(uid) is int and -1 <= uid < 2**48 for uid in one)
        for one in births
    )


def _are_failures(failed: Any) -> bool:
    return isinstance(failed, dict) and all(
        isinstance(one, list) and len(one) == 2 and all(isinstance(word, str) for word in one)
        for one in failed.values()
    )


SHAPES: dict[str, Callable[[Any], bool]] = {
    "scores": _are_scores,
    "births": _are_births,
    "failed": _are_failures,
    "features": lambda value: isinstance(value, dict),
    "measured": lambda value: isinstance(value, dict),
}
"""Whether what a record has under a name is what runs write; identities are below 2**48 (`evo.lineage`)."""


def read(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the undamaged records at a journal's start, whole, and the bytes they take."""
    records: list[dict[str, Any]] = []
    size = 0
    for record, size in each(path):  # noqa: B007 (the last one counts)
        records.append(record)
    return records, size


def header(path: Path) -> dict[str, Any]:
    """Return a journal's first record, which says what was run; an empty one where that line is torn or damaged.

    Raises:
        JournalError: it is of another format.
    """
    with path.open("rb") as stream:
        record = decode(stream.readline(LONGEST_LINE))
    if record is not None and (fault := _header_fault(record)):
        raise _wrong(path, 0, fault)
    return record or {}


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
        JournalError: the file is of another format, or of another run, or holds what no run writes.
        DiskError: it cannot be written.
    """

    def __init__(self, path: Path, header: dict[str, Any], without: Iterable[str] = ()) -> None:
        expected = {"format": FORMAT, **header}
        self._without = frozenset(without)
        self._ends: list[int] = []
        self.records: list[dict[str, Any]] = []
        if path.exists():
            self._read(path, expected)
        self._path = path
        self._syncing: Future[None] | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._handle = open_own(path, os.O_RDWR | os.O_CREAT)
        self.damaged = os.lseek(self._handle, 0, os.SEEK_END) > self._end
        if not self._ends:
            try:
                self._write(expected)
                self._settle()
            except BaseException:
                self._thread.shutdown()
                os.close(self._handle)
                raise
            sync_directory(path.parent)

    def _read(self, path: Path, expected: dict[str, Any]) -> None:
        for record, end in each(path):
            if self._ends:
                if fault := _fault(record, len(self.records), ()):
                    raise _wrong(path, len(self._ends), fault)
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
        """Add a record: it survives this process at once, and the machine when the next one is added, or on closing.

        What waits for the disk is another thread, while the next generation is evaluated.
        """
        self._write(record)
        self.records.append(self._kept(record))

    def forget(self, number: int) -> None:
        """Keep no more of a record, in memory, than that there was one."""
        self.records[number] = {}

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
        os.ftruncate(self._handle, self._end)
        os.lseek(self._handle, self._end, os.SEEK_SET)

    def _write(self, record: dict[str, Any]) -> None:
        line = encode(record)
        if len(line) > LONGEST_LINE:
            raise JournalError(
                f"{self._path}: a generation takes {len(line)} bytes, and lines have at most {LONGEST_LINE}; let the "
                f"problem measure less, or the population be smaller"
            )
        self._settle()
        with telling_of(self._path):
            self._end_here()
            write_all(self._handle, line)
        self._syncing = self._thread.submit(os.fsync, self._handle)
        self._ends.append(self._end + len(line))

    def _settle(self) -> None:
        """Wait until all that was written is on the disk; DiskError where it does not get there."""
        syncing, self._syncing = self._syncing, None
        if syncing is not None:
            with telling_of(self._path):
                syncing.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is None:
                self._settle()
        finally:
            self._thread.shutdown()
            os.close(self._handle)
