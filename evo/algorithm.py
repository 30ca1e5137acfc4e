"""The contract of an algorithm: who breeds and who survives.

An algorithm is a recipe, a frozen dataclass of its settings with one method, `run(search)`, that reads like the
pseudo-code of its paper: make rows, call `search.evaluate`, select, breed, repeat. It keeps no state of its own
between calls, draws only from `search.rng`, and so runs again in the same steps whenever it is given the same
scores: that is how an interrupted campaign resumes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from evo.search import Search


class Algorithm(ABC):
    """Who breeds and who survives.

    Class attributes:
        name: what the command line and campaign files call it.
        state_in_rows: whether each generation's rows, with what the scores say, are all that it goes on from. What
            rows learn is then kept as a file of the last generation, not in the journal, however large they are.
        from_rows: whether it begins with `search.begin`, and goes on from a generation's genome, rows and outcomes
            alone. A resumed run then begins with a generation stored shortly before it stopped, and not with its first.
    """

    name: ClassVar[str] = ""
    state_in_rows: ClassVar[bool] = False
    from_rows: ClassVar[bool] = False

    @abstractmethod
    def run(self, search: Search) -> None:
        """Search: call `search.evaluate` once per generation, `search.generations` times."""
