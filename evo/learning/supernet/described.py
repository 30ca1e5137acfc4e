"""Supernets as champion and campaign files describe them: plain JSON in, the description as objects out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from evo.learning.supernet.kinds import Adapter, Convolution, Dense, Kind, Residual
from evo.learning.supernet.supernet import Layer, Supernet

MOST_LAYERS, MOST_MODULES, LARGEST_NUMBER = 1_000, 100_000, 100_000
"""What a file may ask for: layers, modules in all of them, and any one setting of a module."""
KINDS: dict[str, type[Kind]] = {kind.__name__: kind for kind in (Dense, Convolution, Residual, Adapter)}
"""What a file may name. Modules and trunks that a function makes are code, and no file brings them along."""


def supernet_of(value: object) -> Supernet:
    """Return a supernet that is given as itself, or as `evo.settings.describe` describes it.

    Raises:
        ValueError: it has parts that only its own campaign's file can make, is described wrongly, or is far too large.
    """
    if isinstance(value, Supernet):
        return value
    settings = _settings(value, "Supernet")
    if settings.get("trunk") is not None:
        raise ValueError(
            "supernet: it has a trunk that a function makes, which no file brings along; load its campaign's file"
        )
    layers = settings.get("layers")
    if not isinstance(layers, (list, tuple)):
        raise _wrong("a list of layers", layers)
    _check_number("layers", len(layers), MOST_LAYERS)
    made = Supernet(tuple(_layer(each) for each in layers))
    _check_number("modules in all layers", sum(made.modules_per_layer), MOST_MODULES)
    return made


def _layer(value: object) -> Layer:
    settings = _settings(value, "Layer")
    count, kinds = settings.get("count"), settings.get("kinds")
    if type(count) is not int or not isinstance(kinds, (list, tuple)):
        raise _wrong("a layer's count and kinds", value)
    return Layer(count, tuple(_kind(each) for each in kinds))


def _kind(value: object) -> Kind:
    name = value.get("name") if isinstance(value, Mapping) else None
    if name not in KINDS:
        raise ValueError(
            f"supernet: a module is one of {', '.join(KINDS)} where a file describes it, got {name!r}; one that a "
            f"function makes is loaded with its campaign's file"
        )
    settings = _settings(value, str(name))
    if not all(type(number) is int for number in settings.values()):
        raise _wrong("whole numbers", settings)
    for setting, number in settings.items():
        _check_number(f"{name}: {setting}", number, LARGEST_NUMBER)
    try:
        return KINDS[str(name)](**settings)
    except TypeError:
        raise _wrong(f"the settings of {name}", settings) from None


def _settings(value: object, name: str) -> Mapping[str, Any]:
    """Return the settings of a part of that name."""
    if not isinstance(value, Mapping) or value.get("name") != name or not isinstance(value.get("settings"), Mapping):
        raise _wrong(f"{{'name': {name!r}, 'settings': ...}}", value)
    found: Mapping[str, Any] = value["settings"]
    return found


def _check_number(what: str, got: int, most: int) -> None:
    if not 0 <= got <= most:
        raise ValueError(f"supernet: {what}: expected at most {most} in a file, got {str(got)[:30]}; was it changed?")


def _wrong(expected: str, got: object) -> ValueError:
    return ValueError(f"supernet: expected {expected}, got {str(got)[:80]}")
