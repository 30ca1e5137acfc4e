"""A campaign: one problem, one genome, one or more variants x seeds, run in parallel, resumable, recorded."""

from __future__ import annotations

import json
import math
import operator
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from evo.algorithm import Algorithm
from evo.champion import Champion, load
from evo.evaluation.backends import LOCAL, check_backend
from evo.evaluation.dispatch import execute_all
from evo.files import write_json
from evo.genome import Genome
from evo.lock import locked
from evo.problem import Problem
from evo.progress import Progress
from evo.run import CampaignError, Run
from evo.stateful import StatefulProblem
from evo.versions import versions

FORMAT = "evo.campaign/1"
LONGEST_NAME = 200
"""Bytes of a folder's name; disks take 255, and numbers may be put behind it."""


@dataclass(frozen=True)
class Campaign:
    """What to evolve on what, how, how long and how often.

    Attributes:
        problem: what genomes are measured on.
        genome: what evolves.
        algorithm: who breeds and who survives.
        generations: how many times a population is evaluated.
        seeds: one run each.
        variants: for each name, the arguments that differ: problem, genome, algorithm, generations or target; empty
            for one variant, as given above.
        name: of the folder under runs/; by default the problem's.
        validations: how many times the hall of fame of a stochastic problem is scored afresh to name a champion.
        target: ends a run with the generation whose best score of the first objective reaches it, in the objective's
            direction; None for all generations. Where scores are chance too, a single lucky one will do.
    """

    problem: Problem
    genome: Genome
    algorithm: Algorithm
    generations: int = 100
    seeds: Sequence[int] = (0,)
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    name: str = ""
    validations: int = 8
    target: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "seeds", _checked_seeds(self.seeds))
        self._check_parts()
        allowed = {"problem", "genome", "algorithm", "generations", "target"}
        for name, changes in self.variants.items():
            letters = name.replace("-", "").replace("_", "").replace(".", "").isalnum()
            if not set(changes) <= allowed or not letters or len(name.encode()) > LONGEST_NAME:
                raise ValueError(
                    f"Campaign: variant {name!r} is named by letters, digits, '-', '_', '.', at most {LONGEST_NAME} "
                    f"bytes of them, and changes only "
                    f"{', '.join(sorted(allowed))}; got {', '.join(changes)}"
                )
        for run in self.runs():
            if not issubclass(run.genome.expresses, run.problem.accepts):
                raise ValueError(
                    f"Campaign: {type(run.genome).__name__} expresses to {run.genome.expresses.__name__}, but "
                    f"{run.problem.name} scores {run.problem.accepts.__name__}; choose a genome that fits"
                )
            _check_tasks(run)
            if run.problem.lifelong and not run.algorithm.state_in_rows:
                raise ValueError(
                    f"Campaign: algorithm: expected one that goes on with the same individuals (state_in_rows), "
                    f"because lives on {run.problem.name} go on from generation to generation (lifelong=True), got "
                    f"{type(run.algorithm).__name__}, which would select newborns by their first stretch of life, or "
                    f"by scores that no longer hold; make the problem with lifelong=False for whole lives, or use "
                    f"PopulationBasedTraining or Cohort"
                )

            if isinstance(run.problem, StatefulProblem) and run.algorithm.state_in_rows:
                raise ValueError(
                    f"Campaign: algorithm: {type(run.algorithm).__name__} goes on with rows that learned "
                    f"(state_in_rows), but {run.problem.name} keeps what is learned in a state of its own; use an "
                    f"algorithm that selects among rows, such as BinaryTournament or MuPlusLambda"
                )

    def _check_parts(self) -> None:
        for run in self.runs():
            for value, kind in ((run.problem, Problem), (run.genome, Genome), (run.algorithm, Algorithm)):
                if not isinstance(value, kind):
                    hint = "; did you forget to make one, with parentheses?" if isinstance(value, type) else ""
                    hint = "; did you forget @evo.fitness(...)?" if kind is Problem and not hint else hint
                    raise TypeError(
                        f"Campaign: expected {kind.__name__.lower()}=evo.{kind.__name__}, got {value!r}{hint}"
                    )
            if type(run.generations) is not int or run.generations < 1:
                raise ValueError(f"Campaign: generations is a whole number from 1 up, got {run.generations!r}")
            if run.target is not None and not _is_number(run.target):
                raise ValueError(f"Campaign: target is a score, or None for no such end, got {run.target!r}")

    def runs(self) -> list[Run]:
        """Return every run, variant by variant."""
        shared = {"problem": self.problem, "genome": self.genome, "algorithm": self.algorithm}
        return [
            Run(
                **{**shared, "generations": self.generations, "target": self.target, **changes},
                seed=seed,
                variant=variant,
                validations=self.validations,
            )
            for variant, changes in (self.variants or {"default": {}}).items()
            for seed in self.seeds
        ]

    def with_settings(self, seeds: Iterable[int] | None = None, generations: int | None = None) -> Campaign:
        """Return the campaign with other seeds or another number of generations; None leaves as it is."""
        changed = self if seeds is None else replace(self, seeds=tuple(seeds))
        return changed if generations is None else changed.with_generations(dict.fromkeys(self._names(), generations))

    def with_generations(self, generations: Mapping[str, int]) -> Campaign:
        """Return the campaign with another number of generations for variants, by name; others stay as they are.

        Raises:
            CampaignError: the campaign has no such variant.
        """
        present = self._names()
        if not set(generations) <= set(present):
            raise CampaignError(
                f"the campaign was recorded with the variants {', '.join(generations)}, but now has "
                f"{', '.join(present)}; put back those that have gone, or start a new campaign"
            )
        if not self.variants:
            return replace(self, generations=generations.get("default", self.generations))
        return replace(
            self,
            variants={
                name: {**changes, "generations": generations.get(name, changes.get("generations", self.generations))}
                for name, changes in self.variants.items()
            },
        )

    def _names(self) -> list[str]:
        return list(self.variants) or ["default"]

    def run(
        self,
        workers: int = 1,
        device: str = "cpu",
        out: str | Path | None = None,
        resume: bool = False,
        engine: str = "",
        source: Path | None = None,
        quiet: bool = False,
        backend: str = LOCAL,
    ) -> Champion:
        """Run all runs that are not finished, and return the best champion.

        Results are the same for any number of workers. Stopped by Ctrl-C, it prints the command that goes on.

        Args:
            workers: processes, or threads, that share the work.
            device: where rows, networks and physics are: "cpu", "cuda".
            out: the campaign's folder; by default a new one under runs/.
            resume: go on in `out`, which holds this campaign; without it, `out` must be new or empty.
            engine: "compiled" or "torch", what runs networks; by default compiled on the CPU, torch elsewhere.
            source: the file that makes the campaign; by default the script being run.
            quiet: print nothing.
            backend: "loky", which is this machine, or a cluster: "ray", "ray://HOST:PORT", "dask://HOST:PORT".

        Raises:
            CampaignError: the folder is taken, or holds another campaign, or all evaluations failed.
            CampaignBusyError: another process works in the folder.
        """
        engine = engine or ("compiled" if device == "cpu" else "torch")
        _check_means(workers, device, engine, backend)
        folder = self._enter(Path(out) if out else None, resume, source, {"device": device, "engine": engine})
        runs = self.runs()
        places = {f"{run.variant} seed {run.seed}": run.folder(folder) / "progress.jsonl" for run in runs}
        with locked(folder), Progress(places, quiet) as progress:
            progress.say(f"{len(runs)} run{'s' * (len(runs) > 1)} in {folder}")
            try:
                execute_all(runs, folder, workers, device, engine, backend)
            except KeyboardInterrupt:
                progress.say(f"stopped; to go on: evo resume {folder}")
                raise
        champion = self._best(folder)
        champion.save(folder / "champion.json")
        progress.say(f"champion: {folder / 'champion.json'}  {_scores(champion)}; to look at it: evo show {folder}")
        return champion

    def configuration(self) -> dict[str, Any]:
        """Return everything that decides the results, as plain JSON."""
        return {
            "seeds": list(self.seeds),
            "variants": {run.variant: {**run.configuration(), "generations": run.generations} for run in self.runs()},
        }

    def _enter(self, out: Path | None, resume: bool, source: Path | None, means: dict[str, str]) -> Path:
        """Return the campaign's folder, new and described, or checked to hold this campaign."""
        recorded = out / "campaign.json" if out else None
        if resume:
            if recorded is None or not recorded.is_file():
                raise CampaignError(f"resume: expected out=, the folder of a campaign, got {out}")
            old = json.loads(recorded.read_text())
            if old["configuration"] != json.loads(json.dumps(self.configuration())):
                raise CampaignError(
                    f"{out} was started with other settings, other data, or another source of the problem or genome "
                    f"({_difference(old['configuration'], self.configuration())}). Start a new campaign, or go back."
                )
            return recorded.parent
        configuration = self.configuration()  # first: the data may not be at hand
        folder = _made(out) if out else new_folder(self.name or self.problem.name)
        script = source or _script()
        write_json(
            folder / "campaign.json",
            {
                "format": FORMAT,
                "configuration": configuration,
                "objectives": [objective.name for objective in self.problem.objectives],
                "maximize": self.problem.objectives[0].maximize,
                **means,
                "file": str(script.resolve()) if script else None,
                "versions": versions(),
            },
        )
        if script:
            shutil.copyfile(script, folder / "source.py")
        return folder

    def _best(self, folder: Path) -> Champion:
        """Return the best champion by the first objective; of variants with other problems, scores do not compare."""
        mine = [run for run in self.runs() if run.problem.name == self.runs()[0].problem.name]
        champions = [load(run.folder(folder) / "champion.json") for run in mine]
        objective = mine[0].problem.objectives[0]
        sign = 1.0 if objective.maximize else -1.0
        return max(champions, key=lambda champion: sign * champion.fitness.get(objective.name, -sign * math.inf))


