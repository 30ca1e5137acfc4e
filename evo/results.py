"""Results of an experiment that may be stopped and goes on: a line of JSON per run, all of one folder with one setting.

For comparisons that are no campaigns. A run that was counted once is not counted again, lines that were half written
when the experiment stopped are left out, and results of other settings are refused rather than averaged with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, final

from evo.files import write_text


@final
class Results:
    """The results in a folder.

    Args:
        folder: made where there is none.
        names: of the entries that tell one run from another, such as ("method", "seed").
        settings: what all runs have in common; None to read what is there, whatever it was run with.

    Raises:
        ValueError: the folder's results are of other settings.
    """

    def __init__(self, folder: Path, names: Sequence[str], settings: dict[str, Any] | None = None) -> None:
        self.file = folder / "results.jsonl"
        self.names = tuple(names)
        if settings is None:
            return
        folder.mkdir(parents=True, exist_ok=True)
        kept, wanted = folder / "settings.json", json.loads(json.dumps(settings))
        if not kept.is_file():
            if self.lines():
                raise ValueError(f"{folder}: holds results, and no settings say of what; choose another folder")
            write_text(kept, json.dumps(wanted, indent=2) + "\n")
        found = json.loads(kept.read_text())
        other = [name for name in sorted({*wanted, *found}) if wanted.get(name) != found.get(name)]
        if other:
            told = ", ".join(f"{name}={found.get(name)} (asked for: {wanted.get(name)})" for name in other)
            raise ValueError(f"{folder}: holds results of other settings: {told}; choose another folder")

    def lines(self) -> list[dict[str, Any]]:
        """Return the results, each run's last, in the order in which runs came first; raises ValueError if damaged."""
        text = self.file.read_text() if self.file.is_file() else ""
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        for number, line in enumerate(text.splitlines(keepends=True), 1):
            if line.endswith("\n"):  # the last may be half written
                try:
                    one = json.loads(line)
                    found[self._key(one)] = one
                except (json.JSONDecodeError, KeyError, TypeError) as error:
                    raise ValueError(f"{self.file}, line {number}: no result ({error}); delete the line") from None
        return list(found.values())

    def has(self, **run: Any) -> bool:
        """Return whether a run, by the names that tell it from others, is among the results."""
        return self._key(run) in {self._key(line) for line in self.lines()}

    def add(self, line: dict[str, Any]) -> None:
        """Add a run's line, after what is whole."""
        text = self.file.read_text() if self.file.is_file() else ""
        if text and not text.endswith("\n"):
            write_text(self.file, text[: text.rfind("\n") + 1])
        with self.file.open("a") as out:
            out.write(json.dumps(line) + "\n")

    def _key(self, line: dict[str, Any]) -> tuple[Any, ...]:
        return tuple(line[name] for name in self.names)
