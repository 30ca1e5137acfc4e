"""Checking a user's file: what is found, what is said of it, and that nothing of it stays imported."""

import sys
import textwrap
from pathlib import Path

import pytest

from evo.testing import Finding
from evo.testing.check_file import check_file, report

HEAD = """
from __future__ import annotations
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
import torch
from evo import seeds
from evo.algorithm import Algorithm
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.outcome import outcomes_of
from evo.problem import Objective, Problem
"""
WORD = """
@dataclass(frozen=True)
class Word(Genome):
    name: ClassVar[str] = "word"
    layout = Layout(Field("letters", (3,)))
    def sample(self, count, rng):
        return self.layout.rows(letters=rng.standard_normal((count, 3)))
    def mutate(self, rows, rng):
        children = rows.clone()
        children[:, :3] += seeds.normal(rng, (len(rows), 3), rows)
        return children
"""
SPHERE = """
@dataclass(frozen=True)
class Sphere(Problem):
    name: ClassVar[str] = "sphere"
    objectives = (Objective("square", maximize=False),)
    def evaluate(self, phenotypes, rng):
        return outcomes_of((phenotypes ** 2).sum(1, keepdim=True))
"""
BLIND = """
@dataclass(frozen=True)
class Blind(Algorithm):
    name: ClassVar[str] = "blind"
    def run(self, search):
        for number in range(search.generations):
            rows = search.genome.sample(4, search.rng("sample", number))
            search.evaluate(search.genome, search.identify(search.genome, rows))
"""


def checked(folder: Path, *parts: str, name: str = "mine.py") -> list[Finding]:
    path = folder / name
    path.write_text("".join(textwrap.dedent(part) for part in parts))
    return check_file(path)


def subjects(findings: list[Finding]) -> list[str]:
    return list(dict.fromkeys(finding.subject for finding in findings))


def failures(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.status == "FAILED"]


def test_classes_that_need_no_arguments_are_made_and_checked(tmp_path: Path) -> None:
    findings = checked(tmp_path, HEAD, WORD, SPHERE, BLIND)
    assert subjects(findings) == [
        "genome word",
        "genome word on problem sphere",
        "algorithm blind with genome numbers",
    ]
    assert not failures(findings)


def test_instances_are_checked_once_and_not_their_classes_again(tmp_path: Path) -> None:
    findings = checked(tmp_path, HEAD, WORD, "word = Word()\nalias = word\n")
    names = [finding.check for finding in findings]
    assert subjects(findings) == ["genome word"]
    assert len(names) == len(set(names))


def test_functions_under_the_decorator_are_problems(tmp_path: Path) -> None:
    function = """
    from evo.function_problem import fitness
    @fitness(maximize="score")
    def score(x):
        return float(x.sum())
    """
    findings = checked(tmp_path, HEAD, WORD, function)
    assert subjects(findings) == ["genome word", "genome word on problem score"]
    assert not failures(findings)


def test_a_campaign_checks_its_parts_together_and_those_of_its_variants(tmp_path: Path) -> None:
    campaign = """
    class Plan:
        problem, genome, algorithm = Sphere(), Word(), Blind()
        class Loud(Word):
            name: ClassVar[str] = "loud"
        variants = {"quiet": {}, "loud": {"genome": Loud()}}
    plan = Plan()
    """
    findings = checked(tmp_path, HEAD, WORD, SPHERE, BLIND, campaign)
    assert subjects(findings) == [
        "genome word",
        "genome loud",
        "genome word on problem sphere",
        "genome loud on problem sphere",
        "algorithm blind with genome word",
        "algorithm blind with genome loud",
    ]
    assert not failures(findings)


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    findings = checked(tmp_path, HEAD, WORD.replace("rows.clone()", "rows"))
    assert {finding.check for finding in failures(findings)} >= {"mutate-keeps-input"}
    text = report(findings)
    assert "genome word" in text
    line = next(line for line in text.splitlines() if "mutate-keeps-input" in line)
    assert line.strip().startswith("FAILED")
    assert "start with rows.clone()" in line
    assert text.splitlines()[-1] == (
        f"{len([f for f in findings if f.status == 'ok'])} ok, {len(failures(findings))} FAILED, "
        f"{len([f for f in findings if f.status == 'skipped'])} skipped"
    )


def test_a_report_has_a_line_per_check(tmp_path: Path) -> None:
    findings = checked(tmp_path, HEAD, WORD)
    lines = report(findings).splitlines()
    assert len(lines) == 1 + len(findings) + 1
    assert sum(line.strip().startswith("ok") for line in lines) == len(findings) - 2  # no graph, no weights


def test_a_class_that_lacks_a_method_is_told_which(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, HEAD, WORD.replace("def mutate", "def change"))
    assert (finding.subject, finding.status) == ("class Word", "FAILED")
    assert "mutate" in finding.message


