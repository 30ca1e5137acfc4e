"""PathNet on ten permutations of MNIST, at the data budget of elastic weight consolidation: what is left of ten tasks.

    EVO_DATA=FOLDER evo run runs/pathnet_ten_tasks.py --workers 2
    evo table runs/pathnet_ten_tasks --test
    evo table runs/pathnet_ten_tasks --control random-path-long

To be set beside `runs/ewc_ten_tasks.py`, whose learners have 12,000 pictures a task, 5 epochs of 64 per update: 60,000
pictures shown in 935 updates of all 89,610 weights. Here: the first 12,000 pictures, the same for all tasks and
replicates; a generation shows two pathways 47 mini-batches of 16, 1,504 pictures. `pathnet` has 40 generations a task,
60,160 pictures shown (as many) in 3,760 updates (4 times as many, of a quarter of the cases, each of one pathway
only); `pathnet-long` 400, ten times of both. Tested on all 10,000 test pictures, there on 4,000 of them.

Two differences no budget removes. Here each task has a read-out and a pathway of its own, so who asks must know which
task a picture is from; learners there have one read-out and are not told. And 2 layers of 30 modules of 20 units are
485,700 weights, of which a pathway of 3 has 48,360 and trains those that are not frozen; `ten-modules` has
163,300, so that from the fourth task on pathways must share.

`random-path`, a pathway drawn for each task and evaluated twice a generation, is the same without evolution. Its
modules are frozen as PathNet's are. `fine-tuning` goes on with one pathway, all of it trainable: what is forgotten.
"""

from evo import Campaign
from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.fixed_pathway import FixedPathway
from evo.learning.supernet.supernet import dense_supernet
from genomes.pathway import Pathway
from problems.transfer.permuted_digits import PermutedDigits

REPLICATES, TASKS, SHORT, LONG = 3, 10, 40, 400


def permutations(modules=30, **settings):
    """Return ten permutations for pathways through two layers of so many modules."""
    return PermutedDigits(
        tasks=TASKS,
        images=12_000,
        plain_first=False,
        supernet=dense_supernet(layers=2, modules=modules),
        replicates=REPLICATES,
        batches=47,
        aggregation="mean_last",
        **settings,
    )


def limits(generations):
    """Return how long tasks last."""
    return {"replicates": REPLICATES, "tasks": TASKS, "generations_per_task": generations}


def variants():
    """Return PathNet and its controls, with as many pictures as learners have, and with ten times as many."""
    small = {"problem": permutations(10), "genome": Pathway.for_problem(permutations(10), active=3)}
    found = {}
    for suffix, generations in (("", SHORT), ("-long", LONG)):
        tournament = BinaryTournament(population=64, **limits(generations))
        once, again = (FixedPathway(renew=renew, **limits(generations)) for renew in (False, True))
        chosen = {
            "pathnet": {"algorithm": tournament},
            "ten-modules": {"algorithm": tournament, **small},
            "random-path": {"algorithm": again},
            "fine-tuning": {"algorithm": once, "problem": permutations(after="keep")},
        }
        found |= {name + suffix: {"generations": TASKS * generations, **parts} for name, parts in chosen.items()}
    return found


campaign = Campaign(
    permutations(),
    genome=Pathway.for_problem(permutations(), active=3),
    algorithm=BinaryTournament(population=64, **limits(SHORT)),
    generations=TASKS * SHORT,
    variants=variants(),
    name="pathnet_ten_tasks",
)
