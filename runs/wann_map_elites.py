"""A map of weight agnostic networks: the best swing-up network for every number of connections and every depth.

evo run runs/wann_map_elites.py
evo gallery runs/wann_map_elites      # the map, cell by cell
"""

from evo import Campaign
from evo.algorithms.map_elites import MapElites
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

problem = CartPoleSwingUp(shared_weights=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0), episodes=10)

campaign = Campaign(
    problem,
    genome=Topology.for_problem(problem, changes=3, remove_connection_rate=0.2, add_connection_rate=0.3),
    algorithm=MapElites(
        features=("connections", "depth"), lows=(0.0, 0.0), highs=(60.0, 12.0), cells=(30, 12), population=192
    ),
    generations=512,
    seeds=(0,),
    name="wann_map_elites",
)
