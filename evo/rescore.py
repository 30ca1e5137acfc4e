"""Scoring a champion again: on its own problem or another, with other weights, more episodes, another split."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evo import seeds
from evo.champion import Champion, ChampionError, load
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.learning.lifetime import CATALOGUE, Lifetime
from evo.networks import Networks
from evo.outcome import Outcomes
from evo.problem import Problem
from evo.recorded import campaign_file, campaign_folder, campaigns, champion_path
from evo.run import CampaignError, Run
from evo.settings import describe
from evo.stateful import StatefulProblem

CHANGED = ("shared_weights", "split", "batch", "objective")
"""Settings in which a tuned champion may differ from its campaign; `evo weights --save` records its own."""

WATCHED = {False: 20, True: 20 * 41}
"""Episodes that a champion's page plays, with all its shared weights together where it has any."""
MOST_SUMS = 10**11
"""Connections times steps times episodes that a champion file may ask for: a minute or two."""


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
    if episodes is not None and episodes < 1:
        raise ValueError(f"--episodes: expected a whole number from 1 up, got {episodes}")
    file = champion_path(path)
    champion = load(file)
    changes: dict[str, Any] = {"episodes": episodes, "split": split}
    if weight is not None:
        changes["shared_weights"] = () if weight == "own" else (weight_number(weight),)
    if split is not None:
        changes["batch"] = 0  # a split is scored whole
    changes = {name: value for name, value in changes.items() if value is not None}
    chosen = problem_of(champion, file, problem, changes)
    phenotypes = _phenotypes(champion, file, chosen)
    return {"problem": chosen.name, "objectives": _scored(chosen, phenotypes, seeds.rng(seed, "rescore"))}


def weight_scores(champion: Champion, file: Path, weights: Sequence[float]) -> list[float]:
    """Return a champion's mean scores of the first objective with each of some shared weights, on its own problem.

    All are of the same draws.

    Raises:
        Exception: the problem cannot be made here, the network does not fit it, or cannot be scored.
    """
    problem = problem_of(champion, file, None, {})
    phenotypes = _phenotypes(champion, file, problem)
    first = problem.objectives[0].name
    return [
        _scored(_changed(problem, {"shared_weights": (weight,)}), phenotypes, seeds.rng(champion.seed, "weights"))[
            first
        ]["mean"]
        for weight in weights
    ]


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
    _check_work(champion, file, changes)
    inside = own["settings"].get("problem") if own["name"] in CATALOGUE.places else None
    if "source" in own or (isinstance(inside, dict) and "source" in inside):
        made = _run(champion, file)[1]
        return _changed(made, {**_recorded(champion, made), **changes})
    if inside is None:
        try:
            return problems.make(own["name"], **{**_made_with(own), **changes})
        except (TypeError, AttributeError, KeyError):  # settings that a file cannot hold, such as arrays or a problem
            made = _run(champion, file)[1]
            return _changed(made, {**_recorded(champion, made), **changes})
    try:
        scored = problems.make(inside["name"], **{**_made_with(inside), **changes})
        lifetime: Problem = CATALOGUE.find(own["name"])(**{**_made_with(own), "problem": scored})
    except (TypeError, KeyError, AttributeError) as error:
        raise ChampionError(f"{file}: its problem {own['name']!r} is described wrongly: {error}") from None
    return lifetime


def _check_work(champion: Champion, file: Path, changes: dict[str, Any]) -> None:
    """Raise ChampionError where a champion's own problem would take for ever: kernels heed no Ctrl-C."""
    settings = champion.problem["settings"]
    inside = settings.get("problem")
    within = inside.get("settings") if isinstance(inside, dict) else None
    given = [{**settings, **changes}, within if isinstance(within, dict) else {}]
    counts = [one[name] for one in given for name in ("steps", "population") if _is_count(one.get(name))]
    episodes = [one["episodes"] for one in given if _is_count(one.get("episodes"))]
    weights = given[0].get("shared_weights")
    own = math.prod(episodes) * (len(weights) if isinstance(weights, list | tuple) else 1)
    sums = max(1, len((champion.network or {}).get("edges", ())))
    if math.prod(counts) * max(own, WATCHED[bool(weights)]) * sums > MOST_SUMS:
        raise ChampionError(
            f"{file}: what it asks for (steps, episodes and weights in the settings of its problem) takes more than "
            f"{MOST_SUMS:.0e} sums, and could take for ever; score it on a problem of your own, with --problem"
        )


def _is_count(value: Any) -> bool:
    return type(value) is int and value > 1


def _changed(problem: Problem, changes: dict[str, Any]) -> Problem:
    """Return a problem with other settings; of a lifetime, those of the problem inside."""
    if isinstance(problem, Lifetime):
        return dataclasses.replace(problem, problem=_changed(problem.problem, changes))
    unknown = changes.keys() - {field.name for field in dataclasses.fields(problem)}  # type: ignore[arg-type]
    if unknown:
        raise ChampionError(f"{problem.name} has no {', '.join(sorted(unknown))} to change")
    return dataclasses.replace(problem, **changes) if changes else problem  # type: ignore[type-var]


