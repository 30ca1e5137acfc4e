"""Tables of what there is by name, imported only when asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
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
            close = difflib.get_close_matches(name, self.places, n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise ValueError(f"{self.kind}: expected one of {', '.join(sorted(self.places))}, got {name!r}{hint}")
        module, _, attribute = self.places[name].partition(":")
        return getattr(importlib.import_module(module), attribute)

    def available(self) -> dict[str, str]:
        """Return every name with the first line of what it stands for says of itself."""
        return {name: (self.find(name).__doc__ or "").strip().splitlines()[0] for name in self.places}