def _check_tasks(run: Run) -> None:
    """Raise ValueError where an algorithm wants more tasks, or replicates, than the problem has."""
    for name in ("tasks", "replicates"):
        wanted, there = getattr(run.algorithm, name, None), getattr(run.problem, name, None)
        if isinstance(wanted, int) and isinstance(there, int) and wanted > there:
            raise ValueError(
                f"Campaign: {name}: {type(run.algorithm).__name__} goes through {wanted}, but {run.problem.name} has "
                f"{there}; give both the same"
            )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _checked_seeds(seeds: Iterable[int]) -> tuple[int, ...]:
    """Return the seeds as a tuple of different whole numbers."""
    if isinstance(seeds, int) or not (listed := list(seeds)):
        raise ValueError(f"Campaign: seeds is a series of at least one number, such as range(8); got {seeds!r}")
    numbers = [operator.index(seed) for seed in listed]
    if len(set(numbers)) < len(numbers) or min(numbers) < 0:
        raise ValueError(f"Campaign: seeds are different whole numbers from 0 up, got {numbers}")
    return tuple(numbers)


def _check_means(workers: int, device: str, engine: str, backend: str) -> None:
    """Raise ValueError unless the campaign can be run in this way, before anything is written."""
    if type(workers) is not int or workers < 1:
        raise ValueError(f"workers: expected a whole number from 1 up, got {workers!r}")
    if engine not in ("compiled", "torch"):
        raise ValueError(f"engine: expected 'compiled' or 'torch', got {engine!r}")
    check_backend(backend)
    if backend != LOCAL and device != "cpu":
        raise ValueError(f"backend: a cluster's nodes evaluate on their CPUs, got device={device!r}; leave it at 'cpu'")
    if engine == "compiled" and device != "cpu":
        raise ValueError(
            f"engine: compiled kernels run on the CPU, not on {device!r}; leave engine out, or take 'torch'"
        )
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise ValueError(f"device: expected one that torch has here, such as 'cpu', got {device!r}: {first}") from None


