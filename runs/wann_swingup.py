"""Weight agnostic networks that swing up a pole: Gaier & Ha 2019, section 4, at the paper's size.

evo run runs/wann_swingup.py --workers 2            128 generations, 8 seeds
evo run runs/wann_swingup.py --generations 1024     the paper's length
"""

from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

problem = CartPoleSwingUp(shared_weights=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0), episodes=3)

campaign = Campaign(
    problem,
    genome=Topology.for_problem(problem),
    algorithm=WeightAgnosticSearch(population=192, tournament_size=8, elite_ratio=0.2),
    generations=128,
    seeds=range(8),
    name="wann_swingup",
)
