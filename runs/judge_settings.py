"""Judge the settings that a grid and populations found: newborn learners with them, on streams that none has seen.

    python runs/judge_settings.py FOLDER [--streams 30] [--out DIR]

FOLDER is of `runs/evolved_settings.py`. Seed by seed, a cohort's settings are those with the least error over the last
tenth of its generations; a population's are the medians over its individuals in the last generation. Beside all of
them stand plain backprop and continual backprop of the same step size, 0.01.
"""

import argparse
import json
from pathlib import Path

import numpy as np

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.campaign import new_folder
from evo.cohort_record import CohortRecord, studies
from evo.interval import mean_interval
from evo.recorded import recorded_campaign
from genomes.learner import Learner

PLAIN = ({"step_size": 0.01}, {"step_size": 0.01, "replacement_rate": 1e-4})
SEED = 1_000_000
"""Far from any that a search is started with, so that its streams are others."""


def main():
    """Let the settings found live on new streams, and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path)
    options.add_argument("--streams", type=int, default=30)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    searched, _ = recorded_campaign(chosen.folder)
    found = found_settings(chosen.folder)
    settings = [*PLAIN, *(one for every in found.values() for one in every)]
    folder = chosen.out or new_folder("judged_settings")
    judge(searched, settings, chosen.streams, folder)
    print(table(folder, settings, found, len(PLAIN)))


def judge(searched, settings, streams, folder):
    """Let newborn learners with each of the settings live on each of some new streams; all is left in the folder."""
    Campaign(
        searched.problem,
        genome=Learner.for_problem(searched.problem, hidden=(5,)),
        algorithm=Cohort(settings, streams),
        generations=searched.generations,
        seeds=(SEED,),
        name="judged_settings",
    ).run(out=folder)


def found_settings(folder):
    """Return, variant by variant, the settings that each seed's run ended with."""
    found = {}
    for run in sorted(folder.glob("*/seed-*"), key=lambda run: (run.parent.name, int(run.name[5:]))):
        for record in studies(run):
            found.setdefault(run.parent.name, []).append(medians(record) if record.evolving else best(run, record))
    return found


def medians(record: CohortRecord):
    """Return a population's settings: medians over its individuals in the last generation."""
    return {gene: float(np.median(record.curves[gene][-1])) for gene in record.genes}


def best(run, record: CohortRecord):
    """Return the setting of a cohort with the least error over the last tenth."""
    settings = json.loads((run / "cohort.json").read_text())["settings"]
    return settings[int(np.argmin(late(record).mean(1)))]


def late(record: CohortRecord):
    """Return the mean error over the last tenth of the generations, `[settings, streams]`; infinite where it failed."""
    scores = record.curves["score"]
    return np.nan_to_num(scores[-max(1, len(scores) // 10) :].mean(0), nan=np.inf)


def table(folder, settings, found, first):
    """Return a Markdown table: error over the last tenth, and what it is less than that of the same seed's grid."""
    errors = late(studies(folder)[0])
    lines = ["| found by | seed | settings | error over the last tenth |", "|---|---|---|---|"]
    names = [("by hand", "-")] * first + [(name, seed) for name, every in found.items() for seed in range(len(every))]
    for (name, seed), setting, error in zip(names, settings, errors, strict=True):
        said = ", ".join(f"{gene} {value:.3g}" for gene, value in setting.items())
        lines.append(f"| {name} | {seed} | {said} | {spread(error)} |")
    where = {name: [place for place, one in enumerate(names) if one[0] == name] for name in found}
    means = {name: errors[places].mean(1) for name, places in where.items()}
    lines.append("")
    for name, values in means.items():
        lines.append(f"{name}: {spread(values)} over seeds; {spread(values - means['grid'])} more than the grid")
    return "\n".join(lines)


def spread(values):
    """Return the mean and half its 95 % interval."""
    centre, half = mean_interval(np.asarray(values))
    return f"{centre:.3f} +- {half:.3f}"


if __name__ == "__main__":
    main()
