"""PathNet on pairs of noisy digits of MNIST: does a second pair come sooner where the first one's path is kept?

    EVO_DATA=FOLDER evo run runs/pathnet_binary_mnist.py --workers 2
    evo table runs/pathnet_binary_mnist --control de-novo

Fernando et al. 2017 (arXiv:1701.08734), section 3.1, at its sizes: 3 layers of 10 modules of 20 units, at most 3 of
them active, 64 pathways, 50 mini-batches of 16, until an accuracy above 0.998. Each condition is 50 replicates, whose
two pairs have no digit in common, and which are the same pairs in all conditions. Step size 0.05 (the paper's 0.0001
is out of reach for plain descent), active modules are summed, in the last layer averaged.

All conditions take 100 mini-batches a generation. `pathnet` is the paper's; in `pathnet-always-active` the first
task's path goes on being active in the second; `de-novo` begins the second task with new weights throughout, which is
the control that the paper compares with; `fine-tuning` learns it on the first one's evolved path, all of it trainable;
`fixed-path` is a random path for both, from new weights; `random-paths` are others in every generation, with PathNet's
freezing; `whole-network` has all modules active, from new weights.
"""

from evo import Campaign
from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.fine_tuned_pathway import FineTunedPathway
from evo.algorithms.fixed_pathway import FixedPathway
from evo.algorithms.random_pathways import RandomPathways
from genomes.pathway import Pathway
from problems.transfer.binary_digits import BinaryDigits

REPLICATES, GENERATIONS = 50, 600
ENDS = {"replicates": REPLICATES, "tasks": 2, "threshold": 0.998, "generations_per_task": GENERATIONS}


def pairs(**settings):
    """Return two pairs of digits, one after the other."""
    return BinaryDigits(replicates=REPLICATES, aggregation="mean_last", **settings)


campaign = Campaign(
    pairs(),
    genome=Pathway.for_problem(pairs(), active=3),
    algorithm=BinaryTournament(population=64, **ENDS),
    generations=2 * GENERATIONS,
    variants={
        "pathnet": {},
        "pathnet-always-active": {"problem": pairs(always_active=True)},
        "de-novo": {"problem": pairs(after="renew")},
        "fine-tuning": {"problem": pairs(after="keep"), "algorithm": FineTunedPathway(population=64, **ENDS)},
        "fixed-path": {"problem": pairs(after="renew"), "algorithm": FixedPathway(**ENDS)},
        "random-paths": {"algorithm": RandomPathways(**ENDS)},
        "whole-network": {
            "problem": pairs(after="renew"),
            "genome": Pathway.for_problem(pairs(), active=10),
            "algorithm": FixedPathway(**ENDS),
        },
    },
    name="pathnet_binary_mnist",
)
