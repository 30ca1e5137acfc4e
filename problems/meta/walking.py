"""The shared part of problems whose individuals walk in a plane, whatever learns in their lifetimes.

Inputs: place, last velocity and last reward, in the task's own units, and whether an episode begins. Outputs: the
velocity along both axes, in units of the largest, beyond which it is cut.
Phenotypes: those of the lifetime. Recurrent policies remember (`RecurrentWalks`), plastic networks change
(`Hebbian`), and networks try neighbours (`ClimbingWalks`) or do not learn at all (`FixedWalks`).
Objective: "return", what the episodes that count earn, the mean over tasks; 0 is the most there could be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from evo.inspect.chart import Chart
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.recurrent_walks import RecurrentWalks
from evo.meta import LifetimeProblem
from evo.points import MOVES, OBSERVED
from evo.problem import Objective


@dataclass(frozen=True)
class Walking(LifetimeProblem):
    """Walk to a goal that only rewards tell of. Subclasses give the tasks.

    Raises:
        TypeError: the lifetime is none of points that walk.
    """

    objectives: ClassVar[tuple[Objective, ...]] = (Objective("return"),)
    inputs: ClassVar[tuple[str, ...]] = OBSERVED
    outputs: ClassVar[tuple[str, ...]] = MOVES
    input_shape: ClassVar[tuple[int, ...]] = (len(OBSERVED),)
    output_count: ClassVar[int] = len(MOVES)

    lifetime: Lifetime = field(default_factory=RecurrentWalks)
    count: int = 20

    def __post_init__(self) -> None:
        super().__post_init__()
        accepted = getattr(self.lifetime, "accepts", None)
        if accepted is None:
            raise TypeError(
                f"{type(self).__name__}: lifetime is one of points that walk, such as RecurrentWalks or Hebbian, got "
                f"{self.lifetime!r}"
            )
        object.__setattr__(self, "accepts", accepted)

    def charts(self, phenotypes: Any) -> list[Chart]:
        """Return ways in the plane; see `problems.meta.walk_charts`."""
        from problems.meta.walk_charts import ways

        return ways(self.tasks, self.lifetime, phenotypes)
