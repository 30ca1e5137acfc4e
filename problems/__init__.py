"""What genomes are measured on, one problem per file, by versioned names.

problems.make("cartpole-swingup-v1", episodes=5)
problems.make("gymnasium:Pendulum-v1")      # any environment of gymnasium
"""

from __future__ import annotations

import dataclasses
import difflib
import importlib
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evo.problem import Problem

PROBLEMS = {
    "cartpole-swingup-v1": "problems.control.cartpole_swingup:CartPoleSwingUp",
    "digits-v1": "problems.digits:Digits",
    "gymnasium-v1": "problems.control.gymnasium_problem:GymnasiumProblem",
    "mnist-v1": "problems.mnist:Mnist",
    "mnist-256-v1": "problems.mnist:Mnist256",
}
"""Names, and where their classes are; imported when asked for."""

GYMNASIUM = "gymnasium:"
"""Names that begin so go on with the id of a gymnasium environment."""


def available() -> dict[str, str]:
    """Return the names of all problems, each with a line that says what it is."""
    return {name: (problem_class(name).__doc__ or "").strip().partition("\n")[0] for name in PROBLEMS}


def make(name: str, **settings: Any) -> Problem:
    """Return the problem called `name`, with its settings changed as given.

    Args:
        name: one of `available()`, or "gymnasium:" and the id of one of gymnasium's environments.
        settings: the problem's fields, such as `shared_weights` or `episodes`.

    Raises:
        ValueError: no problem is called so, it has no such setting, or a setting it needs is missing.
    """
    if name.startswith(GYMNASIUM):
        settings = {"environment": name.removeprefix(GYMNASIUM), **settings}
        name = "gymnasium-v1"
    made = problem_class(name)
    fields = {field.name: field for field in dataclasses.fields(made)}  # type: ignore[arg-type]  # all are dataclasses
    for unknown in settings.keys() - fields.keys():
        raise ValueError(f"{name} has no setting {unknown!r}, only {', '.join(fields)}{_did_you_mean(unknown, fields)}")
    needed = [key for key, field in fields.items() if field.default is dataclasses.MISSING and key not in settings]
    if needed:
        raise ValueError(f"{name} needs {', '.join(needed)}: give it, such as environment='CartPole-v1'")
    return made(**settings)


def problem_class(name: str) -> type[Problem]:
    """Return the class of the problem called `name`; raises ValueError for unknown names."""
    if name not in PROBLEMS:
        raise ValueError(f"no problem is called {name!r}, only {', '.join(PROBLEMS)}{_did_you_mean(name, PROBLEMS)}")
    module, _, attribute = PROBLEMS[name].partition(":")
    found: type[Problem] = getattr(importlib.import_module(module), attribute)
    return found


def _did_you_mean(wrong: str, right: Iterable[str]) -> str:
    close = difflib.get_close_matches(wrong, list(right), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
