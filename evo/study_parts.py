"""What each run of a folder adds to a study: who is who, and what its journal holds of everyone, as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evo import journal
from evo.files import read_format
from evo.inspect.text import plain
from evo.quantity import KNOWN
from evo.recorded import campaign_file
from evo.run import CampaignError

FORMAT = "evo.cohort/1"


@dataclass(frozen=True)
class BegunRun:
    """A run's folder, and what campaign.json says of its problem, genome and algorithm."""

    folder: Path
    variant: str
    seed: int
    described: dict[str, Any]


@dataclass(frozen=True)
class Part:
    """What one run adds to a study.

    Attributes:
        run: which.
        lines: what is compared, by keys that differ from those of other runs unless it is the same.
        labels: of the lines.
        streams: what each line's learners live on, by keys; of populations, individuals.
        values: what was recorded, by name, `[generations, lines, streams, ...]`.
        genes: names in `values` that are settings which evolve.
        evolving: whether it is a population.
        units: of each hidden layer; empty where there are none, None where they are not known.
        sizes: individuals of each generation.
    """

    run: BegunRun
    lines: list[tuple[str, int]]
    labels: list[str]
    streams: list[tuple[int, int]]
    values: dict[str, np.ndarray]
    genes: list[str]
    evolving: bool
    units: tuple[int, ...] | None
    sizes: list[int]


def begun_runs(folder: Path) -> tuple[dict[str, Any], list[BegunRun]]:
    """Return what campaign.json says, as far as it is there, and the runs that have begun."""
    if (folder / "journal.jsonl").is_file():
        around = folder.resolve().parents[1]
        campaign = campaign_file(around) if (around / "campaign.json").is_file() else {}
        header = journal.header(folder / "journal.jsonl")  # the folder may be a copy, called otherwise
        variant, seed = str(header.get("variant", folder.resolve().parent.name)), int(header.get("seed", 0))
        described = campaign.get("configuration", {}).get("variants", {}).get(variant, {})
        return campaign, [BegunRun(folder, variant, seed, described)]
    campaign = campaign_file(folder)
    configuration = campaign["configuration"]
    every = [
        BegunRun(folder / variant / f"seed-{seed}", variant, seed, described)
        for variant, described in configuration["variants"].items()
        for seed in configuration["seeds"]
    ]
    return campaign, [run for run in every if (run.folder / "journal.jsonl").is_file()]


def read_book(path: Path, written: str) -> dict[str, Any]:
    """Return what an algorithm left of a run as JSON, in the format `written`; CampaignError where it is none."""
    try:
        return read_format(path, written)
    except ValueError as error:
        raise CampaignError(str(error)) from None


def part_of(run: BegunRun) -> Part | None:
    """Return what a run adds; None where no generation has ended, or nothing tells who is who, or what they did."""
    values, genes, sizes = _recorded(run.folder / "journal.jsonl")
    cohort = run.folder / "cohort.json"
    unnamed = not cohort.is_file() and run.described.get("algorithm", {}).get("name") == "cohort"
    if len(values) < 2 or unnamed:  # scores alone, or not even these
        return None
    count = values["score"].shape[1]
    labels, streams = _who(cohort, count) if cohort.is_file() else ([], [])
    shape = (len(labels), len(streams)) if labels else (1, count)
    return Part(
        run=run,
        lines=[(run.variant, number) for number in range(len(labels))] or [(run.variant, run.seed)],
        labels=labels or [f"seed {run.seed}"],
        streams=[(run.seed, stream) for stream in streams] or [(0, number) for number in range(count)],
        values={name: array.reshape(len(array), *shape, *array.shape[2:]) for name, array in values.items()},
        genes=genes,
        evolving=not labels,
        units=_units(run.described.get("genome", {}), values),
        sizes=sizes,
    )


def _who(path: Path, count: int) -> tuple[list[str], list[int]]:
    """Return the labels and the streams of a cohort; CampaignError where they are not those of `count` individuals."""
    described = read_book(path, FORMAT)
    labels, streams = (
        [*described[name]] if isinstance(described.get(name), list) else [] for name in ("labels", "streams")
    )
    if not labels or len(labels) * len(streams) != count:
        raise CampaignError(
            f"{path}: it has {len(labels)} labels and {len(streams)} streams, but the journal beside it has {count} "
            f"individuals, one for each label on each stream; were the two files copied from different runs?"
        )
    return [plain(label).replace("_", " ") for label in labels], [int(stream) for stream in streams]


def _recorded(path: Path) -> tuple[dict[str, np.ndarray], list[str], list[int]]:
    """Return a journal's arrays by name, which of them are genes, and how many individuals each generation has.

    Arrays are `[generations, individuals, ...]`; "score" is among them.
    """
    frames: dict[str, dict[int, np.ndarray]] = {}
    genes: dict[str, None] = {}
    sizes: list[int] = []
    for record in journal.generations(path, ("scores",)):
        features, first = record.get("features", {}), [row[0] for row in record["scores"]]
        for name, numbers in {**record.get("measured", {}), **features, "score": first}.items():
            try:
                frames.setdefault(name, {})[len(sizes)] = np.array(numbers, dtype=np.float64)  # None becomes NaN
            except (TypeError, ValueError, OverflowError) as error:
                raise CampaignError(f"{path}: generation {len(sizes)}: {name!r} are no numbers: {error}") from None
        genes |= dict.fromkeys(features)
        sizes.append(len(first))
    return {name: _stacked(path, name, found, len(sizes)) for name, found in frames.items()}, list(genes), sizes


def _stacked(path: Path, name: str, frames: Mapping[int, np.ndarray], generations: int) -> np.ndarray:
    """Return frames as one array, with NaN where generations have none, or fewer individuals."""
    if len({frame.ndim for frame in frames.values()}) > 1:
        raise CampaignError(
            f"{path}: {name!r} has another number of dimensions in some generations than in others; does the problem "
            f"measure the same for everyone, every time?"
        )
    shape = np.max([frame.shape for frame in frames.values()], axis=0)
    stacked = np.full((generations, *shape), np.nan)
    for generation, frame in frames.items():
        stacked[generation][tuple(slice(size) for size in frame.shape)] = frame
    return stacked


def _units(genome: Mapping[str, Any], values: Mapping[str, np.ndarray]) -> tuple[int, ...] | None:
    """Return the units of each hidden layer of a learner genome as campaign.json describes it; None of any other."""
    settings = genome.get("settings", {})
    try:
        channels = [int(one["settings"]["channels"]) for one in settings["convolutions"]]
        copies = 2 if settings["concatenated"] else 1  # diagnostics see two units in each
        units = tuple(copies * size for size in (*channels, *map(int, settings["hidden"])))
    except (KeyError, TypeError, ValueError):
        return None
    layered = [name for name, known in KNOWN.items() if known.joined in ("share", "rank") and name in values]
    return units if all(values[name].shape[2:][-1:] == (len(units),) for name in layered) else None
