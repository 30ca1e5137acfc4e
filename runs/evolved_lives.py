"""Which settings keep a learner young, by a genetic algorithm over whole lives: beside `runs/evolved_settings.py`.

    evo run runs/evolved_lives.py --workers 2

(mu + lambda) over step size and replacement rate: 32 survivors are scored again with 32 newborn children, each by a
life of 100,000 steps on a stream drawn for the generation. Ten generations are 64 million steps, as there.
"""

from evo import Campaign
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from genomes.learner import Learner
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

problem = SlowlyChangingRegression(lifelong=False, lifetime=10, diagnostics=False)

campaign = Campaign(
    problem,
    genome=Learner.for_problem(problem, hidden=(5,), evolve=("step_size", "replacement_rate")),
    algorithm=MuPlusLambda(32),
    generations=10,
    seeds=range(5),
    name="evolved_lives",
)
