"""Loss of plasticity on pairs of classes of pictures (Continual ImageNet): Dohare et al. 2024, Fig. 1.

    evo run runs/continual_images.py --workers 2
    evo figure runs/continual_images
    evo table runs/continual_images

A convolutional network a quarter as wide as the article's, 200 tasks on 3 streams, on the 200 classes of the tiny
images, 100 pictures of each: 20 epochs of 10 pictures per update are 400 updates a task. The article: WIDTH = 32, 1,000
classes of 600, 250 epochs of 100 per update (3,000 updates), 2,000 to 5,000 tasks, 30 streams, on a GPU.
200 classes are 100 pairs, and the second hundred tasks are the first once more, as in the article from 500 tasks on.
Weight decay is for so short a study: the article's is 3e-6 at step size 0.03. Its replacement is by adaptable
contribution; a rate counts all units there, here those past their maturity (`Rules(count_all=True)` for the former).
"""

from evo import Campaign
from evo.algorithms.cohort import Cohort
from evo.learners import Convolution, Rules
from genomes.learner import Learner
from problems.continual.binary_images import BinaryImages

WIDTH, STREAMS = 8, 3
problem = BinaryImages(epochs=20, batch=10)

campaign = Campaign(
    problem,
    genome=Learner.for_problem(
        problem,
        convolutions=(Convolution(WIDTH, 5), Convolution(2 * WIDTH, 3), Convolution(4 * WIDTH, 3)),
        hidden=(4 * WIDTH, 4 * WIDTH),
        rules=Rules(initial="default"),
        settings={"momentum": 0.9},
    ),
    algorithm=Cohort(
        [
            {"step_size": 0.01},
            {"step_size": 0.01, "weight_decay": 1e-3},
            {"step_size": 0.01, "weight_decay": 1e-5, "noise": 1e-5},
            {"step_size": 0.01, "replacement_rate": 3e-4},
            {"step_size": 0.01, "replacement_rate": 3e-4, "utility": "adaptable_contribution"},
        ],
        STREAMS,
    ),
    generations=200,
    name="continual_images",
)
