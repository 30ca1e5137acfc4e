"""`evo table`: print how settings, or conditions of learning task after task, compare, in numbers."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(command: argparse.ArgumentParser) -> None:
    """Print how settings compare over time, or conditions on a series of tasks, in numbers, as Markdown."""
    command.add_argument("folder", type=Path, metavar="DIR")
    command.add_argument("--control", default="", metavar="VARIANT", help="of tasks: what gains are measured against")
    command.add_argument("--test", action="store_true", help="of tasks: test accuracies in the end, in place of times")
    command.add_argument("--json", action="store_true", help="for other programs")


def execute(options: argparse.Namespace) -> int:
    """Print the table of the tasks that the folder's runs learned, or else one for each study that it holds."""
    import json
    from dataclasses import asdict

    from evo import tested_tasks, transfer_table
    from evo.cohort_record import studies
    from evo.study_table import study_table, tables

    if options.test:
        told = tested_tasks.accuracy_table(options.folder)
        print(json.dumps(asdict(told)) if options.json else told.markdown())
        return 0
    tasks = transfer_table.tables(options.folder, options.control, options.json)
    if tasks is None and options.control:
        raise ValueError(
            f"--control: the runs in {options.folder} left no tasks.json, so there is nothing to gain over"
        )
    if options.json:
        print(json.dumps(tasks or [asdict(study_table(one)) for one in studies(options.folder)]))
    else:
        print(tasks or tables(options.folder))
    return 0
