"""What `evo show` does: gather what there is to say about a champion, print a summary, write its page."""

from __future__ import annotations

import dataclasses
import math
import shlex
import statistics
from itertools import chain
from pathlib import Path
from typing import Any

import torch

from evo import journal, seeds
from evo.adaptation import adaptations
from evo.ancestry import descent
from evo.champion import Champion, load
from evo.cohort_record import CohortRecord, studies
from evo.control import ControlProblem
from evo.evaluation.evaluator import Evaluator
from evo.files import check_output, write_text
from evo.inspect.lifetimes import LifetimePictures
from evo.inspect.live import STARTS, Live, live_problem
from evo.inspect.page import RunHistory, WeightScore, champion_page
from evo.inspect.summary import champion_summary
from evo.inspect.tasks import TaskPictures
from evo.inspect.text import plain
from evo.meta import LifetimeProblem
from evo.path_record import path_record
from evo.problem import Problem
from evo.recorded import campaign_file, campaign_folder, champion_path, recorded_run, runs
from evo.rescore import check_interface, genome_of, maximizes, problem_of
from evo.study_parts import begun_runs
from evo.task_accuracy import measured_accuracy, state_accuracy
from evo.task_record import task_record

WEIGHTS = tuple(round(-2.0 + 0.1 * step, 1) for step in range(41))
"""The shared weights of a champion's curve, as in figure 5 of Gaier & Ha 2019."""


def show(path: Path, page: Path | None = None) -> tuple[str, Path]:
    """Return the summary of a champion, and where its page was written.

    Args:
        path: a champion file, or the folder of a campaign or a run.
        page: where to write the page; by default beside the champion file.
    """
    file = champion_path(path)
    champion = load(file)
    target = page or file.with_suffix(".html")
    check_output("--page", target, file)
    recorded = histories(file)
    sweep, live = watched(champion, file)
    line = descent(file)
    whole = (path / "campaign.json").is_file()  # of a campaign that is not finished, the champion is one run's
    folder = path if whole else file.parent
    tasks = task_pictures(folder, champion) if recorded else TaskPictures()
    found = studies(folder) if recorded and tasks.record is None else []
    tasks = tasks if tasks.record is not None else TaskPictures(accuracies=[*chain(*map(measured_accuracy, found))])
    compared = any(not study.evolving for study in found)  # the best and the median of all settings say nothing
    curves = [] if compared or tasks.record is not None else recorded
    reason = _one_line(line.reason)
    lives = lifetime_pictures(folder, champion, file)
    text = champion_page(champion, curves, sweep, command_of(file), live, line.ancestors, found, reason, tasks, lives)
    write_text(target, text)
    why = [f"No ancestors: {plain(_one_line(line.reason))}"] if line.reason else []
    return "\n".join([champion_summary(champion, recorded), *why, *map(_study_line, found)]), target


def task_pictures(folder: Path, champion: Champion) -> TaskPictures:
    """Return what there is to show of tasks, of a campaign or a run; of a champion's run, where it is about one."""
    record = task_record(folder)
    if record is None:
        return TaskPictures()
    _, begun = begun_runs(folder)
    run = next((one for one in begun if (one.variant, one.seed) == (champion.variant, champion.seed)), begun[0])
    paths = path_record(run) if (run.folder / "paths.json").is_file() else None
    try:
        found, unknown = state_accuracy(run.folder), ""
    except Exception as error:  # a campaign's own code, or a stranger's state, can fail in any way
        found, unknown = None, _one_line(error) or type(error).__name__
    return TaskPictures(record, plain(run.variant), paths, [] if found is None else [found], unknown)


def lifetime_pictures(folder: Path, champion: Champion, file: Path) -> LifetimePictures:
    """Return what there is to show of lifetimes, of a campaign or a run, and of the champion's own."""
    if "lifetime" not in champion.problem.get("settings", {}):
        return LifetimePictures()
    begun = any((folder / name).is_file() for name in ("campaign.json", "journal.jsonl"))
    recorded = adaptations(folder) if begun else []
    try:
        problem = problem_of(champion, file, None, {})
        genome = genome_of(champion, file)
        lives = (
            problem.charts(genome.express(genome.restore(champion.genes)))
            if isinstance(problem, LifetimeProblem)
            else []
        )
        unknown = ""
    except Exception as error:  # a campaign's own code, or a stranger's settings, can fail in any way
        lives, unknown = [], f"The champion cannot live here: {_one_line(error) or type(error).__name__}"
    return LifetimePictures(recorded, champion.variant, champion.seed, lives, unknown)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())


