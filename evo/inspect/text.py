"""Words and numbers of a champion file, made fit to be shown: files from others are data, whatever they spell."""

from __future__ import annotations

import html
import math
from typing import Any

LONGEST = 300
"""Characters of one value that are shown."""
MOST_ITEMS = 12
"""Items of one list that are shown."""
DEEPEST = 4
"""Levels of nesting that are shown."""


def plain(value: object, longest: int = LONGEST) -> str:
    """Return `value` as one line of text without control characters, shortened to `longest` characters."""
    text = "".join(character for character in str(value) if character.isprintable())
    return text if len(text) <= longest else text[: longest - 1] + "…"


def escape(value: object, longest: int = LONGEST) -> str:
    """Return `value` as text that is inert in HTML and SVG, in elements and in quoted attributes."""
    return html.escape(plain(value, longest), quote=True)


def finite(value: object) -> float | None:
    """Return `value` as a finite number, or None where it is none."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def shown(value: Any, depth: int = 0) -> str:
    """Return a setting or a gene as people write it: short numbers, lists cut after a dozen items."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "none"}[value]
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, tuple, dict)):
        return _collection(value, depth)
    return plain(value)


def _collection(value: Any, depth: int) -> str:
    if depth == DEEPEST:
        return "…"
    if isinstance(value, dict):
        items = [f"{plain(key)} = {shown(item, depth + 1)}" for key, item in list(value.items())[:MOST_ITEMS]]
    else:
        items = [shown(item, depth + 1) for item in value[:MOST_ITEMS]]
    if len(value) > MOST_ITEMS:
        items.append(f"… ({len(value)} in all)")
    text = ", ".join(items) if items else "none"
    return text if depth == 0 else f"[{text}]"