def _made(out: Path) -> Path:
    """Make the folder `out`, or take it where it is empty; CampaignError where it holds anything."""
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise CampaignError(f"{out} exists already; choose another, or resume it: evo resume {out}")
    return out


def new_folder(name: str) -> Path:
    """Make and return a new folder runs/name, runs/name-2 ...; two campaigns never share one."""
    safe = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip(".") or "campaign"
    safe = safe.encode()[:LONGEST_NAME].decode(errors="ignore")
    Path("runs").mkdir(exist_ok=True)
    for number in range(1, 100_000):
        folder = Path("runs") / (safe if number == 1 else f"{safe}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise CampaignError(f"runs/{safe}: no free number left; choose a folder with --out")


def _script() -> Path | None:
    """Return the script that Python was started with, if it is a file."""
    path = getattr(sys.modules.get("__main__"), "__file__", None)
    return Path(path) if path and Path(path).suffix == ".py" and Path(path).is_file() else None


def _scores(champion: Champion) -> str:
    return ", ".join(f"{name} {score:.6g}" for name, score in champion.fitness.items())


def _difference(old: Any, new: Any, where: str = "") -> str:
    """Return the first setting that differs, with both values."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != json.loads(json.dumps(new.get(name))):
                return _difference(old.get(name), new.get(name), f"{where}.{name}".lstrip("."))
    return f"{where}: recorded {old}, now {new}"
