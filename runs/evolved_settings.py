"""Which settings keep a learner young: a grid, or evolution at the same cost, on the slowly changing regression.

    evo run runs/evolved_settings.py --workers 2
    evo figure runs/evolved_settings
    evo run runs/evolved_lives.py --workers 2
    python runs/judge_settings.py runs/evolved_settings runs/evolved_lives

Three variants, each 64 learners for a million steps on the stream of the seed: `grid` tries 8 step
sizes with 8 replacement rates, 0.01 with 1e-4 among them, which people found; `evolution` is population based training
over the same two settings, from all that they may be; `more_settings` over those, the maturity threshold, three kinds
of weight decay and ReDo's two. `runs/evolved_lives.py` spends as many steps on a genetic algorithm.
The figure shows the settings of the populations over time. The last command lets newborn learners with what each found
live on 30 streams that none of them has seen.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.algorithms.population_based_training import PopulationBasedTraining
from genomes.learner import Learner
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

GENES = ("step_size", "replacement_rate")
MORE = (
    *GENES,
    "maturity_threshold",
    "weight_decay",
    "decoupled_decay",
    "initial_decay",
    "dormancy_threshold",
    "dormancy_period",
)
problem = SlowlyChangingRegression()

grid = [
    {"step_size": step_size, "replacement_rate": replacement_rate}
    for step_size in (0.0003, 0.001, 0.003, 0.006, 0.01, 0.02, 0.03, 0.1)
    for replacement_rate in (0.0, 1e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 1e-2)
]

campaign = Campaign(
    problem,
    genome=Learner.for_problem(problem, hidden=(5,), evolve=GENES, newborn=False),
    algorithm=PopulationBasedTraining(population=len(grid)),
    generations=100,
    seeds=range(5),
    variants={
        "grid": {"genome": Learner.for_problem(problem, hidden=(5,)), "algorithm": Cohort(grid, streams=1)},
        "evolution": {},
        "more_settings": {"genome": Learner.for_problem(problem, hidden=(5,), evolve=MORE, newborn=False)},
    },
    name="evolved_settings",
)
