"""A problem's physics in the browser: `observe`, `advance` and `scene`, written once, in Python, also run in the page.

So do the activations of networks. What can be translated is what runs as torch code and in compiled kernels anyway:
see `evo.inspect.translation`.
"""

from __future__ import annotations

from evo.activations import FUNCTIONS
from evo.control import ControlProblem
from evo.inspect.translation import Function, Module, NotTranslatable, text_literal

__all__ = ["NotTranslatable", "activations_source", "problem_source", "translate"]


def translate(function: Function, name: str) -> str:
    """Return JavaScript that defines `name` as the translation of an elementwise function; tuples become arrays.

    Args:
        function: a plain function or static method whose source is at hand.
        name: what it is called in JavaScript.

    Raises:
        NotTranslatable: it, or a function that it calls, is not elementwise.
        ValueError: `name` is no name.
    """
    module = Module()
    return module.define(name, module.function(function))


def activations_source() -> str:
    """Return JavaScript that defines `activations`, an object with every activation function by its name."""
    module = Module()
    return module.define("activations", _object({name: module.function(function) for name, function in FUNCTIONS}))


def problem_source(problem: ControlProblem) -> str:
    """Return JavaScript that defines `problem`, an object with the physics of a control problem.

    It has `steps`, the most that an episode lasts, and the functions `observe(state)`, which returns an array,
    `advance(state, action)`, which returns `[state, reward, done]`, and `scene(state)`, which returns an array of
    shapes; states and actions are arrays too.

    Raises:
        NotTranslatable: its physics is not elementwise; show a page without it, and say why.
        ValueError: `steps` is no whole number, as a stranger's champion file may have it.
    """
    module = Module()
    functions = {name: module.function(getattr(problem, name)) for name in ("observe", "advance", "scene")}
    return module.define("problem", _object({"steps": str(int(problem.steps)), **functions}))


def _object(values: dict[str, str]) -> str:
    """Return an object literal that has these properties and inherits none."""
    return "{ __proto__: null, " + ", ".join(f"{text_literal(name)}: {value}" for name, value in values.items()) + " }"
