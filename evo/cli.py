"""The command line, `evo`: thin commands over the library; nothing heavy is imported before it is needed.

Exit codes: 0 done, 1 error, 2 usage, 75 another process is at work, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

BUSY, INTERRUPTED = 75, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ValueError, TypeError, OSError, RuntimeError) as error:
        if options.traceback:
            raise
        print(f"evo: {error}", file=sys.stderr)
        return BUSY if type(error).__name__ == "CampaignBusyError" else 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="evo",
        description="Define a genome and a fitness in Python, evolve populations in parallel, inspect the champion.",
    )
    top.add_argument("--traceback", action="store_true", help="show where an error comes from")
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="run the campaign that a Python file makes")
    run.add_argument("file", type=Path, help="a Python file with a variable `campaign`")
    run.add_argument("--seeds", type=int, metavar="N", help="run seeds 0 to N-1 instead of the file's")
    run.add_argument("--generations", type=int, metavar="N", help="instead of the file's, for every variant")
    run.add_argument("--out", type=Path, metavar="DIR", help="the campaign's folder; by default a new one under runs/")
    run.set_defaults(command=_run)

    resume = commands.add_parser("resume", help="go on with a campaign that was stopped")
    resume.add_argument("folder", type=Path, metavar="DIR")
    resume.set_defaults(command=_resume)
    for sub in (run, resume):
        sub.add_argument("--workers", type=int, default=1, metavar="N", help="processes or threads; 1 by default")
        sub.add_argument("--device", default="", help="cpu or cuda; by default cpu, or where the campaign began")

    show = commands.add_parser("show", help="summarise a champion, and write a page about it")
    show.add_argument("path", type=Path, metavar="DIR_OR_CHAMPION")
    show.add_argument("--page", type=Path, metavar="FILE", help="by default beside the champion")
    show.set_defaults(command=_show)

    best = commands.add_parser("best", help="name the best champion of a campaign")
    best.add_argument("folder", type=Path, metavar="DIR")
    best.set_defaults(command=_best)

    evaluate = commands.add_parser("eval", help="score a champion again")
    evaluate.add_argument("champion", type=Path)
    evaluate.add_argument("--problem", metavar="NAME", help="by default the champion's own")
    evaluate.add_argument("--weight", metavar="W", help="one shared weight; 'own' for the network's own weights")
    evaluate.add_argument("--episodes", type=int, metavar="N", help="episodes, where the problem has them")
    evaluate.add_argument("--split", choices=("train", "test", "all"), help="where the problem has splits")
    evaluate.add_argument("--seed", type=int, default=0, metavar="S", help="of all draws; 0 by default")
    evaluate.set_defaults(command=_eval)
    for sub in (best, evaluate):
        sub.add_argument("--json", action="store_true", help="for other programs")

    listing = commands.add_parser("list", help="list genomes, problems and algorithms")
    listing.set_defaults(command=_list)

    check = commands.add_parser("check", help="check the genomes, problems and campaigns of a Python file")
    check.add_argument("file", type=Path)
    check.set_defaults(command=_check)
    return top


def _run(options: argparse.Namespace) -> int:
    from evo.loading import load_campaign

    seeds = None if options.seeds is None else range(options.seeds)
    campaign = load_campaign(options.file).with_settings(seeds, options.generations)
    campaign.run(options.workers, options.device or "cpu", options.out, source=options.file)
    return 0


def _resume(options: argparse.Namespace) -> int:
    from evo.recorded import campaign_file, recorded_campaign

    described = campaign_file(options.folder)
    device = options.device or described["device"]
    engine = described["engine"] if device == described["device"] else ""
    campaign, source = recorded_campaign(options.folder)
    campaign.run(options.workers, device, options.folder, resume=True, engine=engine, source=source)
    return 0


def _show(options: argparse.Namespace) -> int:
    from evo.show import show

    summary, page = show(options.path, options.page)
    print(summary)
    print(f"page: {page}")
    return 0


def _best(options: argparse.Namespace) -> int:
    from evo.champion import load
    from evo.recorded import champion_path

    path = champion_path(options.folder)
    champion = load(path)
    answer = {
        "champion": str(path),
        "fitness": champion.fitness,
        "generation": champion.generation,
        "seed": champion.seed,
    }
    if options.json:
        print(json.dumps(answer))
    else:
        for name, value in answer.items():
            print(f"{name}: {value}")
    return 0


def _eval(options: argparse.Namespace) -> int:
    from evo.rescore import rescore

    answer = rescore(options.champion, options.problem, options.weight, options.episodes, options.split, options.seed)
    if options.json:
        print(json.dumps(answer))
        return 0
    print(answer["problem"])
    for name, score in answer["objectives"].items():
        print(f"  {name}: {score['mean']:.6g} +- {score['sd']:.3g} (n={score['n']})")
    return 0


def _list(options: argparse.Namespace) -> int:
    import genomes
    import problems
    from evo import algorithms

    for title, available in (
        ("genomes", genomes.CATALOGUE.available()),
        ("problems", problems.CATALOGUE.available()),
        ("algorithms", algorithms.CATALOGUE.available()),
    ):
        print(title)
        for name, line in available.items():
            print(f"  {name:<24} {line}")
    return 0


def _check(options: argparse.Namespace) -> int:
    from evo.testing.check_file import check_file, report

    findings = check_file(options.file)
    print(report(findings))
    return 1 if any(not finding.ok for finding in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
