"""Growing paths (muNet) on ten permutations of MNIST, at the data budget of `runs/pathnet_ten_tasks.py`.

    EVO_DATA=FOLDER evo run runs/growth_ten_tasks.py --workers 2
    evo table runs/growth_ten_tasks --test

After Gesmundo & Dean 2022 (arXiv:2205.10937), with small layers of linear units in place of a pretrained vision
transformer: 2 layers of 60 units, 51,370 weights with a read-out, and an adapter of 8 units (1,028 weights) that may be
inserted between them. A generation shows 4 children 47 mini-batches of 16, 3,008 pictures: `growth` has 20 generations
a task, 60,160 pictures shown, 3,760 updates, and `growth-long` 200, as PathNet's conditions there; but a path has only
its own line's. 1,000 of the 12,000 pictures are held out, to be scored on. The task is known when asked.

`small` pays for size: a path as large as the root keeps 0.9 of its accuracy, one that shares with others more.
`read-outs` clones no layer after the root was trained on the first task: what sharing alone is worth.
"""

from evo import Campaign
from evo.algorithms.growth import Growth
from evo.learning.supernet.kinds import Adapter, Dense
from evo.learning.supernet.supernet import Layer, Supernet
from genomes.grown_path import GrownPath
from problems.transfer.growing import Growing
from problems.transfer.permuted_digits import PermutedDigits

REPLICATES, TASKS, SHORT, LONG = 3, 10, 20, 200
LIVING, CHILDREN = 8, 4


def growth(generations):
    """Return the algorithm, with so many generations a task."""
    return Growth(CHILDREN, LIVING, replicates=REPLICATES, tasks=TASKS, generations_per_task=generations)


def permutations(**settings):
    """Return ten permutations for growing paths."""
    slots = growth(SHORT).slots
    layers = (Layer(slots, (Dense(60),)), Layer(slots, (Adapter(8),)), Layer(slots, (Dense(60),)))
    sequence = PermutedDigits(
        tasks=TASKS, images=12_000, plain_first=False, supernet=Supernet(layers), replicates=REPLICATES, batches=47
    )
    return Growing(sequence, validation=1000, **settings)


def variants():
    """Return both lengths of each condition."""
    still = GrownPath.for_problem(permutations(), mutation_rates=(1e-9,))
    conditions = {"growth": {}, "small": {"problem": permutations(size_base=0.9)}, "read-outs": {"genome": still}}
    lengths = {"": SHORT, "-long": LONG}
    return {
        name + suffix: {"algorithm": growth(count), "generations": TASKS * count, **parts}
        for suffix, count in lengths.items()
        for name, parts in conditions.items()
    }


campaign = Campaign(
    permutations(),
    genome=GrownPath.for_problem(permutations()),
    algorithm=growth(SHORT),
    generations=TASKS * SHORT,
    variants=variants(),
    name="growth_ten_tasks",
)
