"""Ten permutations of MNIST, one after the other: what is left of ten tasks, beside what could be.

    evo run runs/ewc_ten_tasks.py --workers 2
    evo table runs/ewc_ten_tasks
    evo figure runs/ewc_ten_tasks

After Kirkpatrick et al. 2017 (PNAS), Fig. 2B, whose mean over ten tasks is quoted as .94 with networks of up to 2,000
units a layer, 100 epochs with early stopping, dropout, and hyper-parameters searched for. Here 784-100-100-10, 12,000
pictures and 5 epochs for each task, on 3 streams, which are the first of those of `runs/ewc_permuted_mnist.py`. So
compare lines with each other, and with `joint`, which trains on all tasks so far, and is what the network could know at
best; its ten segments have 55 tasks' updates.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.learners import Rules
from genomes.learner import Learner
from problems.continual.permuted_tasks import PermutedTasks

HIDDEN, STREAMS, STEP = (100, 100), 3, {"step_size": 0.1}
problem, joint = PermutedTasks(tasks=10), PermutedTasks(tasks=10, joint=True)
strengths = [STEP | {"consolidation": strength} for strength in (10.0, 30.0, 100.0)]

campaign = Campaign(
    problem,
    genome=Learner.for_problem(problem, hidden=HIDDEN),
    algorithm=Cohort([STEP, {"step_size": 0.03}, STEP | {"anchoring": 1e-3}, *strengths], STREAMS),
    generations=problem.tasks,
    variants={
        "separate": {},
        "online": {
            "genome": Learner.for_problem(problem, hidden=HIDDEN, rules=Rules(consolidate="online")),
            "algorithm": Cohort(strengths, STREAMS),
        },
        "joint": {"problem": joint, "algorithm": Cohort([STEP], STREAMS)},
    },
    name="ewc_ten_tasks",
)
