"""One ancestor of a champion, as the picture of its descent needs it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Ancestor:
    """A member of a champion's line of first parents.

    Attributes:
        generation: when it was born, which is the first generation that evaluated it.
        uid: its identity within its run.
        network: its nodes and edges, as in a champion file (see evo.champion.network_of).
        score: what the first objective gave it in the generation it was born; None where its evaluation failed.
    """

    generation: int
    uid: int
    network: dict[str, Any]
    score: float | None
