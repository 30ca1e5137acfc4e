"""`evo replay`: evaluate one recorded individual again."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Evaluate one recorded individual again, and tell all that happens."""
    command.add_argument("folder", type=Path, metavar="DIR", help="a run's folder, or a campaign's with one run")
    command.add_argument("individual", metavar="GENERATION:INDEX", help="as messages about failures number them")
    command.add_argument(
        "--here", action="store_true", help="in this process, so that prints show and a debugger can be used"
    )


def execute(options: argparse.Namespace) -> int:
    """Print the genome, and how its evaluation ended then and now."""
    from evo.replay import replay

    generation, index = _numbers(options.individual)
    found = replay(options.folder, generation, index, options.here)
    kind, message, scores = found.recorded
    print(f"genome: {found.genome.describe(found.row[0])}")
    print(f"recorded: {_ended(kind, scores, message)}")
    again = found.outcomes
    print(f"now: {_ended(again.kinds[0], again.scores[0].tolist(), again.messages.get(0, ''))}")
    if not found.same:
        print("It did not end as it did then: it depends on something other than the genome and the draws it is given.")
    return 0


def _numbers(text: str) -> tuple[int, int]:
    generation, _, index = text.partition(":")
    try:
        return int(generation), int(index)
    except ValueError:
        raise ValueError(f"individual: expected GENERATION:INDEX, two numbers such as 12:3, got {text!r}") from None


def _ended(kind: object, scores: object, message: str) -> str:
    name, advice = getattr(kind, "name", ""), getattr(kind, "value", "")
    return f"{name} {scores}" if name == "OK" else f"{name}: {advice}\n{message}"
