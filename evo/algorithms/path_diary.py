"""Which paths a population has from generation to generation, as far as a film needs it: left as paths.json.

Format `evo.paths/1`: `counts`, the modules of each layer; `replicate`, the one that is followed; `every`, how many
generations are between snapshots; `snapshots`, each of a generation as it was evaluated: `generation`, `task`,
`individuals`, how many there were; `paths`, how many of them have each path, the most frequent first; `kept`, the best
path of the task so far, null without any. A path is written "0 3 5/1 2/4": the distinct modules of its layers.

The file stays small however long a run is: when snapshots have become too many, every second is let go of, and from
then on they are twice as far apart. The newest generation is always among them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import torch

from evo.pathways import Pathways

if TYPE_CHECKING:
    from evo.algorithms.replicate import Replicate
    from evo.genome import Genome

FORMAT = "evo.paths/1"
FOLLOWED = 0
"""The replicate."""
MOST_SNAPSHOTS = 64
"""Besides the newest generation."""
MOST_PATHS = 64
"""Of a snapshot; rarer ones are left out."""
MOST_NUMBERS = 4096
"""Module numbers of a snapshot, where paths are long."""


@final
@dataclass(frozen=True)
class _Snapshot:
    """A generation: the rows `[n, L]` of the population, and the best of the task so far `[L]` with its genome."""

    generation: int
    task: int
    genome: Genome
    rows: torch.Tensor
    kept: tuple[Genome, torch.Tensor] | None

    def describe(self) -> dict[str, Any]:
        texts = written(self.genome, self.rows)
        numbers = max(1, max(len(text.replace("/", " ").split()) for text in texts))
        most = min(MOST_PATHS, max(1, MOST_NUMBERS // numbers))
        return {
            "generation": self.generation,
            "task": self.task,
            "individuals": len(texts),
            "paths": dict(Counter(texts).most_common(most)),
            "kept": None if self.kept is None else written(self.kept[0], self.kept[1][None])[0],
        }


@final
class PathDiary:
    """The paths of one replicate's population, at generations that are evenly spread over all there have been.

    Args:
        counts: how many modules each layer has.
    """

    def __init__(self, counts: tuple[int, ...]) -> None:
        self._counts = counts
        self._every = 1
        self._snapshots: list[dict[str, Any]] = []
        self._newest: _Snapshot | None = None

    def note(self, generation: int, replicate: Replicate) -> None:
        """Take down a generation that has been evaluated, before anyone is replaced."""
        if replicate.number != FOLLOWED:
            return
        genome, row = replicate.course.genome, replicate.course.kept
        kept = None if genome is None or row is None else (genome, row)
        self._newest = _Snapshot(generation, replicate.task, replicate.genome, replicate.rows.clone(), kept)
        if generation % self._every:
            return
        self._snapshots.append(self._newest.describe())
        if len(self._snapshots) > MOST_SNAPSHOTS:
            self._every *= 2
            self._snapshots = [one for one in self._snapshots if one["generation"] % self._every == 0]

    def describe(self) -> dict[str, Any]:
        """Return what was taken down as plain JSON data, in the format of paths.json."""
        newest = self._newest
        last = [] if newest is None or newest.generation % self._every == 0 else [newest.describe()]
        return {
            "format": FORMAT,
            "counts": list(self._counts),
            "replicate": FOLLOWED,
            "every": self._every,
            "snapshots": [*self._snapshots, *last],
        }


def diary_for(genome: Genome) -> PathDiary | None:
    """Return a diary for a genome of pathways; None for others."""
    counts = getattr(genome, "counts", None)
    return PathDiary(tuple(counts)) if genome.expresses is Pathways and counts is not None else None


def written(genome: Genome, rows: torch.Tensor) -> list[str]:
    """Return the paths of rows `[n, L]` as text."""
    pathways: Pathways = genome.express(rows)
    return ["/".join(" ".join(map(str, sorted(set(chosen)))) for chosen in path) for path in pathways.modules.tolist()]
