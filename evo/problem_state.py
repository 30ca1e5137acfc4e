"""States as files in a run's folder, the last two of a kind: a problem's, or where the search stands.

A file is a line of JSON (format, the generation, a digest of that generation's record in the journal, the sha256 of
what follows) and numpy's `.npz`, read without pickle. A file that is damaged, or does not fit the journal, is as good
as none: the run goes on from an earlier one, or from its start, and comes to the same bytes.
"""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo.files import write_bytes
from evo.settings import digest
from evo.stateful import State

FORMAT = "evo.problem-state/1"
KEPT = 2
"""Files."""
SHARE = 0.05
"""Of a run's time that storing states may take: they are of many megabytes, and generations may be short."""
RECORDED = ("generation", "rows", "scores", "failed")
"""What a journal's record is recognised by."""


class StoredStates:
    """The stored states of one kind of a run.

    Args:
        folder: the run's.
        kind: what files' names begin with.
        pause: seconds between two of them, at least, and before the first.
    """

    def __init__(self, folder: Path, kind: str = "problem", pause: float = 0.0) -> None:
        self.folder, self.kind, self.pause = folder, kind, pause
        self.saved = -1
        self._next = time.monotonic() + pause if pause else 0.0

    @property
    def due(self) -> bool:
        """Whether enough time has passed since a state was stored. It decides how much a resumed run repeats."""
        return time.monotonic() >= self._next

    def save(self, record: Mapping[str, Any], state: State) -> None:
        """Store the state after a generation, given its record, and let go of those long past."""
        began = time.monotonic()
        generation = int(record["generation"])
        write_bytes(self._path(generation), encode(record, state))
        self.saved = generation
        files = self.folder.glob(f"{self.kind}-*.state")
        for other in sorted(files, key=lambda path: self._distance(path, generation))[KEPT:]:
            other.unlink(missing_ok=True)
        now = time.monotonic()
        self._next = now + max((now - began) / SHARE, self.pause)

    def latest(self, records: Sequence[Mapping[str, Any]]) -> tuple[int, State] | None:
        """Return the last recorded generation whose state is at hand, and that; None without any."""
        for generation in reversed(range(len(records))):
            path = self._path(generation)
            state = decode(path.read_bytes(), records[generation]) if path.is_file() else None
            if state is not None:
                self.saved = generation
                return generation, state
        return None

    def _path(self, generation: int) -> Path:
        return self.folder / f"{self.kind}-{generation:09d}.state"

    def _distance(self, path: Path, generation: int) -> int:
        """Return how long before a generation a file is from; those of later ones, which come again, are last."""
        number = path.stem.removeprefix(f"{self.kind}-")
        before = generation - int(number) if number.isdigit() else -1
        return before if before >= 0 else 2**62


def encode(record: Mapping[str, Any], state: State) -> bytes:
    """Return a state as the content of a file.

    Raises:
        TypeError: something in it is no tensor.
        ValueError: a name is one that files cannot hold.
    """
    wrong = {name: type(value).__name__ for name, value in state.items() if not isinstance(value, torch.Tensor)}
    if wrong:
        raise TypeError(f"state: expected tensors by name, got {wrong}; make numbers torch.tensor(number)")
    taken = {"file", "allow_pickle"} & state.keys()
    if taken:
        raise ValueError(f"state: numpy's files have no room for the names {sorted(taken)}; choose others")
    stream = io.BytesIO()
    arrays: dict[str, Any] = {name: value.detach().cpu().contiguous().numpy() for name, value in state.items()}
    np.savez(stream, allow_pickle=False, **arrays)
    content = stream.getvalue()
    line = {
        "format": FORMAT,
        "generation": record["generation"],
        "record": _recognised(record),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    return json.dumps(line).encode() + b"\n" + content


def decode(content: bytes, record: Mapping[str, Any]) -> State | None:
    """Return the state that a file holds; None where it is damaged, or another generation's, or another run's."""
    line, _, rest = content.partition(b"\n")
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    expected = {"format": FORMAT, "generation": record["generation"], "record": _recognised(record)}
    if not isinstance(said, dict) or said != {**expected, "sha256": hashlib.sha256(rest).hexdigest()}:
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(rest)) as archive:
            if sum(member.file_size for member in archive.infolist()) > len(rest):  # nothing is packed by `encode`
                return None
        with np.load(io.BytesIO(rest), allow_pickle=False) as arrays:
            return {name: torch.from_numpy(arrays[name]) for name in arrays.files}
    except (ValueError, TypeError, OSError, EOFError, KeyError, MemoryError, zipfile.BadZipFile, NotImplementedError):
        return None  # a stranger's: its digest fits, and yet no run wrote it


def read(folder: str | Path) -> State:
    """Return the state that a run left last, to look at, or to ask it what it has learned.

    Args:
        folder: the run's, or that of a campaign with a single run.

    Raises:
        FileNotFoundError: there is none that is whole.
    """
    from evo.journal import read as read_journal

    folder = Path(folder)
    own = folder / "journal.jsonl"
    journals = [own] if own.is_file() else [*folder.glob("*/*/journal.jsonl")]
    if len(journals) != 1:
        raise FileNotFoundError(f"{folder}: expected the folder of one run, got one with {len(journals)} runs")
    found = StoredStates(journals[0].parent).latest(read_journal(journals[0])[0][1:])
    if found is None:
        raise FileNotFoundError(
            f"{folder}: no whole state of its problem is left; resume the run, and it is made again"
        )
    return found[1]


def _recognised(record: Mapping[str, Any]) -> str:
    return digest({name: record[name] for name in RECORDED})[:16]
