"""Policies that learn from experience, evolved on Bernoulli bandits: the nine settings of Duan et al. 2016 (RL2).

    evo run runs/rl2_bandits.py --workers 2
    python runs/rl2_tables.py runs/rl2_bandits

A recurrent network of 16 units plays trials of 10, 100 or 500 pulls of 5, 10 or 50 arms; what it learns within a trial
is in its memory alone. An evolution strategy moves its weights, by mirrored noise, all on the same bandits and luck.
They trained 128 units by gradients on 125 million pulls; generations here are chosen for about that many with 10 pulls,
and for 8 and 25 times as many with 100 and 500. The second command plays the centre that each run came to on bandits
that are always the same, beside strategies of people whose settings were chosen on other bandits, the exact optimum
where it can be computed, and the published table.
"""

from evo import Campaign
from evo.algorithms.evolution_strategy import EvolutionStrategy
from genomes.recurrent_policy import RecurrentPolicy
from problems.meta.bandits import Bandits, BernoulliBandits

GENERATIONS = {10: 1500, 100: 2500, 500: 1500}


def setting(pulls, arms):
    """Return what a variant changes."""
    problem = Bandits(BernoulliBandits(pulls=pulls, arms=arms), count=64)
    strategy = EvolutionStrategy(
        population=128 if pulls == 10 else 64,
        standard_deviation=0.2 if pulls == 10 else 0.3,
        learning_rate=0.05,
        decay=0.1 ** (1 / GENERATIONS[pulls]),
    )
    genome = RecurrentPolicy.for_problem(problem, initial_deviation=0.5 if pulls == 10 else 0.3)
    return {"problem": problem, "genome": genome, "algorithm": strategy, "generations": GENERATIONS[pulls]}


campaign = Campaign(
    **setting(10, 5),
    seeds=range(5),
    variants={f"{pulls}-{arms}": setting(pulls, arms) for pulls in GENERATIONS for arms in (5, 10, 50)},
    name="rl2_bandits",
)
