"""Weight agnostic networks on scikit-learn's digits, 8 x 8 pixels (Gaier & Ha 2019, published code, task "digits").

    evo run runs/wann_digits.py --workers 2
    evo weights runs/wann_digits

Two variants: the paper's search, and one that gives a child up to four changes, lets it lose connections, and ranks by
the mean alone in 80 % of generations.
"""

from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import TEN_ACTIVATIONS, Topology
from problems.digits import Digits

problem = Digits(shared_weights=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0))
activations = tuple(name for name in TEN_ACTIVATIONS if name != "step")  # the paper's nine

paper = Topology.for_problem(problem, activations=activations, initial_connection_rate=0.05, keep_disabled=False)
faster = Topology.for_problem(
    problem,
    activations=activations,
    initial_connection_rate=0.05,
    keep_disabled=False,
    changes=4,
    add_connection_rate=0.4,
    activation_rate=0.2,
    remove_connection_rate=0.2,
)

campaign = Campaign(
    problem,
    genome=faster,
    algorithm=WeightAgnosticSearch(population=192, mean_only=True),
    generations=1800,
    seeds=(0,),
    variants={"faster": {}, "paper": {"genome": paper, "algorithm": WeightAgnosticSearch(population=192)}},
    name="wann_digits",
)
