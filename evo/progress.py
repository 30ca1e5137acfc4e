"""Live progress of a campaign: one table on a terminal, plain lines elsewhere.

It reads what runs write about themselves, so it is the same wherever they are executed.
"""

from __future__ import annotations

import json
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

SECONDS = 0.5
"""Between looks."""
COLUMNS = ("generation", "best", "median", "failed", "evaluations/s", "seconds", "left")


class Progress:
    """Shows how far each run is, until the block ends.

    Args:
        places: the progress files of runs, by the names to show.
        quiet: show nothing.
    """

    def __init__(self, places: dict[str, Path], quiet: bool = False) -> None:
        self._places = places
        self._console = Console(file=sys.stdout, quiet=quiet, highlight=False)
        self._shown: dict[str, int] = {}
        self._stop = threading.Event()
        self._live = Live(console=self._console, auto_refresh=False, transient=False)
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def say(self, text: str) -> None:
        """Print a line."""
        self._console.print(escape(text), soft_wrap=True)

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self._show(last=True)
        if self._console.is_terminal:
            self._live.stop()

    def _watch(self) -> None:
        while not self._stop.wait(SECONDS):
            self._show()

    def _show(self, last: bool = False) -> None:
        states = {name: state for name, path in self._places.items() if (state := last_line(path))}
        if self._console.is_terminal:
            self._live.update(_table(states), refresh=True)
            return
        for name, state in states.items():
            step = 1 if last else max(1, state["of"] // 10)
            if state["generation"] >= self._shown.get(name, 0) + step or (last and name not in self._shown):
                self._shown[name] = state["generation"]
                self.say(f"{name}: generation {state['generation']} of {state['of']}, {_words(state)}")


def last_line(path: Path) -> dict[str, Any] | None:
    """Return the last whole line of a progress file; None while there is none."""
    if not path.exists():
        return None
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 1024))
        lines = stream.read().split(b"\n")
    if len(lines) < 2:
        return None
    try:
        state = json.loads(lines[-2])
    except ValueError:  # torn when its writer was killed
        return None
    return state if isinstance(state, dict) else None


def _rate(state: dict[str, Any]) -> float:
    return float(state["evaluated"] / max(state["seconds"], 1e-3))


def time_left(state: dict[str, Any]) -> str:
    """Return how long a run will take at the pace it had, in words; empty where it is done, or that is unknown."""
    began, done, all_of_them = state.get("from", 0), state["generation"], state["of"]
    if done <= began or done >= all_of_them:
        return ""
    seconds = round(state["seconds"] / (done - began) * (all_of_them - done))
    minutes, hours = seconds // 60, seconds // 3600
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else f"{seconds} s"


def _words(state: dict[str, Any]) -> str:
    failed = f", {state['failed']} failed" if state["failed"] else ""
    return (
        f"best {state['best']:.6g}, median {state['median']:.6g}{failed}, "
        f"{_rate(state):.0f} evaluations/s, {state['seconds']:.1f} s"
        + (f", {left} left" if (left := time_left(state)) else "")
    )


def _table(states: dict[str, dict[str, Any]]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("run")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for name, state in states.items():
        table.add_row(
            escape(name),
            f"{state['generation']}/{state['of']}",
            f"{state['best']:.6g}",
            f"{state['median']:.6g}",
            str(state["failed"] or ""),
            f"{_rate(state):.0f}",
            f"{state['seconds']:.1f}",
            time_left(state),
        )
    return table
