"""The command line, `evo`: thin commands over the library; nothing heavy is imported before it is needed.

Exit codes: 0 done, 1 error, 2 usage, 75 another process is at work, 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import re
import sys
from collections.abc import Callable, Sequence

from evo.commands import COMMANDS, module_of

BUSY, INTERRUPTED = 75, 130
NEGATIVE = re.compile(r"-[0-9.]+[eE][-+]?[0-9]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = parser().parse_args(joined(sys.argv[1:] if arguments is None else arguments))
    command: Callable[[argparse.Namespace], int] = options.command
    try:
        return command(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (ValueError, TypeError, KeyError, ImportError, OSError, RuntimeError) as error:
        if options.traceback:
            raise
        said = str(error)
        if isinstance(error, KeyError):  # its text is the name alone
            said = f"there is no {error} where one is expected; evo --traceback shows where"
        print(f"evo: {said}", file=sys.stderr)
        return BUSY if type(error).__name__ == "CampaignBusyError" else 1


def joined(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with negative numbers such as -1e-3 joined to their options: argparse takes them for one."""
    result: list[str] = []
    for argument in arguments:
        if result and result[-1].startswith("--") and NEGATIVE.fullmatch(argument):
            result[-1] += f"={argument}"
        else:
            result.append(argument)
    return result


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    top = argparse.ArgumentParser(
        prog="evo",
        description="Define a genome and a fitness in Python, evolve populations in parallel, inspect the champion.",
    )
    top.add_argument("--traceback", action="store_true", help="show where an error comes from")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = importlib.import_module(module_of(name))
        line = (module.configure.__doc__ or "").strip().splitlines()[0].rstrip(".")
        command = commands.add_parser(name, help=line[0].lower() + line[1:], description=line)
        module.configure(command)
        command.set_defaults(command=module.execute)
    return top


if __name__ == "__main__":
    sys.exit(main())