def maximizes(champion: Champion, file: Path) -> bool:
    """Return whether more of the champion's first objective is better; see `recorded_direction` for want of it."""
    try:
        return problem_of(champion, file, None, {}).objectives[0].maximize
    except Exception:  # a user's own problem whose source has gone, or changed, can fail in any way
        return recorded_direction(champion, file)


def recorded_direction(champion: Champion, file: Path) -> bool:
    """Return whether more of the champion's first objective is better as its campaign's folder says, else True."""
    folder = campaign_folder(file)
    try:
        described = campaign_file(folder) if folder is not None else {}
    except (CampaignError, ValueError, OSError):  # damaged
        return True
    named = described.get("objectives")  # of the campaign; its variants may score something else
    known = not isinstance(named, list) or not named or named[0] == next(iter(champion.fitness), None)
    return bool(described.get("maximize", True)) if known else True


def genome_of(champion: Champion, file: Path) -> Genome:
    """Return the genome that the champion is one of: made with its settings, or by its campaign's source."""
    import genomes

    own = champion.genome
    if "source" not in own and own["name"] in genomes.CATALOGUE.places and own["name"] != "python-object":
        genome: Genome = genomes.CATALOGUE.find(own["name"])(**_made_with(own))
        return genome
    return _run(champion, file)[0].genome


def _made_with(described: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in described["settings"].items()}


def _run(champion: Champion, file: Path) -> tuple[Run, Problem]:
    """Return the run that made the champion, and which problem of it the champion was scored on.

    Both are made by the source of the campaign whose folder the file is in.
    """
    folder = campaign_folder(file)
    if folder is None:
        raise ChampionError(
            f"{file}: its problem {champion.problem['name']!r} or its genome is a user's own, and there is no campaign "
            f"folder around the file to load them from; put the file back, or name another problem with --problem"
        )
    for campaign in campaigns(folder):
        for run in campaign.runs():
            for made in _problems(run):
                if run.variant == champion.variant and _comparable(describe(made)) == _comparable(champion.problem):
                    return run, made
    raise ChampionError(
        f"{file}: its campaign's file no longer makes the problem that the champion was scored on "
        f"({champion.problem['name']}, variant {champion.variant}), so a score would not compare"
    )


def _problems(run: Run) -> tuple[Problem, ...]:
    """Return what champions of a run may have been scored on: its problem, and what is inside a lifetime."""
    return (run.problem, run.problem.problem) if isinstance(run.problem, Lifetime) else (run.problem,)


def _comparable(described: dict[str, Any]) -> Any:
    """Return a problem's description, as JSON has it, without the settings in which tuned champions may differ."""
    settings = {name: value for name, value in described["settings"].items() if name not in CHANGED}
    return json.loads(json.dumps({**described, "settings": settings}))


def _recorded(champion: Champion, problem: Problem) -> dict[str, Any]:
    """Return the champion's own settings where they differ from those of its campaign's problem."""
    now, own = json.loads(json.dumps(describe(problem)["settings"])), _made_with(champion.problem)
    return {name: own[name] for name in CHANGED if name in own and champion.problem["settings"][name] != now.get(name)}


def check_interface(problem: Problem, networks: Networks) -> None:
    """Raise ChampionError where networks have other inputs or outputs than a problem names; it may name none."""
    wanted = (len(problem.inputs), len(problem.outputs))
    if any(wanted) and (networks.inputs, networks.outputs) != wanted:
        raise ChampionError(
            f"{problem.name} has {wanted[0]} inputs and {wanted[1]} outputs, the champion's network {networks.inputs} "
            f"and {networks.outputs}"
        )


def _phenotypes(champion: Champion, file: Path, problem: Problem) -> Any:
    """Return the champion's phenotype as a batch of one; a network as its file has it, whatever its genome."""
    if issubclass(Networks, problem.accepts):
        networks = champion.networks()
        check_interface(problem, networks)
        return networks
    genome = genome_of(champion, file)
    return genome.express(genome.restore(champion.genes))


def _scored(problem: Problem, phenotypes: Any, rng: np.random.Generator) -> dict[str, dict[str, float | int]]:
    """Return mean, standard deviation and number of the scores of a batch of one, by objective."""
    try:
        with Evaluator(problem) as evaluator:
            outcomes = evaluator.score(phenotypes, rng)
    except ValueError as error:
        if not isinstance(problem, StatefulProblem):
            raise
        raise ChampionError(
            f"the champion was scored on a state that {problem.name} had come to in its run, and cannot be scored on a "
            f"new one ({error}); ask what the run has learned: evo table DIR --test"
        ) from error
    except (TypeError, RuntimeError, OSError, ImportError):
        raise
    except Exception as error:  # a setting of a stranger's file that compiled code cannot take, say
        raise ChampionError(f"the champion cannot be scored on {problem.name}: {told(error)}") from error
    return _statistics(problem, outcomes)


def told(error: BaseException) -> str:
    """Return what an error says, in one line, for a reader who did not write what failed."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


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
