"""NEAT balances two poles on one cart: Stanley & Miikkulainen 2002, section 5, with the paper's settings.

    evo run runs/neat_double_pole.py --workers 2

Two variants. With velocities, 150 genomes; the paper solves it, 100,000 steps, in 3,600 evaluations on average, which
is generation 24. With hidden velocities, 1,000 genomes whose connections may lead backward, and Gruau's fitness, which
asks for calm; the paper solves that in 33,184 evaluations, generation 33. Its threshold of 4 is where this one starts,
and moves so that there are about 20 species. Whether a champion generalizes: `DoublePole.generalization_test`.
"""

from evo import Campaign
from evo.algorithms.neat import Neat
from genomes.topology import Topology
from problems.control.double_pole import DoublePole, DoublePoleHiddenVelocities

problem, hidden = DoublePole(), DoublePoleHiddenVelocities()
tanh = {"activations": ("tanh",), "output_activation": "tanh"}  # forces push both ways
recurrent = {"recurrent": True, "add_connection_rate": 0.3, "weight_coefficient": 3.0}

campaign = Campaign(
    problem,
    genome=Topology.neat(problem, **tanh),
    algorithm=Neat(population=150),
    generations=100,
    target=100_000.0,
    seeds=range(20),
    variants={
        "velocities": {},
        "hidden-velocities": {
            "problem": hidden,
            "genome": Topology.neat(hidden, **tanh, **recurrent),
            "algorithm": Neat(population=1000, compatibility_threshold=4.0, target_species=20),
            "target": None,
        },
    },
    name="neat_double_pole",
)
