"""Campaigns watched from elsewhere: what runs say of themselves, on a terminal or as TensorBoard's event files."""

from __future__ import annotations

import json
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from evo.lock import CampaignBusyError, locked
from evo.progress import Progress
from evo.recorded import campaign_file

SECONDS = 1.0
"""Between looks."""
SCALARS = {"best", "median", "failed", "evaluated", "seconds", "processor_seconds"}


def watch(folder: Path, once: bool = False, tensorboard: Path | None = None) -> None:
    """Show how far a campaign is until nobody works on it any more.

    Args:
        folder: the campaign's.
        once: look once.
        tensorboard: a folder for event files; see `EventFiles`.

    Raises:
        CampaignError: the folder holds no campaign.
        RuntimeError: TensorBoard is not installed.
    """
    described = campaign_file(folder)["configuration"]
    places = {
        f"{variant} seed {seed}": folder / variant / f"seed-{seed}" / "progress.jsonl"
        for variant in described["variants"]
        for seed in described["seeds"]
    }
    with EventFiles(tensorboard, places) as events, Progress(places) as progress:
        while True:
            busy = in_progress(folder)
            events.write()
            if once or not busy:
                break
            time.sleep(SECONDS)
        progress.say(f"{folder}: {'somebody works on it' if busy else 'nobody works on it'}")


def in_progress(folder: Path) -> bool:
    """Return whether a process works on a campaign."""
    try:
        with locked(folder, take=False):
            return False
    except CampaignBusyError:
        return True


class EventFiles:
    """TensorBoard's event files of a campaign, a folder for each run, as far as its progress is known.

    Of every generation: best, median, failed, evaluated, seconds. A context manager.

    Args:
        folder: for the files; None for none.
        places: the progress files by the names of runs.

    Raises:
        RuntimeError: TensorBoard is not installed.
    """

    def __init__(self, folder: Path | None, places: dict[str, Path]) -> None:
        self._places = places if folder is not None else {}
        self._read = dict.fromkeys(self._places, 0)
        self._writers: dict[str, Any] = {}
        self._folder = folder

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for writer in self._writers.values():
            writer.close()

    def write(self) -> None:
        """Write what is new."""
        for name, path in self._places.items():
            if not path.is_file():
                continue
            with path.open("rb") as stream:
                stream.seek(self._read[name])
                new = stream.read()
            whole = new[: new.rfind(b"\n") + 1]
            self._read[name] += len(whole)
            for line in whole.splitlines():
                self._add(name, line)
            if name in self._writers:
                self._writers[name].flush()

    def _add(self, name: str, line: bytes) -> None:
        try:
            state = json.loads(line)
        except ValueError:  # torn when its writer was killed
            return
        for scalar in SCALARS & state.keys():  # earlier versions wrote fewer
            self._writer(name).add_scalar(scalar, state[scalar], state["generation"])

    def _writer(self, name: str) -> Any:
        if name not in self._writers:
            try:
                from torch.utils.tensorboard import SummaryWriter
            except ImportError as error:
                raise RuntimeError("TensorBoard is not installed; pip install 'evo-genomes[tensorboard]'") from error
            made: Any = SummaryWriter
            self._writers[name] = made(str((self._folder or Path()) / name))
        return self._writers[name]
