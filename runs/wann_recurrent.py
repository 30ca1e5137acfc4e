"""Recurrent weight agnostic networks, the extension that Gaier & Ha (2019, section 5) name, where memory is needed.

    evo run runs/wann_recurrent.py --workers 2

The swing-up without velocities: a network sees where cart and pole are, not how they move. Two variants with the same
search: `recurrent`, whose connections may lead back and so read the step before, and its control, `feed-forward`.
"""

from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUpHiddenVelocities

problem = CartPoleSwingUpHiddenVelocities(shared_weights=(-2.0, -1.0, -0.5, 0.5, 1.0, 2.0), episodes=10)
rates = {"changes": 3, "remove_connection_rate": 0.1, "add_connection_rate": 0.3}

campaign = Campaign(
    problem,
    genome=Topology.for_problem(problem, **rates),
    algorithm=WeightAgnosticSearch(population=192, mean_only=True),
    generations=256,
    seeds=range(4),
    variants={
        "recurrent": {"genome": Topology.for_problem(problem, recurrent=True, **rates)},
        "feed-forward": {},
    },
    name="wann_recurrent",
)
