"""Policies that learn from experience, evolved on Bernoulli bandits: the nine settings of Duan et al. 2016 (RL2).

    evo run runs/rl2_bandits.py --workers 2
    python runs/rl2_tables.py runs/rl2_bandits

A recurrent network of 16 units plays trials of 10, 100 or 500 pulls of 5, 10 or 50 arms; what it learns within a
trial is in its memory alone. An evolution strategy moves its weights, by mirrored noise, all on the same bandits and
luck; a pull counts with the chance to win of the arm pulled, which has less noise than the win. They trained 128
units by gradients on 125 million pulls; generations here are chosen for about one and a half times as many with 10
pulls, 6 times with 100 and 13 times with 500. Where trials are long, memories begin as such that last, and trials
that go badly count for more: selected by the mean alone, most searches end with policies that never try one of the
arms. The second command plays the centre that each run came to on bandits that are always the same, beside strategies
of people whose settings were chosen on other bandits, the exact optimum where it can be computed, and the published
table.
"""

from evo import Campaign
from evo.algorithms.evolution_strategy import EvolutionStrategy
from evo.learning.lifetimes.recurrent import Recurrent
from genomes.recurrent_policy import RecurrentPolicy
from problems.meta.bandits import Bandits, BernoulliBandits

GENERATIONS = {10: 1100, 100: 1800, 500: 800}
TASKS = {10: 128, 100: 32, 500: 32}
NOISE = {10: 0.3, 100: 0.5, 500: 0.5}
RATE = {10: 0.05, 100: 0.1, 500: 0.1}
SHORTFALL_POWER = {10: 1.0, 100: 3.0, 500: 3.0}
UPDATE_BIAS = {10: 0.0, 100: 2.0, 500: 2.0}


def setting(pulls, arms):
    """Return what a variant changes."""
    problem = Bandits(
        BernoulliBandits(pulls=pulls, arms=arms),
        Recurrent(expected=True),
        count=TASKS[pulls],
        shortfall_power=SHORTFALL_POWER[pulls],
    )
    strategy = EvolutionStrategy(128, NOISE[pulls], RATE[pulls], decay=0.1 ** (1 / GENERATIONS[pulls]))
    genome = RecurrentPolicy.for_problem(problem, initial_deviation=0.5, initial_update_bias=UPDATE_BIAS[pulls])
    return {"problem": problem, "genome": genome, "algorithm": strategy, "generations": GENERATIONS[pulls]}


campaign = Campaign(
    **setting(10, 5),
    seeds=range(5),
    variants={f"{pulls}-{arms}": setting(pulls, arms) for pulls in GENERATIONS for arms in (5, 10, 50)},
    name="rl2_bandits",
)
