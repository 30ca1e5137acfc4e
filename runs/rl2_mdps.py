"""Policies that learn from experience, evolved on random Markov decision problems: Duan et al. 2016 (RL2), section 3.2.

    evo run runs/rl2_mdps.py --workers 2
    python runs/rl2_tables.py runs/rl2_mdps

A recurrent network of 32 units lives through 10 episodes of 10 steps on a problem of 10 states and 5 actions; they had
256 units, and 25 to 100 episodes besides. A step counts with the mean reward of what was done, which has less noise
than the reward. The second command plays the centre that each run came to on problems that are always the same, beside
agents that plan with the problems' own prior, and with that of the published table.
"""

from evo import Campaign
from evo.algorithms.evolution_strategy import EvolutionStrategy
from evo.learning.lifetimes.recurrent import Recurrent
from genomes.recurrent_policy import RecurrentPolicy
from problems.meta.tabular_mdps import RandomMdps, TabularMdps

GENERATIONS = 2500
problem = TabularMdps(RandomMdps(episodes=10), Recurrent(expected=True), count=64)

campaign = Campaign(
    problem,
    genome=RecurrentPolicy.for_problem(problem, hidden=32, initial_deviation=0.3),
    algorithm=EvolutionStrategy(
        population=128, standard_deviation=0.1, learning_rate=0.03, decay=0.1 ** (1 / GENERATIONS)
    ),
    generations=GENERATIONS,
    seeds=range(3),
    name="rl2_mdps",
)
