"""Check everything that a Python file defines: its genomes, problems, algorithms and campaigns (`evo check FILE`)."""

from __future__ import annotations

import inspect
import itertools
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from evo.algorithm import Algorithm
from evo.genome import Genome
from evo.loading import run_file
from evo.networks import Networks
from evo.problem import Problem
from evo.testing import Finding, label
from evo.testing.algorithm_checks import check_algorithm
from evo.testing.genome_checks import check_genome, draws
from evo.testing.problem_checks import check_pair, check_problem, made_up_networks, mismatch

LOOKED_FOR = (
    "genomes (instances or subclasses of evo.Genome), problems (of evo.Problem, or functions under @evo.fitness), "
    "algorithms (of evo.Algorithm) and campaigns (objects with problem and genome)"
)
KINDS = (Genome, Problem, Algorithm)
OURS = ("evo", "genomes", "problems")


@dataclass
class Found:
    """What a file defines.

    Attributes:
        genomes, problems, algorithms: each once.
        pairs: genomes and problems that a campaign puts together.
        teams: algorithms and genomes that a campaign puts together.
        findings: what is wrong with, or missing for, things that could not be made.
    """

    genomes: list[Genome] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    algorithms: list[Algorithm] = field(default_factory=list)
    pairs: list[tuple[Genome, Problem]] = field(default_factory=list)
    teams: list[tuple[Algorithm, Genome]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def add(self, thing: object) -> None:
        """Take up a genome, a problem or an algorithm that is not known yet; ignore anything else."""
        for kind, known in zip(KINDS, (self.genomes, self.problems, self.algorithms), strict=True):
            if isinstance(thing, kind) and not any(thing is other for other in known):  # type: ignore[attr-defined]
                known.append(thing)  # type: ignore[attr-defined]

    def add_campaign(self, campaign: Any) -> None:
        """Take up a campaign's parts, and those of its variants."""
        variants = getattr(campaign, "variants", None) or {"": {}}
        for changes in variants.values():
            genome, problem, algorithm = (
                changes.get(name, getattr(campaign, name, None)) for name in ("genome", "problem", "algorithm")
            )
            for part in (genome, problem, algorithm):
                self.add(part)
            _add_new(self.pairs, (genome, problem), (Genome, Problem))
            _add_new(self.teams, (algorithm, genome), (Algorithm, Genome))


def _add_new(known: list[Any], parts: tuple[Any, Any], kinds: tuple[type, type]) -> None:
    new = not any(parts[0] is one and parts[1] is other for one, other in known)
    if new and isinstance(parts[0], kinds[0]) and isinstance(parts[1], kinds[1]):
        known.append(parts)


def check_file(path: Path) -> list[Finding]:
    """Run a Python file and return what every check says of what it defines.

    A file that raises is a finding with the line; so is one that defines nothing to check. Nothing of it stays
    imported. Its code runs, as with `python FILE`, but for what is under `if __name__ == "__main__"`.
    """
    path = Path(path).resolve()
    subject = f"file {path.name}"
    with _imports_forgotten(path), _one_thread():
        try:
            module = run_file(path)
        except (Exception, SystemExit) as error:
            return [Finding(subject, "runs", "FAILED", _where(path, error))]
        found = find(module)
        findings = found.findings + list(_check_all(found))
    if not findings:
        return [Finding(subject, "defines", "FAILED", f"nothing to check at the top level; looked for {LOOKED_FOR}")]
    return findings


@contextmanager
def _imports_forgotten(path: Path) -> Iterator[None]:
    """Forget, at the end, the module of the file and those it imported from beside it."""
    before, places = dict(sys.modules), list(sys.path)
    try:
        yield
    finally:
        sys.path[:] = places
        for name, module in list(sys.modules.items()):
            place = getattr(module, "__file__", None)
            beside = place is not None and Path(place).resolve().is_relative_to(path.parent)
            if before.get(name) is module or not beside or name.partition(".")[0] in OURS:
                continue
            del sys.modules[name]
            if name in before:
                sys.modules[name] = before[name]


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let torch use one thread, as campaigns do: several change last bits of sums, and are slow on small tensors."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _where(path: Path, error: BaseException) -> str:
    """Return what a file raised, and on which of its lines."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"line {error.lineno}: SyntaxError: {error.msg}: {(error.text or '').strip()}"
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if Path(frame.filename) == path]
    place = f"line {lines[-1].lineno}: {lines[-1].line}: " if lines else ""
    return f"{place}{type(error).__name__}: {error}"


def find(module: ModuleType) -> Found:
    """Return the genomes, problems, algorithms and campaigns at the top level of a module."""
    found = Found()
    things = list(vars(module).values())
    for thing in things:
        if not inspect.isclass(thing) and not inspect.ismodule(thing):
            found.add(thing)
            if hasattr(thing, "problem") and hasattr(thing, "genome"):
                found.add_campaign(thing)
    classes = [thing for thing in things if inspect.isclass(thing) and issubclass(thing, KINDS)]
    for kind in classes:
        if kind.__module__ == module.__name__:
            _make(kind, classes, found)
    return found


def _make(kind: type, classes: list[type], found: Found) -> None:
    """Take up an instance of a class that the file defines, if it has none and can be made without arguments."""
    made = (*found.genomes, *found.problems, *found.algorithms)
    subclassed = any(other is not kind and issubclass(other, kind) for other in classes)
    if any(isinstance(thing, kind) for thing in made) or (inspect.isabstract(kind) and subclassed):
        return
    subject = f"class {kind.__name__}"
    if inspect.isabstract(kind):
        missing = ", ".join(sorted(kind.__abstractmethods__))  # type: ignore[attr-defined]
        found.findings.append(Finding(subject, "complete", "FAILED", f"it lacks {missing}: write what is missing"))
        return
    needed = [
        name
        for name, parameter in inspect.signature(kind).parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    ]
    if needed:
        why = f"it needs {', '.join(needed)}: put an instance into the file, such as one = {kind.__name__}(...)"
        found.findings.append(Finding(subject, "made", "skipped", why))
        return
    try:
        found.add(kind())
    except Exception as error:
        text = f"{kind.__name__}() raises {type(error).__name__}: {error}"
        found.findings.append(Finding(subject, "made", "FAILED", text))


def _check_all(found: Found) -> Iterator[Finding]:
    for genome in found.genomes:
        yield from check_genome(genome)
    for problem in found.problems:
        yield from _check_problem(found, problem)
    for algorithm in found.algorithms:
        if not any(algorithm is one for one, _ in found.teams):
            yield from check_algorithm(algorithm)
    for algorithm, genome in found.teams:
        yield from check_algorithm(algorithm, genome)


def _check_problem(found: Found, problem: Problem) -> Iterator[Finding]:
    """Check a problem with the genomes of its campaigns, or else of the file, or else with made-up phenotypes."""
    genomes = [genome for genome, other in found.pairs if other is problem]
    genomes = genomes or [genome for genome in found.genomes if _fits(genome, problem)]
    for genome in genomes:
        yield from check_pair(genome, problem)
    if genomes:
        return
    phenotypes = _made_up(problem)
    if phenotypes is None:
        why = (
            f"no genome in the file fits, and no {problem.accepts.__name__} could be made up: put a genome that "
            f"expresses to it into the file, or a campaign"
        )
        yield Finding(f"problem {label(problem)}", "tried", "skipped", why)
    else:
        yield from check_problem(problem, phenotypes)


def _fits(genome: Genome, problem: Problem) -> bool:
    try:
        return not mismatch(genome, problem)
    except Exception:  # a broken genome is told of by its own checks
        return False


def _made_up(problem: Problem) -> Any:
    """Return phenotypes to try a problem on, or None where it does not say what they look like."""
    if problem.accepts is Networks and problem.inputs and problem.outputs:
        return made_up_networks(len(problem.inputs), len(problem.outputs), 8, draws())
    size = getattr(problem, "size", None)
    if problem.accepts is torch.Tensor and isinstance(size, int):
        return torch.from_numpy(draws().uniform(-1.0, 1.0, (8, size))).to(torch.float32)
    return None


def report(findings: list[Finding]) -> str:
    """Return findings for a terminal: a line per check, subject by subject, what is wrong below it, and a count."""
    lines: list[str] = []
    width = max((len(finding.check) for finding in findings), default=0)
    for subject, group in itertools.groupby(findings, key=lambda finding: finding.subject):
        lines.append(subject)
        for finding in group:
            message = f"  {finding.message}" if finding.message else ""
            lines.append(f"  {finding.status:<7}  {finding.check:<{width}}{message}".rstrip())
    counts = {status: sum(finding.status == status for finding in findings) for status in ("ok", "FAILED", "skipped")}
    lines.append(", ".join(f"{count} {status}" for status, count in counts.items()))
    return "\n".join(lines)
