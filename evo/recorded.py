"""What a campaign's folder holds: the campaign itself, its champions, its scores per generation."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo import journal
from evo.files import read_json
from evo.run import CampaignError

if TYPE_CHECKING:
    import networkx

    from evo.campaign import Campaign

NAME = re.compile(r"(?!\.+$)[\w.-]+")
"""Of a variant; see `Campaign`."""


@dataclass(frozen=True)
class RecordedRun:
    """One run as its journal has it.

    Attributes:
        variant, seed: which run.
        scores: per generation, per individual, per objective; NaN where the evaluation failed.
        births: (generation, identity, first parent, second parent) of every individual; -1 is nobody.
        failed: per generation, how many evaluations failed.
    """

    variant: str
    seed: int
    scores: list[list[list[float]]]
    births: list[tuple[int, int, int, int]]
    failed: list[int]

    def genealogy(self) -> networkx.DiGraph[int]:
        """Return who descends from whom, as a graph from parents to children."""
        from evo.lineage import genealogy

        return genealogy(self.births)


def campaign_file(folder: Path) -> dict[str, Any]:
    """Return what campaign.json says; CampaignError where the folder holds no campaign."""
    path = folder / "campaign.json"
    if not path.is_file():
        raise CampaignError(f"{folder}: holds no campaign (no campaign.json); give the folder that `evo run` printed")
    try:
        described = read_json(path)
    except ValueError as error:
        raise CampaignError(f"{path}: not what a campaign is: {error}") from None
    if not isinstance(described, dict) or described.get("format") != "evo.campaign/1":
        raise CampaignError(f"{path}: not of the format evo.campaign/1; was it written by a later version?")
    configuration = described.get("configuration", {"variants": {}, "seeds": []})
    if not isinstance(configuration, dict) or not _are_runs(configuration.get("variants"), configuration.get("seeds")):
        raise CampaignError(f"{path}: its configuration has no variants by name, or no seeds; was it edited?")
    return described


def _are_runs(variants: Any, seeds: Any) -> bool:
    """Return whether these are variants and seeds whose names lead to folders in the campaign's, and nowhere else."""
    return (
        isinstance(variants, dict)
        and all(NAME.fullmatch(name) and isinstance(one, dict) for name, one in variants.items())
        and isinstance(seeds, list)
        and all(type(seed) is int for seed in seeds)
    )


def recorded_campaign(folder: Path, copy: bool = False) -> tuple[Campaign, Path]:
    """Return the campaign that a folder holds, with the seeds and generations it was started with, and its source.

    The file it was started from is loaded again; where that has gone, or with `copy`, the copy kept in the folder.
    """
    from evo.loading import load_campaign

    described = campaign_file(folder)
    original = Path(described["file"]) if described["file"] else None
    source = original if original and original.is_file() and not copy else folder / "source.py"
    if not source.is_file():
        raise CampaignError(
            f"{folder}: the campaign was made without a file, so there is nothing to load; in Python, call "
            f".run(out={str(folder)!r}, resume=True) on the same Campaign"
        )
    configuration = described["configuration"]
    generations = {name: variant["generations"] for name, variant in configuration["variants"].items()}
    return load_campaign(source).with_settings(configuration["seeds"]).with_generations(generations), source


def campaigns(folder: Path) -> Iterator[Campaign]:
    """Return the campaign that a folder holds, made by the file it was started from, and then by the copy of it.

    The file may have changed since; the copy in the folder has not. One that fails is left out, and told of in the end.

    Raises:
        Exception: whatever the first one that failed raised, where the caller did not find what it wanted before.
    """
    failures: list[Exception] = []
    for copy in (False, True):
        try:
            campaign, _ = recorded_campaign(folder, copy)
        except Exception as error:  # a user's own code can fail in any way
            failures.append(error)
        else:
            yield campaign
    if failures:
        raise failures[0]


def campaign_folder(file: Path) -> Path | None:
    """Return the folder of the campaign that a file lies in; None where it lies in none."""
    return next((parent for parent in file.resolve().parents if (parent / "campaign.json").is_file()), None)


def runs(folder: Path) -> Iterator[RecordedRun]:
    """Return every run of a campaign's folder that has begun, variant by variant, seed by seed."""
    configuration = campaign_file(folder)["configuration"]
    for variant in configuration["variants"]:
        for seed in configuration["seeds"]:
            path = folder / variant / f"seed-{seed}" / "journal.jsonl"
            if path.is_file():
                yield recorded_run(path, variant, seed)


def recorded_run(path: Path, variant: str, seed: int) -> RecordedRun:
    """Return what a journal holds."""
    records = list(journal.generations(path, ("scores", "births", "failed")))
    return RecordedRun(
        variant,
        seed,
        [[[math.nan if value is None else value for value in row] for row in one["scores"]] for one in records],
        [(one["generation"], *birth) for one in records for birth in one["births"]],
        [len(one["failed"]) for one in records],
    )


def champion_path(path: Path) -> Path:
    """Return the champion file that is meant: the file itself, a campaign's or a run's best.

    Where a campaign is not finished, the best champion that its runs have left so far.
    """
    if path.is_file():
        return path
    if not path.exists():
        raise CampaignError(f"{path}: no such file or folder")
    if (path / "champion.json").is_file():
        return path / "champion.json"
    found = sorted(path.glob("*/seed-*/champion.json"))
    if not found:
        raise CampaignError(
            f"{path}: no champion yet; runs leave one after 32 generations, then now and again, and when they end"
        )
    from evo.champion import load

    sign = 1.0 if campaign_file(path)["maximize"] else -1.0
    return max(found, key=lambda file: sign * next(iter(load(file).fitness.values()), -sign * math.inf))
