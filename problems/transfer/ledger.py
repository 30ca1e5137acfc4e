"""The state of a sequence of tasks: weights of all replicates, and a ledger of what each has behind it.

Beside the weights (`evo.learning.supernet.weights`):

    task          [replicates]                   which one is at hand, from 0
    seeds         [replicates]                   what all its draws come from
    windows       [replicates]                   evaluations behind it
    frozen        [replicates, layers, modules]  which modules learn no more
    paths         [replicates, tasks, layers, modules]  the path kept of each task that has ended
    best          [replicates, layers, modules]  the fittest path of the task at hand; of equals the latest
    best_fitness  [replicates]                   -1 where none has been scored

Paths are sets, a boolean for each module. Source: Fernando et al. 2017 (PathNet, arXiv:1701.08734), section 2.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from evo import seeds
from evo.learning.supernet.weights import HEAD, newborn_head, newborn_modules, stacks
from evo.pathways import Pathways

if TYPE_CHECKING:
    from problems.transfer.task_sequence import TaskSequence

Ledger = dict[str, torch.Tensor]
AFTER = ("freeze", "keep", "renew")


def begun(problem: TaskSequence, rng: np.random.Generator) -> Ledger:
    """Return the state of replicates that are about to begin with their first task."""
    replicates, tasks = problem.replicates, problem.tasks
    roots = rng.integers(2**62, size=replicates)
    sets = torch.zeros(replicates, len(problem.modules_per_layer), max(problem.modules_per_layer), dtype=torch.bool)
    return {
        **_newborn(problem, roots.tolist()),
        "task": torch.zeros(replicates, dtype=torch.int64),
        "seeds": torch.from_numpy(roots),
        "windows": torch.zeros(replicates, dtype=torch.int64),
        "frozen": _pretrained(problem).expand_as(sets).clone(),
        "paths": sets[:, None].expand(-1, tasks, -1, -1).clone(),
        "best": sets.clone(),
        "best_fitness": torch.full((replicates,), -1.0, dtype=torch.float64),
    }


def _newborn(problem: TaskSequence, roots: list[int]) -> Ledger:
    """Return the weights of all replicates, and the heads of all their tasks."""
    each = [newborn_modules(problem.supernet, problem.input_shape, _seed(root, "modules", 0)) for root in roots]
    weights = {name: torch.stack([one[name] for one in each]) for name in each[0]}
    most = max(problem.classes(task) for task in range(problem.tasks))
    heads = [
        [
            newborn_head(problem.supernet, problem.input_shape, most, _seed(root, "head", task))
            for task in range(problem.tasks)
        ]
        for root in roots
    ]
    for number, name in enumerate(HEAD):
        weights[name] = torch.stack([torch.stack([head[number] for head in row]) for row in heads])
    return weights


def _seed(root: int, part: str, task: int) -> int:
    return seeds.torch_seed(root, f"supernet: {part}", task)


def _pretrained(problem: TaskSequence) -> torch.Tensor:
    """Return which modules are frozen from the start, booleans `[layers, modules]`."""
    most = max(problem.modules_per_layer)
    return torch.tensor(
        [
            [module < layer.count and layer.kind(module).pretrained for module in range(most)]
            for layer in problem.supernet.layers
        ]
    )


def end_task(problem: TaskSequence, ledger: Ledger, replicate: int) -> None:
    """End a replicate's task, in place: keep its path, freeze it, renew what is not frozen, as `after` says."""
    task = int(ledger["task"][replicate])
    ledger["paths"][replicate, task] = ledger["best"][replicate]
    if problem.after == "freeze":
        ledger["frozen"][replicate] |= ledger["best"][replicate]
    if problem.after != "keep":
        _renew(problem, ledger, replicate, task + 1)
    ledger["task"][replicate] = task + 1
    ledger["best"][replicate] = False
    ledger["best_fitness"][replicate] = -1.0


def _renew(problem: TaskSequence, ledger: Ledger, replicate: int, task: int) -> None:
    """Give modules that are not frozen new weights, in place, drawn for the task that begins."""
    root = int(ledger["seeds"][replicate])
    new = newborn_modules(problem.supernet, problem.input_shape, _seed(root, "modules", task))
    for stack in stacks(problem.supernet, problem.input_shape):
        count = problem.modules_per_layer[stack.layer]
        renewed = ~ledger["frozen"][replicate, stack.layer, :count][stack.kind :: stack.kinds]
        ledger[stack.name][replicate, renewed] = new[stack.name][renewed]


def note(ledger: Ledger, scored: Pathways, turns: list[torch.Tensor], fitness: torch.Tensor) -> None:
    """Write down the fittest paths, in place.

    Args:
        ledger: the state.
        scored: n paths.
        turns: rows of different replicates, in the order of their training.
        fitness: `[n]`, NaN for what failed.
    """
    sets = scored.used()
    for rows in turns:
        better = rows[fitness[rows] >= ledger["best_fitness"][scored.replicate[rows]]]
        ledger["best"][scored.replicate[better]] = sets[better]
        ledger["best_fitness"][scored.replicate[better]] = fitness[better]


def behind(ledger: Ledger, replicates: torch.Tensor, task: int) -> torch.Tensor:
    """Return the modules on paths of tasks before one, booleans `[n, layers, modules]`, for replicates `[n]`."""
    return ledger["paths"][replicates, :task].any(1)
