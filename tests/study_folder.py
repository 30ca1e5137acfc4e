"""Folders of studies, written by hand: journals, cohort.json and campaign.json with whatever numbers a test wants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evo.journal import FORMAT, encode

LEARNER = {"name": "learner", "settings": {"hidden": [10, 30], "convolutions": [], "concatenated": False}}
PROBLEM = {"name": "some-stream-v1", "settings": {"lifelong": True}}


def write_run(
    folder: Path,
    scores: np.ndarray,
    measured: Mapping[str, np.ndarray] | None = None,
    features: Mapping[str, np.ndarray] | None = None,
    labels: Sequence[str] = (),
    streams: Sequence[int] = (),
) -> Path:
    """Write a run's folder.

    Args:
        folder: which.
        scores: `[generations, individuals]`; NaN for failed evaluations.
        measured, features: `[generations, individuals, ...]` by name.
        labels, streams: of a cohort; without labels it is none.
    """
    folder.mkdir(parents=True)
    seed = int(folder.name.rpartition("-")[2])
    lines = [encode({"format": FORMAT, "seed": seed, "variant": folder.parent.name})]
    for number, row in enumerate(scores):
        record: dict[str, Any] = {"generation": number, "failed": {}, "births": []}
        record["scores"] = [[one] for one in nulls(row)]
        for part, arrays in (("measured", measured), ("features", features)):
            if arrays:
                record[part] = {name: nulls(values[number]) for name, values in arrays.items()}
        lines.append(encode(record))
    (folder / "journal.jsonl").write_bytes(b"".join(lines))
    if labels:
        described = {"format": "evo.cohort/1", "settings": [{} for _ in labels], "labels": list(labels)}
        (folder / "cohort.json").write_text(json.dumps({**described, "streams": list(streams)}))
    return folder


def write_campaign(
    folder: Path,
    variants: Sequence[str] = ("default",),
    seeds: Sequence[int] = (0,),
    genome: Mapping[str, Any] | Sequence[Mapping[str, Any]] = LEARNER,
    algorithm: str = "cohort",
    **changes: Any,
) -> Path:
    """Write campaign.json; genomes are one for all variants, or one for each."""
    genomes = [genome] * len(variants) if isinstance(genome, Mapping) else genome
    described = {
        name: {"problem": PROBLEM, "genome": one, "algorithm": {"name": algorithm, "settings": {}}, "generations": 9}
        for name, one in zip(variants, genomes, strict=True)
    }
    content = {
        "format": "evo.campaign/1",
        "configuration": {"seeds": list(seeds), "variants": described},
        "objectives": ["squared_error"],
        "maximize": False,
        "file": None,
        **changes,
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "campaign.json").write_text(json.dumps(content))
    return folder


def nulls(values: np.ndarray) -> Any:
    """Return numbers as nested lists, as journals have them: None for what is not finite."""
    if values.ndim:
        return [nulls(one) for one in values]
    return float(values) if np.isfinite(values) else None
