"""Weight agnostic networks on the swing-up, the whole experiment: 192 genomes, 1,024 generations (Gaier & Ha 2019).

    evo run runs/wann_swingup_long.py --workers 2
    evo weights runs/wann_swingup_long

Two variants: `paper`, the paper's search, and `faster`, which differs in five settings: children get up to three
changes and may lose connections, connections are added more often and to whatever lies deeper, and ranking is by the
mean alone in 80 % of generations. It is measured from 10 starts in place of 3, which costs next to nothing here: a
compiled block has room for 64 episodes, and six weights from three starts fill 18.
"""

from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

WEIGHTS = (-2.0, -1.0, -0.5, 0.5, 1.0, 2.0)
problem = CartPoleSwingUp(shared_weights=WEIGHTS, episodes=3)

faster = Topology.for_problem(problem, changes=3, remove_connection_rate=0.1, add_connection_rate=0.3, deeper_only=True)

campaign = Campaign(
    problem,
    genome=Topology.for_problem(problem),
    algorithm=WeightAgnosticSearch(population=192),
    generations=1024,
    seeds=range(3),
    variants={
        "faster": {
            "problem": CartPoleSwingUp(shared_weights=WEIGHTS, episodes=10),
            "genome": faster,
            "algorithm": WeightAgnosticSearch(population=192, mean_only=True),
        },
        "paper": {},
    },
    name="wann_swingup_long",
)