def _study_line(study: CohortRecord) -> str:
    """Return a line of the summary about a study."""
    what = f"{len(study.labels)} {'runs' if study.evolving else 'settings'}"
    return f"Study: {what}, {study.generations} {study.moment}s; in numbers: evo table, for print: evo figure"


def histories(champion: Path) -> list[RunHistory]:
    """Return the curves of all runs beside a champion file: its campaign's, or its run's, or none."""
    folder = champion.parent
    if (folder / "campaign.json").is_file():
        recorded = list(runs(folder))
    elif (folder / "journal.jsonl").is_file():
        header = journal.header(folder / "journal.jsonl")  # the folder may be a copy, called otherwise
        variant, seed = str(header.get("variant", "default")), int(header.get("seed", 0))
        recorded = [recorded_run(folder / "journal.jsonl", variant, seed)]
    else:
        return []
    maximize = maximizes(load(champion), champion)
    return [_history(run.variant, run.seed, run.scores, maximize) for run in recorded if run.scores]


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


def watched(champion: Champion, file: Path) -> tuple[list[WeightScore], Live]:
    """Return a champion's score for each of a series of shared weights, and what its page needs to run its problem.

    The scores are none where it was not evolved for shared weights; both are of the same episodes.
    """
    try:
        problem = problem_of(champion, file, None, {})
    except Exception as error:  # the campaign's own code, or a stranger's settings, can fail in any way
        return [], Live(note=f"Its problem cannot be made here, so the network is at rest: {_one_line(error)}")
    if champion.network is None:
        return [], Live()
    try:
        check_interface(problem, champion.networks())
        return _watched(champion, problem)
    except Exception as error:  # likewise
        return [], Live(note=f"It cannot be scored here, so the network is at rest: {_one_line(error)}")


def _watched(champion: Champion, problem: Problem) -> tuple[list[WeightScore], Live]:
    """Return a network's score for each of a series of shared weights, and what its page needs; see `watched`."""
    weights = WEIGHTS if champion.problem["settings"].get("shared_weights") else ()
    trials = _trials(champion, problem, weights) if weights or isinstance(problem, ControlProblem) else []
    sweep = [_weight_score(weight, values) for weight, values in zip(weights, trials, strict=False)]
    return sweep, live_problem(problem, _draws(champion), trials)


def _weight_score(weight: float, values: list[float]) -> WeightScore:
    """Return mean and standard deviation of the scores that are finite; NaN where none is."""
    scored = [value for value in values if math.isfinite(value)]
    if not scored:
        return WeightScore(weight, math.nan, math.nan)
    return WeightScore(weight, statistics.fmean(scored), statistics.pstdev(scored))


def _trials(champion: Champion, problem: Problem, weights: tuple[float, ...]) -> list[list[float]]:
    """Return scores of the first objective, per shared weight (or once, with the network's own) and episode."""
    changes = {"shared_weights": weights, "episodes": STARTS, "batch": 0, "split": "test"}
    known = {field.name for field in dataclasses.fields(problem)}  # type: ignore[arg-type]
    changed: Problem = dataclasses.replace(problem, **{k: v for k, v in changes.items() if k in known})  # type: ignore[type-var]
    with Evaluator(changed) as evaluator:
        outcomes = evaluator.score(champion.networks(), _draws(champion))
    trials = outcomes.trials.get(changed.objectives[0].name, torch.empty(1, 0, 0))[0].tolist()
    return [[float(value) for value in values] for values in trials]


def _draws(champion: Champion) -> Any:
    return seeds.rng(champion.seed, "weights")


def command_of(champion: Path) -> str:
    """Return what to type to run again the campaign around a champion file; empty where that is not known."""
    folder = campaign_folder(champion)
    if folder is None:
        return ""
    described = campaign_file(folder)
    source = Path(described["file"]) if described["file"] else folder / "source.py"
    source = source if source.is_file() else folder / "source.py"
    if not source.is_file():
        return ""
    here = Path.cwd()
    command = ["evo", "run", str(source.relative_to(here) if source.is_relative_to(here) else source)]
    configuration = described["configuration"]
    if configuration["seeds"] == list(range(len(configuration["seeds"]))):  # others are the file's own
        command += ["--seeds", str(len(configuration["seeds"]))]
    generations = {variant["generations"] for variant in configuration["variants"].values()}
    if len(generations) == 1:
        command += ["--generations", str(*generations)]
    if described.get("device", "cpu") != "cpu":
        command += ["--device", str(described["device"])]
    return shlex.join(command)
