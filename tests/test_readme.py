"""The README's examples run, and print what it says they print."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = (Path(__file__).parents[1] / "README.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", README, re.S)


def test_there_are_examples_and_they_are_short():
    assert len(EXAMPLES) == 2
    assert len(re.findall("```python", README)) == len(EXAMPLES)
    for code, _ in EXAMPLES:
        assert len([line for line in code.splitlines() if line.strip()]) <= 30


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_examples_print_what_the_readme_says(number, tmp_path):
    code, expected = EXAMPLES[number]
    path = tmp_path / "mine.py"
    path.write_text(code)
    done = subprocess.run([sys.executable, str(path)], cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == expected.strip()


def test_files_the_readme_names_are_there():
    for name in re.findall(r"`((?:runs|evo|genomes|problems|tests)/[\w./-]+)`", README):
        if name not in ("runs/matches",) and "champion.json" not in name:
            assert (Path(__file__).parents[1] / name).exists(), name
