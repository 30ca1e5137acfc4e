"""Folders of campaigns on tasks, written by hand: campaign.json, journals, tasks.json with whatever a test wants."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from study_folder import write_campaign

from evo.journal import FORMAT, encode


def course(
    replicate: int = 0,
    task: int = 0,
    best: Sequence[float | None] = (0.5, 0.75, 1.0),
    reached: bool = True,
    modules: Sequence[Sequence[int]] | None = ((0, 1), (2, 2)),
    ended: bool = True,
) -> dict[str, Any]:
    """Return what tasks.json says of one task of one replicate."""
    kept = None if modules is None else {"modules": [*map(list, modules)], "replicate": replicate, "task": task}
    return {
        "replicate": replicate,
        "task": task,
        "first": 0,
        "last": len(best) - 1,
        "evaluations": 2 * len(best),
        "ended": ended,
        "generations": len(best) if reached else None,
        "kept": kept,
        "fitness": best[-1],
        "best": list(best),
    }


def write_tasks(
    folder: Path,
    conditions: Mapping[str, Sequence[Sequence[dict[str, Any]]]],
    thresholds: Mapping[str, float | None] | float | None = 0.9,
    maximize: bool = True,
) -> Path:
    """Write a campaign: for each condition the courses of each seed."""
    seeds = range(max(map(len, conditions.values())))
    write_campaign(folder, variants=list(conditions), seeds=seeds, algorithm="binary-tournament", maximize=maximize)
    for name, books in conditions.items():
        threshold = thresholds[name] if isinstance(thresholds, Mapping) else thresholds
        for seed, courses in enumerate(books):
            run = folder / name / f"seed-{seed}"
            run.mkdir(parents=True)
            (run / "journal.jsonl").write_bytes(encode({"format": FORMAT, "seed": seed, "variant": name}))
            book = {"format": "evo.tasks/1", "objective": "accuracy", "maximize": maximize, "threshold": threshold}
            (run / "tasks.json").write_text(json.dumps({**book, "courses": list(courses)}))
    return folder


def write_paths(run: Path, counts: Sequence[int], snapshots: Sequence[tuple[int, int, Mapping[str, int]]]) -> None:
    """Write a run's paths.json: of each snapshot the generation, the task, and how many have each path.

    The most frequent path is the one that is kept.
    """
    written = [
        {
            "generation": generation,
            "task": task,
            "individuals": sum(paths.values()),
            "paths": dict(paths),
            "kept": max(paths, key=lambda text: paths[text]),
        }
        for generation, task, paths in snapshots
    ]
    book = {"format": "evo.paths/1", "counts": list(counts), "replicate": 0, "every": 1, "snapshots": written}
    (run / "paths.json").write_text(json.dumps(book))
