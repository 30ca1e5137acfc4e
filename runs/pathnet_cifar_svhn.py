"""PathNet from one set of pictures to another: CIFAR-10 (a subset) and grey house numbers, in both directions.

    EVO_DATA=FOLDER evo run runs/pathnet_cifar_svhn.py --workers 2
    evo table runs/pathnet_cifar_svhn --control to-svhn-de-novo
    evo table runs/pathnet_cifar_svhn --control to-cifar-de-novo

Fernando et al. 2017 (arXiv:1701.08734), section 3.2: 3 layers of 20 modules of 20 units, at most 5 active, a given
number of generations for each set, and the accuracy then. The data are a subset of CIFAR-10 and house numbers cut
anew (`problems/transfer/image_tasks.py`), so results compare with each other, and not with the paper's (500
generations: SVHN 25.5 % alone and 35.7 % after CIFAR, CIFAR 35.3 % alone and 39.8 % after SVHN). Five replicates.

`to-svhn` learns CIFAR first. `-de-novo` begins the second task with new weights, `-fine-tuning` learns it on the first
one's evolved path, all of it trainable.
"""

from evo import Campaign
from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.fine_tuned_pathway import FineTunedPathway
from genomes.pathway import Pathway
from problems.transfer.image_tasks import ImageTasks

REPLICATES, GENERATIONS = 5, 200
LIMITS = {"population": 64, "replicates": REPLICATES, "tasks": 2, "generations_per_task": GENERATIONS}


def pictures(sets, **settings):
    """Return two sets of pictures, one after the other."""
    return ImageTasks(sets=sets, replicates=REPLICATES, step_size=0.05, aggregation="mean_last", **settings)


def both_ways():
    """Return the variants: each direction with its two controls."""
    variants = {}
    for name, sets in (("to-svhn", ("cifar10", "svhn")), ("to-cifar", ("svhn", "cifar10"))):
        variants[name] = {"problem": pictures(sets)}
        variants[f"{name}-de-novo"] = {"problem": pictures(sets, after="renew")}
        variants[f"{name}-fine-tuning"] = {
            "problem": pictures(sets, after="keep"),
            "algorithm": FineTunedPathway(**LIMITS),
        }
    return variants


campaign = Campaign(
    pictures(("cifar10", "svhn")),
    genome=Pathway.for_problem(pictures(("cifar10", "svhn")), active=5),
    algorithm=BinaryTournament(**LIMITS),
    generations=2 * GENERATIONS,
    variants=both_ways(),
    name="pathnet_cifar_svhn",
)
