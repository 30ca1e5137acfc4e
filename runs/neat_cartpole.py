"""NEAT keeps up a pole, gymnasium's CartPole-v1: it takes a generation or two.

evo run runs/neat_cartpole.py --workers 2
"""

from evo import Campaign
from evo.algorithms.neat import Neat
from genomes.topology import Topology
from problems.control.cartpole import CartPole

problem = CartPole(episodes=5)
genome = Topology.for_problem(
    problem,
    mutation="each",
    initial_connection_rate=1.0,
    activations=("tanh",),
    output_activation="tanh",
    weight_rate=0.8,
    weight_perturbation_rate=0.9,
    weight_replacement_rate=0.1,
    add_node_rate=0.03,
    add_connection_rate=0.05,
    enable_connection_rate=0.01,
    activation_rate=0.0,
)

campaign = Campaign(
    problem,
    genome=genome,
    algorithm=Neat(population=150),
    generations=30,
    target=500.0,
    seeds=range(8),
    name="neat_cartpole",
)
