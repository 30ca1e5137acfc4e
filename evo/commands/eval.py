"""`evo eval`: score a champion again."""

from __future__ import annotations

import argparse
import json
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Score a champion again."""
    command.add_argument("champion", type=Path)
    command.add_argument("--problem", metavar="NAME", help="by default the champion's own")
    command.add_argument("--weight", metavar="W", help="one shared weight; 'own' for the network's own weights")
    command.add_argument("--episodes", type=int, metavar="N", help="episodes, where the problem has them")
    command.add_argument("--split", choices=("train", "test", "all"), help="where the problem has splits")
    command.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws; 0 by default")
    command.add_argument("--json", action="store_true", help="for other programs")


def execute(options: argparse.Namespace) -> int:
    """Print mean, standard deviation and number of the scores, per objective."""
    from evo.rescore import rescore

    answer = rescore(options.champion, options.problem, options.weight, options.episodes, options.split, options.seed)
    if options.json:
        print(json.dumps(answer))
        return 0
    print(answer["problem"])
    for name, score in answer["objectives"].items():
        print(f"  {name}: {score['mean']:.6g} +- {score['sd']:.3g} (n={score['n']})")
    return 0
