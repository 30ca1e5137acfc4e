"""Tables of what there is by name, imported only when asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Mapping
from typing import Any


class Catalogue:
    """Names, and where the classes they stand for are.

    Args:
        kind: what is listed, in the singular, for messages.
        places: for each name "module:Class".
    """

    def __init__(self, kind: str, places: Mapping[str, str]) -> None:
        self.kind = kind
        self.places = dict(places)

    def find(self, name: str) -> Any:
        """Return the class called `name`; raises ValueError, with a guess, where there is none."""
        if name not in self.places:
            names = ", ".join(sorted(self.places))
            raise ValueError(f"{self.kind}: expected one of {names}, got {name!r}{did_you_mean(name, self.places)}")
        module, _, attribute = self.places[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def available(self) -> dict[str, str]:
        """Return every name with the first line of what it stands for says of itself."""
        return {name: (self.find(name).__doc__ or "").strip().splitlines()[0] for name in self.places}


def did_you_mean(wrong: str, right: Iterable[str]) -> str:
    """Return "; did you mean ...?" where one of the right names is close to the wrong one, else nothing."""
    close = difflib.get_close_matches(wrong, list(right), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
