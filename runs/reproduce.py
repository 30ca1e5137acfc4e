"""Run the long experiments and print the tables of runs/RESULTS.md: `make reproduce`.

python runs/reproduce.py [--workers 2] [wann_swingup] [wann_swingup_laptop] ...
"""

import argparse
import json
import statistics
from pathlib import Path

from evo.campaign import new_folder
from evo.cohort_record import studies
from evo.figure import figure
from evo.loading import load_campaign
from evo.recorded import runs
from evo.study_table import tables

EXPERIMENTS = (
    "wann_swingup",
    "wann_swingup_laptop",
    "wann_swingup_long",
    "wann_recurrent",
    "wann_lifetimes",
    "wann_map_elites",
    "wann_digits",
    "wann_mnist",
    "neat_xor",
    "neat_cartpole",
    "neat_double_pole",
    "slowly_changing_regression",
    "plasticity_methods",
    "permuted_mnist",
    "continual_images",
    "forgetting_add_one",
    "ewc_permuted_mnist",
    "ewc_ten_tasks",
    "pathways_add_one",
    "pathnet_binary_mnist",
    "pathnet_cifar_svhn",
    "pathnet_ten_tasks",
    "growth_ten_tasks",
    "evolved_settings",
    "evolved_lives",
    "learned_optimiser",
    "evolved_strategies",
    "rl2_mdps",
    "rl2_bandits",
)
GENERATIONS = (0, 32, 64, 127, 128, 256, 512, 1023, 2048, 4096)


def main():
    """Run what was chosen, and print a table for each."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--workers", type=int, default=2)
    options.add_argument("experiments", nargs="*", default=EXPERIMENTS)
    chosen = options.parse_args()
    for name in chosen.experiments:
        file = Path(__file__).with_name(f"{name}.py")
        folder = new_folder(f"{name}-reproduced")
        campaign = load_campaign(file)
        campaign.run(workers=chosen.workers, out=folder, source=file)
        if studies(folder):
            print(f"\n## {name}; {folder}\n\n{tables(folder)}\n\n{figure(folder)[0]}")
            continue
        first = campaign.problem.objectives[0]
        print(f"\n## {name}: elite of the generation, {first.name}, median and quartiles over seeds; {folder}\n")
        print(table(folder, max if first.maximize else min))


def table(folder, best):
    """Return, variant by variant, the median over seeds and the quartiles of each generation's best score."""
    recorded = [run for run in runs(folder) if run.scores]
    last = {len(run.scores) - 1 for run in recorded}
    generations = [g for g in sorted({*GENERATIONS, *last}) if g <= max(last)]
    lines = ["| variant | " + " | ".join(f"generation {g}" for g in generations) + " | seeds | seconds of search |"]
    lines.append("|---" * (len(generations) + 3) + "|")
    for variant in dict.fromkeys(run.variant for run in recorded):
        mine = [run for run in recorded if run.variant == variant]
        cells = [elite(mine, g, best) for g in generations]
        seconds = spread([search_seconds(folder, run.variant, run.seed) for run in mine])
        lines.append(f"| {variant} | " + " | ".join(cells) + f" | {len(mine)} | {seconds} |")
    return "\n".join(lines)


def elite(recorded, generation, best):
    """Return the spread of the runs' best scores in a generation; nothing where they did not get there."""
    reached = [run.scores[generation] for run in recorded if generation < len(run.scores)]
    return spread([best(score[0] for score in scores if score[0] == score[0]) for scores in reached]) if reached else ""


def spread(values):
    """Return "median (lower quartile to upper quartile)"."""
    if len(values) < 2:
        return f"{values[0]:.4g}"
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{middle:.4g} ({low:.4g} to {high:.4g})"


def search_seconds(folder, variant, seed):
    """Return how long a run took, from its first generation to its last."""
    lines = (folder / variant / f"seed-{seed}" / "progress.jsonl").read_text().splitlines()
    return json.loads(lines[-1])["seconds"]


if __name__ == "__main__":
    main()
