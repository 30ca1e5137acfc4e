"""Loss of plasticity on permuted digits, online: Dohare et al. 2024, Fig. 2, with small networks.

    evo run runs/permuted_mnist.py --workers 2
    evo figure runs/permuted_mnist
    evo table runs/permuted_mnist

784-100-100-100-10, 60 tasks of 60,000 images, seen once, one at a time, on 3 streams. The article's network has three
layers of 2,000 units, its runs 800 tasks: hidden=(2000,) * 3 and --generations 800, on a GPU. Its replacement rate is
1e-6, by adaptable contribution; here, with a twentieth of the units, it is 1e-4, by either contribution.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.learners import Rules
from genomes.learner import Learner
from problems.continual.permuted_images import PermutedImages

problem = PermutedImages()
HIDDEN = (100, 100, 100)
STREAMS = 3

campaign = Campaign(
    problem,
    genome=Learner.for_problem(problem, hidden=HIDDEN),
    algorithm=Cohort(
        [
            {"step_size": 0.003},
            {"step_size": 0.003, "weight_decay": 1e-4},
            {"step_size": 0.003, "weight_decay": 1e-4, "noise": 1e-5},
            {"step_size": 0.003, "replacement_rate": 1e-4},
            {"step_size": 0.003, "replacement_rate": 1e-4, "utility": "adaptable_contribution"},
        ],
        STREAMS,
    ),
    generations=60,
    variants={
        "sgd": {},
        "adam": {
            "genome": Learner.for_problem(problem, hidden=HIDDEN, rules=Rules(optimizer="adam")),
            "algorithm": Cohort([{"step_size": 1e-4}], STREAMS),
        },
    },
    name="permuted_mnist",
)
