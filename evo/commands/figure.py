"""`evo figure`: draw how settings compare over time, or how tasks in sequence went, for print."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Draw how settings compare over time, or how tasks went, for print."""
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="png, pdf or svg by its suffix; by default study.png or tasks.png in DIR",
    )
    command.add_argument(
        "--panels", default="", metavar="NAMES", help="such as score,dead,effective_rank; by default what papers show"
    )
    command.add_argument(
        "--settings", default="", metavar="NUMBERS", help="such as 1,3, as `evo table` numbers them; by default all"
    )
    command.add_argument("--width", type=float, default=183.0, metavar="MM", help="in millimetres; 183 by default")


def execute(options: argparse.Namespace) -> int:
    """Print where the figures are."""
    from evo.figure import figure

    names = [name.strip() for name in options.panels.split(",") if name.strip()]
    numbers = [_number(text.strip()) for text in options.settings.split(",") if text.strip()]
    for path in figure(options.folder, options.out, names, numbers, options.width):
        print(f"figure: {path}")
    return 0


def _number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"--settings: expected numbers with commas between them, such as 1,3, got {text!r}")
    return int(text)
