"""Three permutations of MNIST, one after the other: forgetting, and what elastic weight consolidation keeps.

    evo run runs/ewc_permuted_mnist.py --workers 2
    evo table runs/ewc_permuted_mnist
    evo figure runs/ewc_permuted_mnist

After Kirkpatrick et al. 2017 (PNAS), Fig. 2A: 784-100-100-10, 12,000 pictures and 5 epochs for each task, 64 per
update, on 10 streams, which are other pictures, permutations and weights. The article: 784-400-400-10, 60,000 pictures,
20 epochs, steps of 0.001. Every method has several strengths, and steps of 0.1; plain descent has smaller
ones too, because who learns less forgets less. Compare methods by their best.

Variants: `separate`, all but the following; `online`, elastic weight consolidation around the last optimum alone;
`joint`, which trains on all tasks so far, and is what the network could know at best.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.learners import Rules
from genomes.learner import Learner
from problems.continual.permuted_tasks import PermutedTasks

HIDDEN, STREAMS, STEP = (100, 100), 10, {"step_size": 0.1}
STRENGTHS = (3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
problem, joint = PermutedTasks(tasks=3), PermutedTasks(tasks=3, joint=True)

separate = [
    *({"step_size": size} for size in (0.1, 0.03, 0.01)),
    *(STEP | {"weight_decay": decay} for decay in (1e-4, 1e-3, 1e-2)),
    *(STEP | {"anchoring": strength} for strength in (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)),
    *(STEP | {"consolidation": strength} for strength in STRENGTHS),
]
online = [STEP | {"consolidation": strength} for strength in STRENGTHS]

campaign = Campaign(
    problem,
    genome=Learner.for_problem(problem, hidden=HIDDEN),
    algorithm=Cohort(separate, STREAMS),
    generations=problem.tasks,
    variants={
        "separate": {},
        "online": {
            "genome": Learner.for_problem(problem, hidden=HIDDEN, rules=Rules(consolidate="online")),
            "algorithm": Cohort(online, STREAMS),
        },
        "joint": {"problem": joint, "algorithm": Cohort([STEP], STREAMS)},
    },
    name="ewc_permuted_mnist",
)