def test_a_class_that_needs_arguments_asks_for_an_instance(tmp_path: Path) -> None:
    sized = WORD.replace("class Word(Genome):", "class Word(Genome):\n    size: int")
    (finding,) = checked(tmp_path, HEAD, sized)
    assert (finding.status, finding.ok) == ("skipped", True)
    assert "size" in finding.message
    assert "Word(...)" in finding.message


def test_a_class_that_cannot_be_made_says_why(tmp_path: Path) -> None:
    picky = WORD + "    def __post_init__(self):\n        raise ValueError('no alphabet')\n"
    (finding,) = checked(tmp_path, HEAD, picky)
    assert finding.message == "Word() raises ValueError: no alphabet"


def test_a_base_class_of_ones_own_is_left_alone(tmp_path: Path) -> None:
    base = "class Base(Genome):\n    pass\n"
    findings = checked(tmp_path, HEAD, base, WORD.replace("Word(Genome)", "Word(Base)"))
    assert subjects(findings) == ["genome word"]


def test_a_problem_alone_is_tried_with_what_can_be_made_up(tmp_path: Path) -> None:
    findings = checked(tmp_path, HEAD, SPHERE, "    size = 4\n")
    assert subjects(findings) == ["problem sphere"]
    assert not failures(findings)
    wired = """
    from evo.networks import Networks
    class Wired(Problem):
        name, accepts, inputs, outputs = "wired", Networks, ("a", "b"), ("c",)
        objectives = (Objective("sum"),)
        def evaluate(self, phenotypes, rng):
            return outcomes_of(phenotypes.forward(torch.tensor([[0.3, -0.7]]))[:, :, 0])
    """
    findings = checked(tmp_path, HEAD, wired)
    assert subjects(findings) == ["problem wired"]
    assert not failures(findings)


def test_a_scene_that_cannot_be_drawn_is_told(tmp_path: Path) -> None:
    problem = """
    from problems.control.cartpole_swingup import CartPoleSwingUp
    class Drawn(CartPoleSwingUp):
        name: ClassVar[str] = "drawn"
        @staticmethod
        def scene(state):
            return {}
    drawn = Drawn(steps=5)
    """
    for scene, failed in (('("line", 0.0, 0.0, state[0], 1.0)', True), ('(("circle", state[0], 0.0, 1.0),)', False)):
        findings = checked(tmp_path, HEAD, problem.format(scene))
        assert [finding.check for finding in failures(findings)] == ["scene"] * failed
        assert any(finding.check == "scene" and finding.status == "ok" for finding in findings) is not failed


def test_a_problem_that_nothing_fits_asks_for_a_genome(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, HEAD, SPHERE)
    assert finding.status == "skipped"
    assert "put a genome" in finding.message


def test_a_file_that_raises_is_a_finding_with_the_line(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, "x = 1\n", "y = x / 0\n")
    assert finding.status == "FAILED"
    assert finding.message == "line 2: y = x / 0: ZeroDivisionError: division by zero"


def test_a_file_that_ends_the_program_is_a_finding(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, "import sys\n", "sys.exit(3)\n")
    assert finding.message == "line 2: sys.exit(3): SystemExit: 3"


def test_a_syntax_error_is_a_finding_with_the_line(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, "x = 1\n", "def f(:\n")
    assert finding.message.startswith("line 2: SyntaxError")
    assert "def f(:" in finding.message


def test_a_file_with_nothing_says_what_was_looked_for(tmp_path: Path) -> None:
    (finding,) = checked(tmp_path, HEAD, "x = 1\n")
    assert finding.status == "FAILED"
    assert all(word in finding.message for word in ("evo.Genome", "@evo.fitness", "evo.Algorithm", "campaigns"))


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    (finding,) = check_file(tmp_path / "none.py")
    assert finding.status == "FAILED"
    assert "none.py" in finding.message


@pytest.mark.parametrize("end", ["", "1 / 0\n"])
def test_nothing_of_a_file_stays_imported(tmp_path: Path, end: str) -> None:
    (tmp_path / "letters_beside.py").write_text("COUNT = 3\n")
    before, path = set(sys.modules), list(sys.path)
    checked(tmp_path, "from letters_beside import COUNT\n", HEAD, WORD, end)
    left = {name for name in set(sys.modules) - before if "mine" in name or "beside" in name}
    assert not left
    assert sys.path == path


def test_files_of_the_same_name_do_not_meet(tmp_path: Path) -> None:
    for number, folder in enumerate(("a", "b")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "names.py").write_text(f"NAME = 'word{number}'\n")
        named = WORD.replace('"word"', "NAME")
        findings = checked(
            tmp_path / folder, "from names import NAME\n", HEAD.replace("from __future__ import annotations", ""), named
        )
        assert subjects(findings) == [f"genome word{number}"]


def test_a_module_that_was_imported_before_stays(tmp_path: Path) -> None:
    import json

    (tmp_path / "json.py").write_text("x = 1\n")
    checked(tmp_path, HEAD, WORD, name="json_user.py")
    assert sys.modules["json"] is json
