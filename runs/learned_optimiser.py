"""Optimisers that evolution finds, on quadratic functions and then on small networks (Andrychowicz et al. 2016).

    evo run runs/learned_optimiser.py --workers 2
    python runs/optimiser_tables.py runs/learned_optimiser

Three forms of optimiser learn to descend quadratic functions of ten coordinates in 100 steps; `networks` learns on the
training of 64-20-10 networks with sigmoid units on scikit-learn's digits. The second command lets the centre that each
run came to descend functions that are always the same, and train networks on digits and, where it is at hand, on MNIST,
for 100 and 200 steps, with sigmoid and rectified units, beside optimisers of people with the best step size on others.
"""

from evo import Campaign
from evo.algorithms.evolution_strategy import EvolutionStrategy
from genomes.learned_optimiser import LearnedOptimiser
from problems.meta.quadratics import DescendQuadratics
from problems.meta.small_network import NetworkTrainings, TrainSmallNetworks

GENERATIONS = 400


def strategy(deviation=0.05, rate=0.02):
    """Return the evolution strategy, whose rate ends at a tenth."""
    return EvolutionStrategy(64, deviation, rate, decay=0.1 ** (1 / GENERATIONS))


campaign = Campaign(
    DescendQuadratics(count=8),
    genome=LearnedOptimiser(),
    algorithm=strategy(),
    generations=GENERATIONS,
    seeds=range(3),
    variants={
        "features": {},
        "momenta": {"genome": LearnedOptimiser("momenta", (32, 32))},
        "recurrent": {"genome": LearnedOptimiser("recurrent", (20,))},
        "networks": {"problem": TrainSmallNetworks(NetworkTrainings(data="digits"))},
    },
    name="learned_optimiser",
)
