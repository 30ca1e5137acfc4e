"""Adding one, then adding two, by pathways: what plain training forgets, frozen pathways keep to the bit.

    evo run runs/pathways_add_one.py
    evo table runs/pathways_add_one --test

The facts and their 28 inputs are those of `runs/forgetting_add_one.py` (McCloskey & Cohen 1989; `problems/continual/
add_one.py`), where learners with one read-out forget, and consolidation keeps. What differs here: answers are one of
10 sums, 2 to 11, by a softmax, in place of two digits in units that near digits share; each task has a read-out of its
own; and whoever asks must say which of the two tasks is meant. So pathways are not asked to do what learners there
are, and 1 + 2 and 2 + 1, which are among both tasks, are learned twice.

2 layers (published: one, of 50 units) of 10 modules of 20 units, at most 3 of them active; 2,000 mini-batches of 17
facts for each task, in all conditions. `plain` goes on with one random pathway, all of it trainable: its second task
undoes the first, although each has a read-out of its own. `pathways` freezes what the first task's evolved pathway has
learned; in `random-pathways` it is a drawn one for each task, so that it shows what freezing does without evolution.
20 replicates: other weights, pathways and orders.
"""

import numpy as np

from evo import Campaign
from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.fixed_pathway import FixedPathway
from evo.learning.supernet.supernet import dense_supernet
from genomes.pathway import Pathway
from problems.continual.add_one import ADDENDS, facts, inputs_of
from problems.transfer.classification_tasks import ClassificationTasks

REPLICATES, LEAST_SUM = 20, 2
ENDS = {"replicates": REPLICATES, "tasks": len(ADDENDS), "generations_per_task": 20}


def task(addend):
    """Return the facts of adding a number, which there is nothing else to test on."""
    pairs = facts(addend)
    shown, sums = inputs_of(pairs).numpy(), np.array([one + other - LEAST_SUM for one, other in pairs])
    return (f"add {addend}", shown, sums, shown, sums)


def addition(**settings):
    """Return the two tasks."""
    return ClassificationTasks(
        sets=tuple(map(task, ADDENDS)),
        supernet=dense_supernet(layers=2, modules=10, units=20),
        replicates=REPLICATES,
        batches=50,
        batch=17,
        step_size=0.3,
        **settings,
    )


campaign = Campaign(
    addition(),
    genome=Pathway.for_problem(addition(), active=3),
    algorithm=BinaryTournament(population=16, **ENDS),
    generations=len(ADDENDS) * ENDS["generations_per_task"],
    variants={
        "pathways": {},
        "random-pathways": {"algorithm": FixedPathway(renew=True, **ENDS)},
        "plain": {"problem": addition(after="keep"), "algorithm": FixedPathway(**ENDS)},
    },
    name="pathways_add_one",
)
