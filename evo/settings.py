"""What a genome, a problem or an algorithm was made with, as plain JSON: recorded with every campaign and champion."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
from contextlib import suppress
from typing import Any

PLAIN = (str, int, float, bool, type(None))
KEPT = "_evo_source_digest"
"""The attribute of a class that holds the digest of its source."""


def settings(thing: object) -> dict[str, Any]:
    """Return the settings of a genome, a problem or an algorithm: its dataclass fields, or its public attributes.

    What is no plain JSON (a function, say) is recorded by its name and a digest of its source, which tells whether
    it changed.
    """
    if dataclasses.is_dataclass(thing):
        fields = [field for field in dataclasses.fields(thing) if not _unrecorded(thing, field)]
        pairs = {field.name: getattr(thing, field.name) for field in fields}
    else:
        pairs = {name: value for name, value in vars(thing).items() if not name.startswith("_")}
    return {name: plain(value) for name, value in pairs.items()}


def _unrecorded(thing: Any, field: dataclasses.Field[Any]) -> bool:
    """Return whether a setting came later (its metadata says so) and is as it was before there was one.

    It is left out then, so that campaigns recorded before go on.
    """
    return bool(field.metadata.get("later")) and getattr(thing, field.name) == field.default


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it."""
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, (list, tuple, range)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return describe(value)
    if callable(value):
        return {"function": getattr(value, "__qualname__", repr(value)), "source": source_digest(value)}
    return {"type": type(value).__qualname__}


def describe(thing: object) -> dict[str, Any]:
    """Return the name and settings of a genome, a problem or an algorithm, and for a user's own a source digest."""
    kind = type(thing)
    described: dict[str, Any] = {"name": getattr(thing, "name", "") or kind.__name__, "settings": settings(thing)}
    digest = getattr(thing, "source_digest", None)
    if callable(digest):
        described["source"] = digest()
    elif kind.__module__.partition(".")[0] not in ("evo", "genomes", "problems"):
        described["source"] = source_digest(kind)
    return described


def source_digest(thing: Any) -> str:
    """Return a digest of the source of a function or class; of its name where there is no source.

    A class keeps it: sent to another process, as a user's own is, it has no module there to find its source in.
    """
    if isinstance(thing, type) and KEPT in vars(thing):
        return str(vars(thing)[KEPT])
    try:
        text = inspect.getsource(thing)
    except (OSError, TypeError):
        text = getattr(thing, "__qualname__", repr(type(thing)))
    found = hashlib.sha256(text.encode()).hexdigest()[:16]
    if isinstance(thing, type):
        with suppress(AttributeError, TypeError):  # a class may refuse
            setattr(thing, KEPT, found)
    return found


def digest(value: Any) -> str:
    """Return the sha256 of plain JSON data, written in one way only."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, allow_nan=False).encode()).hexdigest()
