"""Weight agnostic networks on MNIST's digits at 16 x 16 pixels (Gaier & Ha 2019, section 4).

    EVO_DATA=FOLDER evo run runs/wann_mnist.py --workers 2
    evo weights runs/wann_mnist

The problem is the paper's (`mnist-256-v1`: 1,000 training cases a generation, cross-entropy averaged over six shared
weights). The search is not: 480 networks in place of 960, which get up to four changes at a time, may lose connections,
and are ranked by the mean alone in 80 % of generations.
"""

from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import TEN_ACTIVATIONS, Topology
from problems.mnist import Mnist256

problem = Mnist256(shared_weights=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0))

genome = Topology.for_problem(
    problem,
    activations=tuple(name for name in TEN_ACTIVATIONS if name != "step"),  # the paper's nine
    initial_connection_rate=0.05,
    keep_disabled=False,
    changes=4,
    add_connection_rate=0.4,
    activation_rate=0.2,
    remove_connection_rate=0.2,
)

campaign = Campaign(
    problem,
    genome=genome,
    algorithm=WeightAgnosticSearch(population=480, tournament_size=16, mean_only=True),
    generations=8000,
    seeds=(0,),
    name="wann_mnist",
)
