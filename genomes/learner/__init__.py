"""Networks that go on learning, with settings that may evolve: the genome, and what its rows are made of."""

from genomes.learner.learner import Learner as Learner
