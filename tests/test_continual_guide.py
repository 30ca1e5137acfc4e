"""The guide's campaigns with populations of learners run, and their tables say what was compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from evo.cli import main
from evo.loading import load_campaign

GUIDE = (Path(__file__).parents[1] / "evo" / "docs" / "continual_learning.md").read_text()
CAMPAIGNS = re.findall(r"```python\n(.*?)```", GUIDE.partition("## Populations of learners")[2], re.S)
SAID = (
    ["3 settings on 10 streams, 2 segments. Score: squared error, less is better."],
    ["1 population of up to 20, 2 segments.", "step size, last", "replacement rate, last"],
    ["1 population of up to 40, 2 generations.", "step size, last", "replacement rate, last"],
    ["coin-v1: 2 settings on 3 streams, 2 segments. Score: error, less is better."],
)


def test_all_campaigns_of_the_guide_are_tried() -> None:
    assert len(CAMPAIGNS) == len(SAID)


@pytest.mark.parametrize("number", range(len(SAID)))
def test_campaigns_of_the_guide_run(number: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.py"
    path.write_text(CAMPAIGNS[number])
    load_campaign(path).with_settings(range(1), 2).run(out=tmp_path / "run", quiet=True)
    assert main(["table", str(tmp_path / "run")]) == 0
    printed = capsys.readouterr().out
    for words in SAID[number]:
        assert words in printed


def test_the_stream_of_ones_own_passes_its_checks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "coin.py"
    path.write_text(CAMPAIGNS[-1])
    assert main(["check", str(path)]) == 0, capsys.readouterr().out
