"""NEAT finds a network for exclusive or: Stanley & Miikkulainen 2002, section 4.1, with the paper's settings.

    evo run runs/neat_xor.py --workers 2

The paper solves it in 4,755 evaluations on average, which is generation 32, with 2.35 hidden nodes. Above 3.75 of
fitness, all four outputs are on their side of 0.5. The paper's sigmoid is steeper; here weights move further instead.
"""

from evo import Campaign
from evo.algorithms.neat import Neat
from genomes.topology import Topology
from problems.xor import Xor

problem = Xor()
genome = Topology.for_problem(
    problem,
    mutation="each",
    initial_connection_rate=1.0,
    activations=("sigmoid",),
    output_activation="sigmoid",
    weight_range=3.0,
    weight_rate=0.8,
    weight_perturbation_rate=0.9,
    weight_replacement_rate=0.1,
    weight_deviation=1.0,
    add_node_rate=0.03,
    add_connection_rate=0.05,
    enable_connection_rate=0.01,
    activation_rate=0.0,
)

campaign = Campaign(
    problem,
    genome=genome,
    algorithm=Neat(population=150),
    generations=200,
    target=3.75,
    seeds=range(20),
    name="neat_xor",
)
