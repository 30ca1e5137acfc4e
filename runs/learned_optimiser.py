"""Optimisers that evolution finds, on quadratic functions and then on small networks (Andrychowicz et al. 2016).

    evo run runs/learned_optimiser.py --workers 2
    python runs/optimiser_tables.py runs/learned_optimiser

Three forms of optimiser learn to descend quadratic functions of ten coordinates in 100 steps, the first for a quarter
of the time too; `networks` is the recurrent form, and learns on the training of 64-20-10 networks with sigmoid units
on scikit-learn's digits. The first form learns nothing there: its moves are as small as the gradients, none of a
population's leaves the plateau that such networks begin on, and all score alike. The second command lets the centre
that each run came to descend functions that are always the same, and train networks on digits and, where it is at
hand, on MNIST, for 100 and 200 steps, with sigmoid and rectified units, beside optimisers of people with the best
step size on others.
"""

from evo import Campaign
from evo.algorithms.evolution_strategy import EvolutionStrategy
from genomes.learned_optimiser import LearnedOptimiser
from problems.meta.quadratics import DescendQuadratics
from problems.meta.small_network import NetworkTrainings, TrainSmallNetworks


def learning(generations, population=64, rate=0.02):
    """Return for how long an evolution strategy, whose rate ends at a tenth, goes on."""
    strategy = EvolutionStrategy(
        population, standard_deviation=0.05, learning_rate=rate, decay=0.1 ** (1 / generations)
    )
    return {"algorithm": strategy, "generations": generations}


campaign = Campaign(
    DescendQuadratics(count=8),
    genome=LearnedOptimiser(),
    **learning(400),
    seeds=range(3),
    variants={
        "features": learning(390, rate=0.08),
        "features_short": learning(95, rate=0.08),
        "momenta": {"genome": LearnedOptimiser("momenta", (32, 32))},
        "recurrent": {"genome": LearnedOptimiser("recurrent", (20,))},
        "networks": {
            "problem": TrainSmallNetworks(NetworkTrainings(data="digits")),
            "genome": LearnedOptimiser("recurrent", (20,)),
            **learning(100, population=32),
        },
    },
    name="learned_optimiser",
)
