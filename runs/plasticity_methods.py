"""What keeps a learner young on a slowly changing target: continual backprop and others, side by side.

    evo run runs/plasticity_methods.py --workers 2
    evo table runs/plasticity_methods
    evo figure runs/plasticity_methods --settings 1,3,11,14,17,19

Variants: `methods`, backprop of step size 0.01 beside continual backprop (Dohare et al. 2024) with several rates and
utilities, L2, L2 Init (Kumar et al. 2023), shrink and perturb at every step and ReDo (Sokar et al. 2023), on 100
streams for a million steps; `adam`, some of it with Adam. The first 30 streams are those of
`runs/slowly_changing_regression.py`; on 30 others all errors together may be a tenth higher or lower.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.learners import Rules
from genomes.learner import Learner
from problems.continual.slowly_changing_regression import SlowlyChangingRegression

STREAMS = 100
problem = SlowlyChangingRegression()

methods = [
    {"step_size": 0.01},
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
    genome=Learner.for_problem(problem, hidden=(5,)),
    algorithm=Cohort(methods, STREAMS),
    generations=100,
    variants={
        "methods": {},
        "adam": {
            "genome": Learner.for_problem(problem, hidden=(5,), rules=Rules(optimizer="adam")),
            "algorithm": Cohort(adam, STREAMS),
        },
    },
    name="plasticity_methods",
)
