"""Loss of plasticity on a slowly changing target, and what helps: Dohare et al. 2024, Extended Data Fig. 2, and more.

    evo run runs/slowly_changing_regression.py --workers 2
    evo figure runs/slowly_changing_regression
    evo table runs/slowly_changing_regression

Variants: `figure`, the article's 18 settings of backprop with hidden units, and `linear`, its 19th, each on 30 streams
for a million steps (the article: 100 streams, 3 million; --generations 300); `methods`, backprop of step size 0.01
beside continual backprop and other remedies on the same streams; `adam`, the same with Adam.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.learners import Rules
from genomes.learner import Learner
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

STREAMS = 30
problem = SlowlyChangingRegression()
learner = Learner.for_problem(problem, hidden=(5,))

figure = [
    {"activation": activation, "step_size": step_size}
    for activation in ("relu", "leaky_relu", "tanh", "sigmoid", "elu", "swish")
    for step_size in (0.01, 0.003, 0.001)
]
methods = [
    {},
    *({"replacement_rate": rate} for rate in (1e-5, 1e-4, 1e-3, 1e-2)),
    *(
        {"replacement_rate": 1e-4, "utility": utility}
        for utility in ("adaptable_contribution", "zero_contribution", "weight", "random")
    ),
    *({"weight_decay": decay} for decay in (1e-4, 1e-3, 1e-2)),
    *({"initial_decay": decay} for decay in (1e-4, 1e-3, 1e-2)),
    *({"weight_decay": 1e-3, "noise": noise} for noise in (1e-4, 1e-3)),
    *({"dormancy_period": period, "dormancy_threshold": 0.1} for period in (100, 1000)),
]
adam = [
    {"step_size": 0.01},
    {"step_size": 0.001},
    {"step_size": 0.001, "second_moment_decay": 0.9},
    {"step_size": 0.01, "replacement_rate": 1e-4},
    {"step_size": 0.001, "replacement_rate": 1e-4},
]

campaign = Campaign(
    problem,
    genome=learner,
    algorithm=Cohort(figure, STREAMS),
    generations=100,
    variants={
        "figure": {},
        "linear": {
            "genome": Learner.for_problem(problem, hidden=()),
            "algorithm": Cohort([{"step_size": 0.003}], STREAMS),
        },
        "methods": {"algorithm": Cohort(methods, STREAMS)},
        "adam": {
            "genome": Learner.for_problem(problem, hidden=(5,), rules=Rules(optimizer="adam")),
            "algorithm": Cohort(adam, STREAMS),
        },
    },
    name="slowly_changing_regression",
)
