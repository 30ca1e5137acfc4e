"""What a study left in its folder, as arrays: settings that were compared over time, or settings that evolved.

Of cohorts, the seeds of a campaign join as more streams, and its variants as more settings. Of populations whose
individuals were measured, each run is one line, and its individuals stand where streams do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from evo.interval import usable
from evo.quantity import KNOWN, LEFT_OUT, one_number, quantity, words
from evo.run import CampaignError
from evo.study_parts import Part, begun_runs, part_of

DIGITS = 1e-5
"""Journals have six digits of what is measured, and all of scores."""


@dataclass(frozen=True)
class CohortRecord:
    """A study: several lines that are compared, each of several learners, over generations that all runs have.

    Attributes:
        problem: its name, or their names.
        objective: the name of the first objective, what "score" is.
        maximize: whether more of it is better.
        labels: of the lines: settings, with their variants where there are several; of populations, runs.
        streams: what a line's learners live on, by name; of populations, individuals.
        values: what was recorded, by name, `[generations, settings, streams]` or with layers or bins as a last axis;
            NaN where nothing finite was. "score" is the first objective.
        curves: the same as one number per learner, `[generations, settings, streams]`, in the units of `evo.quantity`.
        lived: `[settings, streams]`, which learners there are at all.
        last: `[settings, streams]`, which the last generation has; populations may shrink.
        genes: names in `curves` that are settings which evolve.
        evolving: whether it is of populations.
        lifelong: whether generations are segments of one long stream.
        relative: whether ranks are in percent of units; otherwise units are not known, and they are numbers of units.
        longest: generations of the longest run.
    """

    problem: str
    objective: str
    maximize: bool
    labels: tuple[str, ...]
    streams: tuple[str, ...]
    values: dict[str, np.ndarray]
    curves: dict[str, np.ndarray]
    lived: np.ndarray
    last: np.ndarray
    genes: tuple[str, ...] = ()
    evolving: bool = False
    lifelong: bool = False
    relative: bool = True
    longest: int = 0

    @property
    def generations(self) -> int:
        """How many generations all runs have."""
        return len(self.curves["score"])

    @property
    def moment(self) -> str:
        """What a generation is called."""
        return "segment" if self.lifelong else "generation"

    def called(self, name: str) -> str:
        """Return the name by which `evo.quantity` knows a curve."""
        return self.objective if name == "score" else name

    def failed(self) -> np.ndarray:
        """Return how many learners of each line's last generation have no finite score, `[settings]`."""
        if not self.generations:
            return np.zeros(len(self.labels), dtype=np.int64)
        return np.asarray((self.last & ~usable(self.curves["score"][-1])).sum(1))

    def names(self) -> list[str]:
        """Return the curves worth a panel, in their order: not 0 or NaN throughout, none of them twice."""
        score = self.curves["score"]
        return [
            name
            for name in self._ordered()
            if np.any(usable(self.curves[name]) & ((self.curves[name] != 0.0) | (name == "score")))
            and not (name != "score" and np.allclose(self.curves[name], score, rtol=DIGITS, atol=0.0, equal_nan=True))
        ]

    def still(self) -> list[str]:
        """Return the curves that are 0 throughout."""
        found = [name for name in self._ordered() if name != "score" and usable(self.curves[name]).any()]
        return [name for name in found if not np.any(usable(self.curves[name]) & (self.curves[name] != 0.0))]

    def _ordered(self) -> list[str]:
        order = dict.fromkeys(["score", *self.genes, *KNOWN, *sorted(self.curves)])
        return [name for name in order if name in self.curves and name not in LEFT_OUT]

    def only(self, numbers: Sequence[int]) -> CohortRecord:
        """Return the study with some lines, by their numbers from 1.

        Raises:
            ValueError: there is no such line.
        """
        wrong = [number for number in numbers if not 1 <= number <= len(self.labels)]
        if wrong or not numbers:
            known = ", ".join(f"{number} ({label})" for number, label in enumerate(self.labels, 1))
            raise ValueError(f"settings: expected numbers from 1 to {len(self.labels)}, got {wrong}; there are {known}")
        places = [number - 1 for number in numbers]
        return replace(
            self,
            labels=tuple(self.labels[place] for place in places),
            values={name: values[:, places] for name, values in self.values.items()},
            curves={name: values[:, places] for name, values in self.curves.items()},
            lived=self.lived[places],
            last=self.last[places],
        )


