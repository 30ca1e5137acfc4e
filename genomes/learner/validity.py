"""What a learner may be made with: names that exist, numbers within their range, and parts as JSON describes them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from evo.catalogue import did_you_mean
from evo.learners import NAMES, SETTINGS, Rules, Setting

Part = TypeVar("Part")


def sizes(value: Any) -> tuple[int, ...]:
    """Return sizes as a tuple; a single number, where the comma of `(3,)` is missing, is a tuple of one."""
    return (value,) if isinstance(value, int) else tuple(value)


def checked_names(argument: str, names: Iterable[str], known: tuple[str, ...] = NAMES) -> None:
    """Raise ValueError, with a guess, where a name is not known, or given twice."""
    given = tuple(names)
    for name in given:
        if name not in known:
            guess = did_you_mean(str(name), known)
            raise ValueError(f"{argument}: expected names among {', '.join(known)}, got {name!r}{guess}")
    if len(set(given)) < len(given):
        raise ValueError(f"{argument}: each name once, got {', '.join(given)}")


def checked_settings(argument: str, settings: Mapping[str, Any]) -> dict[str, float]:
    """Return settings by name as numbers; ValueError where a name is unknown, or a number is not possible."""
    if not isinstance(settings, Mapping):
        raise TypeError(f"{argument}: expected numbers by names, such as {{'step_size': 0.01}}, got {settings!r}")
    checked_names(argument, settings)
    for setting in SETTINGS:
        value = settings.get(setting.name, setting.default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not _possible(setting, value):
            below = {"log": "up", "share": "up, less than 1", "linear": f"to {setting.high:g}"}[setting.scale]
            raise ValueError(f"{argument}: {setting.name} is a number from 0 {below}, got {value!r}: {setting.meaning}")
    return {name: float(value) for name, value in settings.items()}


def checked_use(
    argument: str, names: Iterable[str], activations: Iterable[str], rules: Rules, concatenated: bool
) -> None:
    """Raise ValueError where a setting, or an activation, would have no effect."""
    idle = ("momentum",) if rules.optimizer == "adam" else ("first_moment_decay", "second_moment_decay")
    for name in idle:
        if name in names:
            other = "sgd" if rules.optimizer == "adam" else "adam"
            raise ValueError(
                f"{argument}: {name} has no effect with the optimizer {rules.optimizer!r}; leave it out, or use "
                f"rules=Rules(optimizer={other!r})"
            )
    if concatenated and set(activations) != {"relu"}:
        raise ValueError(
            f"{argument}: concatenated units apply relu to both signs, so activations is ('relu',), got "
            f"{tuple(activations)}; leave out one of the two"
        )


def _possible(setting: Setting, value: float) -> bool:
    """Return whether a setting may have a value; evolution keeps to narrower bounds than people need to."""
    if setting.scale == "share":
        return 0.0 <= value < 1.0
    return 0.0 <= value <= (math.inf if setting.scale == "log" else setting.high) and math.isfinite(value)


def checked_rates(thing: object, names: Iterable[str]) -> None:
    """Raise ValueError where an attribute is no probability."""
    for name in names:
        value = getattr(thing, name)
        if not 0.0 <= value <= 1.0:
            raise ValueError(f"{type(thing).__name__}: {name} is a probability from 0 to 1, got {value}")


def rebuilt(argument: str, kind: type[Part], value: Any) -> Part:
    """Return a part that is given as itself, or as champion and campaign files describe it."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, Mapping):
        raise TypeError(f"{argument}: expected {kind.__name__}(...), got {value!r}")
    described = value.get("settings", value)
    return kind(**described)
