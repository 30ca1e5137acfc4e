"""NEAT keeps up a pole, gymnasium's CartPole-v1: it takes a generation or two.

evo run runs/neat_cartpole.py --workers 2
"""

from evo import Campaign
from evo.algorithms.neat import Neat
from genomes.topology import Topology
from problems.control.cartpole import CartPole

problem = CartPole(episodes=5)

campaign = Campaign(
    problem,
    genome=Topology.neat(problem, activations=("tanh",), output_activation="tanh"),
    algorithm=Neat(population=150),
    generations=30,
    target=500.0,
    seeds=range(8),
    name="neat_cartpole",
)
