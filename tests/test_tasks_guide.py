"""The guide's sequence of tasks runs as it is printed, in fewer than thirty lines."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from evo.cli import main

GUIDE = (Path(__file__).parents[1] / "evo" / "docs" / "tasks_in_sequence.md").read_text()
PROGRAM = re.findall(r"```python\n(.*?)```", GUIDE, re.S)[0]
PRINTED = re.findall(r"```text\n(.*?)```", GUIDE, re.S)[0]


def test_a_sequence_of_tasks_takes_fewer_than_thirty_lines() -> None:
    assert len(PROGRAM.splitlines()) < 30


def test_the_guides_sequence_runs_and_prints_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.py").write_text(PROGRAM)
    done = subprocess.run([sys.executable, "mine.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == PRINTED.strip()
    assert main(["table", str(tmp_path / "runs" / "three_pairs")]) == 0
    assert "of them kept in the task before" in capsys.readouterr().out
