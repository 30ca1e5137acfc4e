"""Topologies that tune their own weights before they are scored: Baldwin's way, Lamarck's, and no lifetime at all.

    evo run runs/wann_lifetimes.py --workers 2

Every network of every generation tunes its weights with a search of its own, all at the same time (EvoTorch's batched
PGPE, 6 steps of 12 samples). `lamarckian`: children inherit the tuned weights; `baldwinian`: they inherit the structure
and the weights their parent was born with; `mutated`: the control, no lifetime, and as many episodes as the others
have in all, spent on 73 times as many generations of mutated weights.
"""

from evo import Campaign
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.learning.weight_tuning import TunedWeights
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

problem = CartPoleSwingUp(episodes=2)
lifetime = {"steps": 6, "population": 12}
GENERATIONS = 20
PER_LIFETIME = 6 * 12 + 1
"""Evaluations of a network in a lifetime: its samples, and the score at the end."""

campaign = Campaign(
    problem,
    genome=Topology.for_problem(problem, initial_connection_rate=1.0, weight_rate=0.5, changes=2),
    algorithm=MuPlusLambda(population=32),
    generations=GENERATIONS,
    seeds=range(4),
    variants={
        "lamarckian": {"problem": TunedWeights(problem, "lamarckian", **lifetime)},
        "baldwinian": {"problem": TunedWeights(problem, **lifetime)},
        "mutated": {"generations": GENERATIONS * PER_LIFETIME},
    },
    name="wann_lifetimes",
)
