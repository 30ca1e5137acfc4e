"""What `evo show` does: gather what there is to say about a champion, print a summary, write its page."""

from __future__ import annotations

import math
import statistics
from pathlib import Path
from typing import Any

import torch

from evo import seeds
from evo.champion import Champion, ChampionError, load
from evo.evaluation.evaluator import Evaluator
from evo.files import write_text
from evo.inspect.page import RunHistory, WeightScore, champion_page
from evo.inspect.summary import champion_summary
from evo.recorded import champion_path, recorded_run, runs
from evo.rescore import problem_of

WEIGHTS = tuple(round(-2.0 + 0.1 * step, 1) for step in range(41))
"""The shared weights of a champion's curve, as in figure 5 of Gaier & Ha 2019."""
EPISODES = 20


def show(path: Path, page: Path | None = None) -> tuple[str, Path]:
    """Return the summary of a champion, and where its page was written.

    Args:
        path: a champion file, or the folder of a campaign or a run.
        page: where to write the page; by default beside the champion file.
    """
    file = champion_path(path)
    champion = load(file)
    recorded = histories(file)
    target = page or file.with_suffix(".html")
    write_text(target, champion_page(champion, recorded, weight_scores(champion, file), f"evo show {path}"))
    return champion_summary(champion, recorded), target


def histories(champion: Path) -> list[RunHistory]:
    """Return the curves of all runs beside a champion file: its campaign's, or its run's, or none."""
    folder = champion.parent
    if (folder / "campaign.json").is_file():
        recorded = list(runs(folder))
    elif (folder / "journal.jsonl").is_file():
        recorded = [recorded_run(folder / "journal.jsonl", folder.parent.name, int(folder.name.rpartition("-")[2]))]
    else:
        return []
    maximize = _maximize(load(champion), champion)
    return [_history(run.variant, run.seed, run.scores, maximize) for run in recorded if run.scores]


def _maximize(champion: Champion, file: Path) -> bool:
    try:
        return problem_of(champion, file, None, {}).objectives[0].maximize
    except (ChampionError, ValueError, TypeError):
        return True  # a foreign problem whose source has gone: the curve is drawn upward


def _history(variant: str, seed: int, scores: list[list[list[float]]], maximize: bool) -> RunHistory:
    firsts = [[row[0] for row in generation if not math.isnan(row[0])] for generation in scores]
    scored = {number: first for number, first in enumerate(firsts) if first}  # in the others, all failed
    best = max if maximize else min
    return RunHistory(
        variant,
        seed,
        list(scored),
        [best(first) for first in scored.values()],
        [statistics.median(first) for first in scored.values()],
    )


def weight_scores(champion: Champion, file: Path) -> list[WeightScore]:
    """Return a network's score for each of a series of shared weights; empty where it was not evolved for them."""
    if not champion.problem["settings"].get("shared_weights") or champion.network is None:
        return []
    changes: dict[str, Any] = {"shared_weights": WEIGHTS}
    changes |= {"episodes": EPISODES} if "episodes" in champion.problem["settings"] else {"batch": 0, "split": "test"}
    problem = problem_of(champion, file, None, changes)
    with Evaluator(problem) as evaluator:
        outcomes = evaluator.score(champion.networks(), seeds.rng(champion.seed, "weights"))
    trials = outcomes.trials.get(problem.objectives[0].name, torch.empty(1, 0, 0))[0]
    return [
        WeightScore(weight, statistics.fmean(values), statistics.pstdev(values))
        for weight, values in zip(WEIGHTS, trials.tolist(), strict=False)
    ]
