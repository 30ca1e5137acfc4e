"""The paths of a run's population over generations: its paths.json, read and checked, and what a film shows of it.

The film is figure 1 of PathNet (Fernando et al. 2017, arXiv:1701.08734): nine pictures at equal distances, from the
first generation of the first task to the last of the last.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise, product
from pathlib import Path
from typing import Any, final

import numpy as np

from evo.algorithms.path_diary import FORMAT
from evo.inspect.text import plain
from evo.run import CampaignError
from evo.study_parts import BegunRun, begun_runs, read_book
from evo.task_record import courses_of

FRAMES = 9
"""Of the film in print, as in the paper."""

Modules = tuple[frozenset[int], ...]
"""Of each layer."""


@final
@dataclass(frozen=True)
class Snapshot:
    """A population in one generation.

    Attributes:
        generation, task: counted from 0.
        individuals: how many there are.
        paths: how many of them have each path; where there are too many paths, the rarest are missing.
        kept: the best path of the task so far; None without any.
        frozen: the modules of each layer that earlier tasks have kept.
    """

    generation: int
    task: int
    individuals: int
    paths: dict[Modules, int]
    kept: Modules | None
    frozen: Modules

    def use(self, layer: int, modules: int) -> np.ndarray:
        """Return which share of the individuals has each module of a layer on its path, `[modules]`."""
        counted = np.zeros(modules)
        for path, count in self.paths.items():
            counted[sorted(path[layer])] += count
        return counted / self.individuals

    def lines(self) -> dict[tuple[int, int, int], float]:
        """Return which share has a path through each two modules of a layer and the next: `(layer, one, next)`.

        The most frequent come first.
        """
        counted: Counter[tuple[int, int, int]] = Counter()
        for path, count in self.paths.items():
            for layer, (here, there) in enumerate(pairwise(path)):
                counted.update(dict.fromkeys(((layer, *pair) for pair in product(sorted(here), sorted(there))), count))
        return {line: count / self.individuals for line, count in counted.most_common()}


@final
@dataclass(frozen=True)
class PathRecord:
    """How the paths of one replicate of a run evolved.

    Attributes:
        variant, seed, replicate: which.
        counts: modules of each layer.
        snapshots: at least one, in order; all are evenly spread but the last.
        freezes: whether modules that a task has kept are frozen, None where that is not known; where they are not,
            snapshots have none.
    """

    variant: str
    seed: int
    replicate: int
    counts: tuple[int, ...]
    snapshots: tuple[Snapshot, ...]
    freezes: bool | None

    @property
    def tasks(self) -> int:
        """How many tasks have begun."""
        return self.snapshots[-1].task + 1

    @property
    def complete(self) -> bool:
        """Whether no path was so rare that it was left out."""
        return all(sum(one.paths.values()) == one.individuals for one in self.snapshots)

    @property
    def held(self) -> str:
        """What modules that earlier tasks have kept are."""
        return "frozen" if self.freezes else "kept by earlier tasks"

    def frames(self, count: int = FRAMES) -> list[Snapshot]:
        """Return snapshots nearest to so many generations at equal distances, from the first to the last."""
        generations = np.array([one.generation for one in self.snapshots])
        wanted = np.linspace(generations[0], generations[-1], count)
        chosen = dict.fromkeys(int(np.abs(generations - moment).argmin()) for moment in wanted)
        return [self.snapshots[place] for place in chosen]


def path_records(folder: Path) -> list[PathRecord]:
    """Return the paths of all runs of a folder that recorded any: a campaign's, or a run's.

    Raises:
        CampaignError: the folder holds no campaign and no run, or a file in it is damaged.
    """
    _, runs = begun_runs(folder)
    records = [path_record(run) for run in runs if (run.folder / "paths.json").is_file()]
    return [record for record in records if record is not None]


def path_record(run: BegunRun) -> PathRecord | None:
    """Return the paths of a run; None where no generation has ended. CampaignError where a file is damaged."""
    path = run.folder / "paths.json"
    book = read_book(path, FORMAT)
    after = run.described.get("problem", {}).get("settings", {}).get("after")
    freezes = after == "freeze" if isinstance(after, str) else None
    try:
        counts, replicate = tuple(map(int, book["counts"])), int(book["replicate"])
        kept = {} if freezes is False else _kept(run, replicate, counts)
        snapshots = tuple(_snapshot(one, counts, kept) for one in book["snapshots"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CampaignError(f"{path}: it is not as it should be ({error!r}); was the file changed?") from None
    return PathRecord(plain(run.variant), run.seed, replicate, counts, snapshots, freezes) if snapshots else None


def _kept(run: BegunRun, replicate: int, counts: tuple[int, ...]) -> dict[int, Modules]:
    """Return the path that each task of a replicate kept when it ended."""
    found = {}
    for one in courses_of(run):
        if one.run[1] == replicate and one.ended and one.modules is not None:
            layers = tuple(frozenset(m for where, m in one.modules if where == layer) for layer in range(len(counts)))
            found[one.task] = _checked(layers, counts)
    return found


def _snapshot(one: dict[str, Any], counts: tuple[int, ...], kept: dict[int, Modules]) -> Snapshot:
    task, individuals = int(one["task"]), int(one["individuals"])
    paths = {_path(text, counts): int(count) for text, count in one["paths"].items()}
    if individuals < 1 or min(paths.values(), default=0) < 1 or sum(paths.values()) > individuals:
        raise ValueError(f"{sum(paths.values())} paths of {individuals} individuals")
    earlier = [path for number, path in kept.items() if number < task]
    frozen = tuple(frozenset[int]().union(*(path[layer] for path in earlier)) for layer in range(len(counts)))
    best = None if one["kept"] is None else _path(one["kept"], counts)
    return Snapshot(int(one["generation"]), task, individuals, paths, best, frozen)


def _path(text: str, counts: tuple[int, ...]) -> Modules:
    return _checked(tuple(frozenset(map(int, layer.split())) for layer in text.split("/")), counts)


def _checked(path: Modules, counts: tuple[int, ...]) -> Modules:
    if len(path) != len(counts) or any(not 0 <= m < most for m_s, most in zip(path, counts, strict=True) for m in m_s):
        raise ValueError(f"a path of layers with {counts} modules: {path}")
    return path
