"""Adding one, then adding two: catastrophic forgetting as it was first described, and what consolidation keeps.

    evo run runs/forgetting_add_one.py
    evo table runs/forgetting_add_one

28 inputs, 50 hidden units, 24 outputs, as published (McCloskey & Cohen 1989; what is not as published is said in
`problems/continual/add_one.py`): 17 "ones" facts, and then 17 "twos" facts, on 10 streams, which are other weights and
orders. 1 + 2 and 2 + 1 are among both, so 12 % of the ones cannot be forgotten. Every method has several strengths,
with rectified and, as published, logistic hidden units.
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from genomes.learner import Learner
from problems.continual.add_one import HIDDEN, AdditionFacts

STREAMS, STEP = 10, {"step_size": 0.3}
LOGISTIC = {"step_size": 3.0, "activation": "sigmoid"}
problem = AdditionFacts()

campaign = Campaign(
    problem,
    genome=Learner.for_problem(problem, hidden=(HIDDEN,)),
    algorithm=Cohort(
        [
            STEP,
            *(STEP | {"anchoring": strength} for strength in (3e-3, 1e-2, 3e-2, 1e-1)),
            *(STEP | {"consolidation": strength} for strength in (1.0, 3.0, 10.0, 30.0)),
            LOGISTIC,
            *(LOGISTIC | {"consolidation": strength} for strength in (3.0, 10.0, 30.0)),
        ],
        STREAMS,
    ),
    generations=2,
    name="forgetting_add_one",
)
