"""Scoring a champion again: on its own problem or another, with other weights, more episodes, another split."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from pathlib import Path
from typing import Any

from evo import seeds
from evo.champion import Champion, ChampionError, load
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.learning.lifetime import CATALOGUE, Lifetime
from evo.networks import Networks
from evo.outcome import Outcomes
from evo.problem import Problem
from evo.recorded import champion_path, recorded_campaign
from evo.run import Run
from evo.settings import describe


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
        changes["shared_weights"] = () if weight == "own" else (weight_number(weight),)
    if split is not None:
        changes["batch"] = 0  # a split is scored whole
    changes = {name: value for name, value in changes.items() if value is not None}
    chosen = problem_of(champion, file, problem, changes)
    with Evaluator(chosen) as evaluator:
        outcomes = evaluator.score(_phenotypes(champion, file, chosen), seeds.rng(seed, "rescore"))
    return {"problem": chosen.name, "objectives": _statistics(chosen, outcomes)}


def weight_number(weight: str) -> float:
    """Return the number that --weight was given; raises ValueError where it is none."""
    try:
        number = float(weight)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"--weight: expected a number or 'own', got {weight!r}")
    return number


def problem_of(champion: Champion, file: Path, name: str | None, changes: dict[str, Any]) -> Problem:
    """Return the problem to score on: by name, the champion's own, or the one its campaign's source makes."""
    import problems

    own = champion.problem
    if name is not None and name != own["name"]:
        return problems.make(name, **changes)
    inside = own["settings"].get("problem") if own["name"] in CATALOGUE.places else None
    if "source" in own or (isinstance(inside, dict) and "source" in inside):
        return _changed(_run(champion, file).problem, changes)
    if inside is None:
        return problems.make(own["name"], **{**_made_with(own), **changes})
    try:
        scored = problems.make(inside["name"], **{**_made_with(inside), **changes})
        lifetime: Problem = CATALOGUE.find(own["name"])(**{**_made_with(own), "problem": scored})
    except (TypeError, KeyError, AttributeError) as error:
        raise ChampionError(f"{file}: its problem {own['name']!r} is described wrongly: {error}") from None
    return lifetime


def _changed(problem: Problem, changes: dict[str, Any]) -> Problem:
    """Return a problem with other settings; of a lifetime, those of the problem inside."""
    if isinstance(problem, Lifetime):
        return dataclasses.replace(problem, problem=_changed(problem.problem, changes))
    unknown = changes.keys() - {field.name for field in dataclasses.fields(problem)}  # type: ignore[arg-type]
    if unknown:
        raise ChampionError(f"{problem.name} has no {', '.join(sorted(unknown))} to change")
    return dataclasses.replace(problem, **changes) if changes else problem  # type: ignore[type-var]


def maximizes(champion: Champion, file: Path) -> bool:
    """Return whether more of the champion's first objective is better; True where its problem cannot be made again."""
    try:
        return problem_of(champion, file, None, {}).objectives[0].maximize
    except (ChampionError, ValueError, TypeError):
        return True  # a foreign problem whose source has gone: its curve is drawn upward


def genome_of(champion: Champion, file: Path) -> Genome:
    """Return the genome that the champion is one of: made with its settings, or by its campaign's source."""
    import genomes

    own = champion.genome
    if "source" not in own and own["name"] in genomes.CATALOGUE.places and own["name"] != "python-object":
        genome: Genome = genomes.CATALOGUE.find(own["name"])(**_made_with(own))
        return genome
    return _run(champion, file).genome


def _made_with(described: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in described["settings"].items()}


def _run(champion: Champion, file: Path) -> Run:
    """Return the run that made the champion, from the source of the campaign whose folder the file is in."""
    folder = next((parent for parent in file.resolve().parents if (parent / "campaign.json").is_file()), None)
    if folder is None:
        raise ChampionError(
            f"{file}: its problem {champion.problem['name']!r} or its genome is a user's own, and there is no campaign "
            f"folder around the file to load them from; put the file back, or name another problem with --problem"
        )
    for copy in (False, True):  # the file may have changed since; the copy in the folder has not
        campaign, _ = recorded_campaign(folder, copy)
        for run in campaign.runs():
            if run.variant == champion.variant and _same(describe(run.problem), champion.problem):
                return run
    raise ChampionError(
        f"{file}: its campaign's file no longer makes the problem that the champion was scored on "
        f"({champion.problem['name']}, variant {champion.variant}), so a score would not compare"
    )


def _same(one: Any, other: Any) -> bool:
    return bool(json.loads(json.dumps(one)) == other)


def _phenotypes(champion: Champion, file: Path, problem: Problem) -> Any:
    """Return the champion's phenotype as a batch of one; a network as its file has it, whatever its genome."""
    if issubclass(Networks, problem.accepts):
        networks = champion.networks()
        wanted = (len(problem.inputs), len(problem.outputs))
        if (networks.inputs, networks.outputs) != wanted:
            raise ChampionError(
                f"{problem.name} has {wanted[0]} inputs and {wanted[1]} outputs, the champion's network "
                f"{networks.inputs} and {networks.outputs}"
            )
        return networks
    genome = genome_of(champion, file)
    return genome.express(genome.restore(champion.genes))


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
