"""The checks of problems with a state pass where they should, and fail, with advice, where something is broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective
from evo.stateful import State, StatefulProblem
from evo.testing.problem_checks import check_problem

PHENOTYPES = torch.linspace(-1, 1, 12).view(4, 3)


@dataclass(frozen=True)
class Trail(StatefulProblem):
    """Vectors move a point, in order; subclasses below each break one thing."""

    name: ClassVar[str] = "trail"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("closeness"),)

    def begin(self, rng: np.random.Generator) -> State:
        return {"point": torch.from_numpy(rng.normal(size=3))}

    def moved(self, point: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        return point + 0.1 * (vector - point)

    def evaluate_from(self, phenotypes: Any, rng: np.random.Generator, state: State) -> tuple[Outcomes, State]:
        point, scores = state["point"], []
        for vector in phenotypes:
            point = self.moved(point, vector)
            scores.append(-(vector - point).norm())
        return outcomes_of(torch.stack(scores)[:, None]), {"point": point}


class InPlace(Trail):
    """Changes the state that it is given."""

    def moved(self, point: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        return point.add_(vector)


class Hidden(Trail):
    """Keeps a count outside its state."""

    count: ClassVar[list[int]] = []

    def moved(self, point: torch.Tensor, vector: torch.Tensor) -> torch.Tensor:
        self.count.append(0)
        return super().moved(point, vector) + 1e-3 * len(self.count)


class Untold(Trail):
    """Has a number in its state that is no tensor."""

    def begin(self, rng: np.random.Generator) -> State:
        return {**super().begin(rng), "moves": 0}  # type: ignore[dict-item]


class Chancy(Trail):
    """Begins with chance from elsewhere."""

    def begin(self, rng: np.random.Generator) -> State:
        return {"point": torch.from_numpy(np.random.default_rng().normal(size=3))}


def failed(problem: StatefulProblem) -> dict[str, str]:
    findings = check_problem(problem, PHENOTYPES.clone())
    return {finding.check: finding.message for finding in findings if finding.status == "FAILED"}


def test_a_good_problem_passes_and_what_order_forbids_is_left_out() -> None:
    findings = check_problem(Trail(), PHENOTYPES.clone())
    assert not failed(Trail())
    assert {finding.check for finding in findings if finding.status == "skipped"} == {"trials", "place", "neighbours"}


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (InPlace(), "changes the state in place"),
        (Hidden(), "something kept outside the state"),
        (Untold(), "expected tensors by name"),
        (Chancy(), "draw from the rng handed in"),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_what_is_broken_is_found(problem: StatefulProblem, said: str) -> None:
    assert said in failed(problem)["state"]