def studies(folder: Path) -> list[CohortRecord]:
    """Return the studies that a campaign's folder, or a run's, holds: of cohorts first, then of populations.

    None where nothing but scores was recorded, or no generation has ended.

    Raises:
        CampaignError: the folder holds no campaign and no run, or files that do not fit one another.
    """
    campaign, found = begun_runs(folder)
    parts = [part for run in found if (part := part_of(run)) is not None]
    groups = ([part for part in parts if part.evolving is kind] for kind in (False, True))
    return [_joined(campaign, group) for group in groups if group]


def _joined(campaign: Mapping[str, Any], parts: Sequence[Part]) -> CohortRecord:
    """Return the study of runs, over the generations that all of them have."""
    evolving = parts[0].evolving
    variants = list(dict.fromkeys(part.run.variant for part in parts))
    labels: dict[tuple[str, int], str] = {}
    for part in parts:
        for line, label in zip(part.lines, _labels(part, len(variants) > 1), strict=True):
            if labels.setdefault(line, label) != label:
                raise CampaignError(
                    f"{part.run.folder}: setting {line[1] + 1} is {label!r} here, and {labels[line]!r} in another seed "
                    f"of the variant; are these runs of one campaign?"
                )
    streams = list(dict.fromkeys(stream for part in parts for stream in part.streams))
    lengths = [len(part.values["score"]) for part in parts]
    relative = all(part.units is not None for part in parts)
    objective = str(next(iter(campaign.get("objectives", ())), "score"))
    curves = [_curves(part, objective, relative) for part in parts]
    lines, size = list(labels), min(lengths)
    lived, last = np.zeros((2, len(lines), len(streams)), dtype=bool)
    for part in parts:
        rows, columns = _places(part, lines, streams)
        lived[np.ix_(rows, columns)] = True
        last[np.ix_(rows, columns[: part.sizes[size - 1]] if evolving else columns)] = True
    problems = [part.run.described.get("problem", {}) for part in parts]
    return CohortRecord(
        problem=", ".join(dict.fromkeys(str(one.get("name", "a problem")) for one in problems)),
        objective=objective,
        maximize=bool(campaign.get("maximize", True)),
        labels=tuple(labels.values()),
        streams=tuple(f"individual {number}" if evolving else f"seed {seed}, {number}" for seed, number in streams),
        values=_filled(parts, [part.values for part in parts], lines, streams, size),
        curves=_filled(parts, curves, lines, streams, size),
        lived=lived,
        last=last,
        genes=tuple(dict.fromkeys(gene for part in parts for gene in part.genes)),
        evolving=evolving,
        lifelong=all(one.get("settings", {}).get("lifelong") is True for one in problems),
        relative=relative,
        longest=max(lengths),
    )


def _labels(part: Part, several: bool) -> list[str]:
    """Return a run's labels, with the variant where there are several, and numbers where two are the same."""
    labels = part.labels
    if several:
        one = len(labels) == 1 and not part.evolving
        name = words(part.run.variant)
        labels = [name if one else f"{name}: {label}" for label in labels]
    twice = {label for label in labels if labels.count(label) > 1}
    return [f"{label} ({number})" if label in twice else label for number, label in enumerate(labels, 1)]


def _curves(part: Part, objective: str, relative: bool) -> dict[str, np.ndarray]:
    """Return one number per learner for everything that a run has recorded."""
    curves = {name: one_number(name, values, part.units, relative) for name, values in part.values.items()}
    return curves | {"score": quantity(objective).factor * part.values["score"]}


def _places(part: Part, lines: Sequence[Any], streams: Sequence[Any]) -> tuple[list[int], list[int]]:
    """Return where a run's lines and streams stand among all."""
    where = {stream: place for place, stream in enumerate(streams)}
    return [lines.index(line) for line in part.lines], [where[stream] for stream in part.streams]


def _filled(
    parts: Sequence[Part],
    arrays: Sequence[Mapping[str, np.ndarray]],
    lines: Sequence[Any],
    streams: Sequence[Any],
    generations: int,
) -> dict[str, np.ndarray]:
    """Return the runs' arrays, by name, in one for all lines and streams; NaN where a run has none."""
    filled: dict[str, np.ndarray] = {}
    for name in dict.fromkeys(name for found in arrays for name in found):
        have = [(part, found[name]) for part, found in zip(parts, arrays, strict=True) if name in found]
        depth = max(array.ndim for _, array in have)
        inner = [max((*array.shape, *[1] * depth)[axis] for _, array in have) for axis in range(3, depth)]
        whole = np.full((generations, len(lines), len(streams), *inner), np.nan)
        for part, array in have:
            here = array[:generations].reshape(*array[:generations].shape, *[1] * (depth - array.ndim))
            rows, columns = _places(part, lines, streams)
            grid = np.ix_(range(generations), rows, columns, *map(range, here.shape[3:]))
            whole[grid] = here
        filled[name] = whole
    return filled
