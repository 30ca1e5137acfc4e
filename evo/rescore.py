"""Scoring a champion again: on its own problem or another, with other weights, more episodes, another split."""

from __future__ import annotations

import dataclasses
import statistics
from pathlib import Path
from typing import Any

import torch

from evo import seeds
from evo.champion import Champion, ChampionError, load
from evo.evaluation.evaluator import Evaluator
from evo.networks import Networks
from evo.outcome import Outcomes
from evo.problem import Problem
from evo.recorded import champion_path, recorded_campaign


def rescore(
    path: Path,
    problem: str | None = None,
    weight: str | None = None,
    episodes: int | None = None,
    split: str | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Return `{"problem": name, "objectives": {name: {"mean", "sd", "n"}}}` of a champion.

    Args:
        path: a champion file, or a folder that has one.
        problem: the name of a problem; None for the champion's own, with its settings.
        weight: a shared weight; "own" for the network's own weights; None for the problem's series.
        episodes: how many; None for the problem's number.
        split: "train", "test" or "all", of a problem with data; None for the problem's own.
        seed: the root of all draws.
    """
    file = champion_path(path)
    champion = load(file)
    changes: dict[str, Any] = {"episodes": episodes, "split": split}
    if weight is not None:
        changes["shared_weights"] = () if weight == "own" else (_number(weight),)
    if split is not None:
        changes["batch"] = 0  # a split is scored whole
    changes = {name: value for name, value in changes.items() if value is not None}
    chosen = problem_of(champion, file, problem, changes)
    with Evaluator(chosen) as evaluator:
        outcomes = evaluator.problem.evaluate(*_phenotypes(champion, chosen, seed))
    return {"problem": chosen.name, "objectives": _statistics(chosen, outcomes)}


def _number(weight: str) -> float:
    try:
        return float(weight)
    except ValueError:
        raise ValueError(f"--weight: expected a number or 'own', got {weight!r}") from None


def problem_of(champion: Champion, file: Path, name: str | None, changes: dict[str, Any]) -> Problem:
    """Return the problem to score on: by name, the champion's own, or the one its campaign's source makes."""
    import problems

    own = champion.problem
    if name is not None and name != own["name"]:
        return problems.make(name, **changes)
    if "source" not in own:
        settings = {key: tuple(value) if isinstance(value, list) else value for key, value in own["settings"].items()}
        return problems.make(own["name"], **{**settings, **changes})
    folder = next((parent for parent in file.resolve().parents if (parent / "campaign.json").is_file()), None)
    if folder is None:
        raise ChampionError(
            f"{file}: its problem {own['name']!r} is a user's own, and there is no campaign folder around the file to "
            f"load it from; name another problem with --problem"
        )
    campaign, _ = recorded_campaign(folder)
    problem = next(run.problem for run in campaign.runs() if run.variant == champion.variant)
    return dataclasses.replace(problem, **changes) if changes and dataclasses.is_dataclass(problem) else problem


def _phenotypes(champion: Champion, problem: Problem, seed: int) -> tuple[Any, Any]:
    rng = seeds.rng(seed, "rescore")
    if issubclass(Networks, problem.accepts):
        networks = champion.networks()
        wanted = (len(problem.inputs), len(problem.outputs))
        if (networks.inputs, networks.outputs) != wanted:
            raise ChampionError(
                f"{problem.name} has {wanted[0]} inputs and {wanted[1]} outputs, the champion's network "
                f"{networks.inputs} and {networks.outputs}"
            )
        return networks, rng
    values = next(iter(champion.genes.values()))
    return torch.tensor([values]) if problem.accepts is torch.Tensor else [values], rng


def _statistics(problem: Problem, outcomes: Outcomes) -> dict[str, dict[str, float | int]]:
    if outcomes.failures():
        raise ChampionError(f"the champion's evaluation failed: {outcomes.explain()}")
    samples = {name: trials[0].flatten().tolist() for name, trials in outcomes.trials.items()}
    for place, objective in enumerate(problem.objectives):
        samples.setdefault(objective.name, [float(outcomes.scores[0, place])])
    return {
        name: {
            "mean": statistics.fmean(values),
            "sd": statistics.stdev(values) if len(values) > 1 else 0.0,
            "n": len(values),
        }
        for name, values in samples.items()
    }
