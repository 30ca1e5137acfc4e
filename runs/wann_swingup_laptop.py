"""Weight agnostic networks on the swing-up, in the authors' laptop setting: 64 genomes (their p/laptop_swing.json).

    evo run runs/wann_swingup_laptop.py --workers 2

Two variants: as the paper describes the search, and as the published code does it where it differs (crowding,
tournaments, connections between hidden nodes always expressed, and ranking mostly by the mean).
"""

from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

problem = CartPoleSwingUp(shared_weights=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0), episodes=3)
paper = WeightAgnosticSearch(population=64, tournament_size=4, elite_ratio=0.05)
published = WeightAgnosticSearch(population=64, tournament_size=4, elite_ratio=0.05, published=True)
mean_only = WeightAgnosticSearch(population=64, tournament_size=4, elite_ratio=0.05, published=True, mean_only=True)
aliased = Topology.for_problem(problem, hidden_always_enabled=True)

campaign = Campaign(
    problem,
    genome=Topology.for_problem(problem),
    algorithm=paper,
    generations=257,
    seeds=range(8),
    variants={
        "paper": {},
        "published": {"algorithm": published, "genome": aliased},
        "published-mean-only": {"algorithm": mean_only, "genome": aliased},
    },
    name="wann_swingup_laptop",
)
