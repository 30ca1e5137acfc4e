"""Loss of plasticity on a slowly changing target: Dohare et al. 2024, Extended Data Fig. 2.

    evo run runs/slowly_changing_regression.py --workers 2
    evo figure runs/slowly_changing_regression
    evo table runs/slowly_changing_regression

Variants: `figure`, the article's 18 settings of backprop with hidden units, and `linear`, its 19th, each on 30 streams
for a million steps (the article: 100 streams, 3 million; --generations 300). What helps: `runs/plasticity_methods.py`.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from genomes.learner import Learner
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

STREAMS = 30
problem = SlowlyChangingRegression()

figure = [
    {"activation": activation, "step_size": step_size}
    for activation in ("relu", "leaky_relu", "tanh", "sigmoid", "elu", "swish")
    for step_size in (0.01, 0.003, 0.001)
]

campaign = Campaign(
    problem,
    genome=Learner.for_problem(problem, hidden=(5,)),
    algorithm=Cohort(figure, STREAMS),
    generations=100,
    variants={
        "figure": {},
        "linear": {
            "genome": Learner.for_problem(problem, hidden=()),
            "algorithm": Cohort([{"step_size": 0.003}], STREAMS),
        },
    },
    name="slowly_changing_regression",
)
