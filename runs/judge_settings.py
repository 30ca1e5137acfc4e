"""Judge the settings that grids and populations found: newborn learners with them, on streams that none has seen.

    python runs/judge_settings.py FOLDER [FOLDER ...] [--streams 30] [--out DIR]

The first folder is of `runs/evolved_settings.py`, others of `runs/evolved_lives.py`, finished. Run by run, what is
judged is: of a grid, the setting of least mean error over its whole life, and that over the last tenth (one stream is
little to go by, so these differ); of a population, the medians over its individuals in the last generation. Beside all
of them stand plain backprop and continual backprop of step size 0.01. All live on the same streams, so that differences
are paired.
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
from evo.recorded import campaign_file, recorded_campaign

PLAIN = [("backprop", "-", {"step_size": 0.01}), ("continual", "-", {"step_size": 0.01, "replacement_rate": 1e-4})]
SEED = 1_000_000
"""Far from any that a search is started with, so that its streams are others."""


def main():
    """Let the settings found live on new streams, and print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", type=Path, nargs="+")
    options.add_argument("--streams", type=int, default=30)
    options.add_argument("--out", type=Path)
    chosen = options.parse_args()
    found = PLAIN + [one for folder in chosen.folders for one in found_settings(folder)]
    searched, _ = recorded_campaign(chosen.folders[0])
    folder = chosen.out or new_folder("judged_settings")
    judge(searched, [setting for _, _, setting in found], chosen.streams, folder)
    print(table(found, late(studies(folder)[0])))


def judge(searched, settings, streams, folder):
    """Let newborn learners with each of the settings live on each of some new streams; all is left in the folder."""
    grid = searched.variants["grid"]["genome"]  # the learner without any settings of a search's own
    cohort = Cohort(settings, streams)
    Campaign(
        searched.problem, grid, cohort, generations=searched.generations, seeds=(SEED,), name="judged_settings"
    ).run(out=folder)


def found_settings(folder):
    """Return (what found it, seed, settings) of every run, variant by variant."""
    configuration = campaign_file(folder)["configuration"]
    found = []
    for variant in configuration["variants"]:
        for seed in configuration["seeds"]:
            run = folder / variant / f"seed-{seed}"
            for name, settings in found_by(run, studies(run)[0]):
                found.append((f"{folder.name if variant == 'default' else variant}{name}", seed, settings))
    return sorted(found, key=lambda one: one[0])


def found_by(run, record: CohortRecord):
    """Return pairs of how a run's settings were chosen, and these."""
    if record.evolving:
        return [("", {gene: float(np.median(record.curves[gene][-1])) for gene in record.genes})]
    settings = json.loads((run / "cohort.json").read_text())["settings"]
    errors = np.nan_to_num(record.curves["score"], nan=np.inf).mean(2)
    return [
        (", whole life", settings[int(errors.mean(0).argmin())]),
        (", last tenth", settings[int(errors[-tenth(errors) :].mean(0).argmin())]),
    ]


def tenth(generations):
    """Return how many generations a tenth is."""
    return -(-len(generations) // 10)


def late(record: CohortRecord):
    """Return the mean error over the last tenth of the generations, `[settings, streams]`; infinite where it failed."""
    scores = record.curves["score"]
    return np.nan_to_num(scores[-tenth(scores) :], nan=np.inf).mean(0)


def table(found, errors):
    """Return a Markdown table of the errors `[settings, streams]`, and what each way of finding comes to."""
    lines = ["| found by | seed | settings | error over the last tenth | failed |", "|---|---|---|---|---|"]
    for (name, seed, settings), error in zip(found, errors, strict=True):
        said = ", ".join(f"{gene} {value:.3g}" for gene, value in settings.items() if value)
        lines.append(f"| {name} | {seed} | {said} | {spread(error)} | {int(np.isinf(error).sum())} |")
    names = dict.fromkeys(name for name, _, _ in found)
    places = {name: [place for place, one in enumerate(found) if one[0] == name] for name in names}
    first = errors[places["grid, whole life"]].mean(0)
    lines += [
        "",
        "| found by | mean over its runs | the same less the grid's (whole life), stream by stream |",
        "|---|---|---|",
    ]
    for name in names:
        mean = errors[places[name]].mean(0)
        lines.append(f"| {name} | {spread(mean)} | {spread(mean - first)} |")
    return "\n".join(lines)


def spread(values):
    """Return the mean and half its 95 % interval; infinite where a learner failed."""
    if not np.isfinite(values).all():
        return "infinite"
    centre, half = mean_interval(np.asarray(values))
    return f"{centre:.3f} +- {half:.3f}"


if __name__ == "__main__":
    main()
