"""`evo check`: check the genomes, problems and campaigns of a Python file."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Check the genomes, problems and campaigns of a Python file."""
    command.add_argument("file", type=Path)


def execute(options: argparse.Namespace) -> int:
    """Print what was checked and what is wrong; 1 where something is."""
    from evo.testing.check_file import check_file, report

    findings = check_file(options.file)
    print(report(findings))
    return 1 if any(not finding.ok for finding in findings) else 0
