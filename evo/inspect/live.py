"""What a page needs to show a champion at work: its problem in JavaScript or as pictures, and its recorded scores.

Only problems that the catalogue or a campaign's own source made are translated. A champion file gives none of the
script, only data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch

from evo.control import ControlProblem
from evo.inspect.javascript import NotTranslatable, problem_source
from evo.inspect.text import finite
from evo.learning.lifetime import Lifetime
from evo.problem import Problem

STARTS = 20
"""Episodes that can be watched."""
SHAPES = {"line": 4, "box": 4, "circle": 3}
"""What a scene is made of, and how many numbers belong to each; stage.js draws them."""


@runtime_checkable
class PictureProblem(Protocol):
    """A problem whose inputs are pictures of `side` x `side` pixels, and whose outputs are classes."""

    @property
    def side(self) -> int:
        """How many pixels a picture is wide and high."""

    def exhibit(self) -> list[tuple[np.ndarray, str]]:
        """Return some pictures of the test split: inputs `[side * side]`, and the name of their class."""


@dataclass(frozen=True)
class Live:
    """What can be watched.

    Attributes:
        kind: "control", "pictures", or empty where the page shows the network at rest.
        source: JavaScript that defines `problem`, the physics; empty without.
        data: plain JSON: `starts`, or `side` and `pictures`; `recorded`, see `live_problem`.
        note: why nothing can be watched; empty where it can.
        maximize: whether more of the first objective is better.
    """

    kind: str = ""
    source: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    maximize: bool = True


def scene_fault(problem: ControlProblem) -> str:
    """Return what is wrong with what a problem's `scene` returns; empty where the page's script can draw it."""
    try:
        (start,) = problem.start(1, np.random.default_rng(0))
        shapes: object = problem.scene(tuple(torch.tensor(float(value), dtype=torch.float64) for value in start))
    except Exception as error:  # a user's own code can fail in any way
        return f"scene raised {type(error).__name__}: {error}"
    if not isinstance(shapes, tuple):
        return f"scene returned a {type(shapes).__name__}, expected a tuple of shapes"
    for number, shape in enumerate(shapes, 1):
        if not _is_shape(shape):
            named = shape[0] if isinstance(shape, tuple) and shape else shape
            return (
                f"shape {number} of its scene, {str(named)[:40]!r}, is none of ('line', x1, y1, x2, y2), ('box', x, y, "
                f"width, height) and ('circle', x, y, radius); a scene is a tuple of such: is the outer one missing?"
            )
    return ""


def _is_shape(shape: object) -> bool:
    """Return whether it is a tuple of the name of a shape and as many numbers as belong to it."""
    if not isinstance(shape, tuple) or not shape or not isinstance(shape[0], str):
        return False
    return len(shape) == 1 + SHAPES.get(shape[0], -1) and all(
        isinstance(number, (int, float)) or (isinstance(number, torch.Tensor) and number.dim() == 0)
        for number in shape[1:]
    )


def live_problem(problem: Problem, rng: np.random.Generator, recorded: Sequence[Sequence[float]] = ()) -> Live:
    """Return what a page needs to run a problem.

    Args:
        problem: made by the catalogue or by a campaign's source.
        rng: where the starts of a control problem's episodes come from.
        recorded: the champion's score per shared weight (or its own weights) and start, as Python reckoned it.
    """
    if isinstance(problem, ControlProblem):
        return _control(problem, rng, recorded)
    if isinstance(problem, PictureProblem):
        return _pictures(problem)
    if isinstance(problem, Lifetime):
        return Live(note="This network learns before it is scored, which only Python does: it is shown as it was born.")
    return Live(
        note="This problem runs in Python only (its physics is not written in evo.lanes), so the network is at rest."
    )


def _control(problem: ControlProblem, rng: np.random.Generator, recorded: Sequence[Sequence[float]]) -> Live:
    if type(problem.steps) is not int:  # a champion file's setting, which becomes part of the script
        return Live(note="Its problem's number of steps is no whole number, so the network is at rest.")
    try:
        source = problem_source(problem)
    except NotTranslatable as error:
        return Live(note=f"This problem cannot run in a page, so the network is at rest: {error}")
    if fault := scene_fault(problem):
        return Live(note=f"This problem cannot be drawn in a page, so the network is at rest: {fault}")
    states = [tuple(float(value) for value in state) for state in problem.start(STARTS, rng)]
    places = [place for place, state in enumerate(states) if state not in states[:place]]  # each start once
    scores = [[finite(row[place]) for place in places] for row in recorded if len(row) == len(states)]
    data = {"starts": [states[place] for place in places], "recorded": scores}
    return Live("control", source, data, "", _maximize(problem))


def _pictures(problem: Any) -> Live:
    try:
        exhibits = problem.exhibit()
    except (OSError, RuntimeError, ValueError) as error:  # data that is not on this machine
        return Live(note=f"Its pictures cannot be shown, so the network is at rest: {error}")
    pictures = [{"values": [round(float(x), 4) for x in values], "label": label} for values, label in exhibits]
    return Live("pictures", "", {"side": int(problem.side), "pictures": pictures}, "", _maximize(problem))


def _maximize(problem: Problem) -> bool:
    return problem.objectives[0].maximize
