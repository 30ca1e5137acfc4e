"""Every genome on every problem that fits it, and every algorithm with every genome that fits it, pass all checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from algorithms.task_runs import HiddenModules

import evo.algorithms
import genomes
import problems
from evo.algorithm import Algorithm
from evo.algorithms.binary_tournament import BinaryTournament
from evo.algorithms.cohort import Cohort
from evo.algorithms.deap_loop import DeapLoop
from evo.algorithms.defending_champion import DefendingChampion
from evo.algorithms.distribution import CEM, CMAES, PGPE, SNES, XNES
from evo.algorithms.evolution_strategy import EvolutionStrategy
from evo.algorithms.fine_tuned_pathway import FineTunedPathway
from evo.algorithms.fixed_pathway import FixedPathway
from evo.algorithms.group_tournament import GroupTournament
from evo.algorithms.growth import Growth
from evo.algorithms.learned_evolution_strategy import LearnedEvolutionStrategy
from evo.algorithms.learned_genetic_algorithm import LearnedGeneticAlgorithm
from evo.algorithms.map_elites import MapElites
from evo.algorithms.meta_gradient import MetaGradient
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.algorithms.neat import Neat
from evo.algorithms.population_based_training import PopulationBasedTraining
from evo.algorithms.random_pathways import RandomPathways
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from evo.champion import network_of
from evo.function_problem import fitness
from evo.genome import Genome
from evo.grown_paths import GrownPaths
from evo.learners import Learners, Rules
from evo.learning.lifetimes.black_box_search import SearchBlackBox
from evo.learning.lifetimes.climbing_walks import ClimbingWalks
from evo.learning.lifetimes.fixed_walks import FixedWalks
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.learning.lifetimes.hebbian import Hebbian
from evo.learning.supernet.supernet import dense_supernet
from evo.learning.weight_training import TrainedWeights
from evo.learning.weight_tuning import TunedWeights
from evo.networks import Networks
from evo.optimisers import LearnedOptimisers
from evo.parametrised import Parametrised
from evo.pathways import Pathways
from evo.plastic import PlasticNetworks
from evo.policies import RecurrentPolicies
from evo.problem import Problem
from evo.search_rules import SearchRules
from evo.stateful import StatefulProblem
from evo.testing import Check
from evo.testing.algorithm_checks import Numbers, algorithm_checks
from evo.testing.genome_checks import genome_checks, grown
from evo.testing.problem_checks import mismatch, pair_checks, problem_checks, stateful_checks
from genomes.evolved_search import EvolvedSearch
from genomes.fixed_network import FixedNetwork
from genomes.grown_path import GrownPath
from genomes.initial_weights import InitialWeights
from genomes.learned_optimiser import LearnedOptimiser
from genomes.learner import Learner
from genomes.pathway import Pathway
from genomes.perceptron import Perceptron
from genomes.plasticity import Plasticity
from genomes.python_object import PythonObject
from genomes.recurrent_policy import RecurrentPolicy
from genomes.topology import Topology
from genomes.vector import Vector
from problems.few_shot.digit_pairs import DigitPairs
from problems.few_shot.permuted_digits import PermutedPixels
from problems.meta.bandits import BernoulliBandits
from problems.meta.black_box import RandomFunctions
from problems.meta.four_corners import Corners
from problems.meta.navigation import UniformGoals
from problems.meta.quadratics import RandomQuadratics
from problems.meta.small_network import NetworkTrainings
from problems.meta.tabular_mdps import RandomMdps
from problems.transfer.classification_tasks import ClassificationTasks
from problems.transfer.growing import Growing

WEIGHTS = (-1.5, 0.5, 1.0)


@fitness(maximize="sum", minimize="spread", batch=True)
def batch_of_vectors(vectors: torch.Tensor) -> torch.Tensor:
    return torch.stack((vectors.sum(1), vectors.std(1)), 1)


@fitness(maximize="product")
def one_vector(vector: np.ndarray, rng: np.random.Generator) -> float:
    return float(vector.prod() + rng.standard_normal())


@fitness(minimize="vowels", accepts=list)
def one_word(word: str) -> int:
    return sum(letter in "aeiou" for letter in word)


@fitness(maximize="output", accepts=Networks, batch=True, inputs=("a", "b"), outputs=("c",))
def batch_of_networks(networks: Networks) -> torch.Tensor:
    return networks.forward(torch.tensor([[0.3, -0.7], [1.0, 0.2]])).mean((1, 2))


def a_word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(list("abcde"), 6))


def another_letter(word: str, rng: np.random.Generator) -> str:
    place = int(rng.integers(len(word)))
    return word[:place] + str(rng.choice(list("abcde"))) + word[place + 1 :]


def half_and_half(first: str, second: str, rng: np.random.Generator) -> str:
    cut = int(rng.integers(len(first)))
    return first[:cut] + second[cut:]


Maker = Callable[[Problem], Genome]
BUSY = {"add_connection_rate": 0.5, "weight_rate": 0.5}
EVERY_WAY = {
    **BUSY,
    "weight_replacement_rate": 0.1,
    "remove_connection_rate": 0.3,
    "remove_node_rate": 0.1,
    "input_activation_rate": 0.2,
    "output_activation_rate": 0.2,
}


def a_network(problem: Problem) -> Any:
    """Return a network that fits a problem, in a champion file's form."""
    genome, rows = grown(Topology.for_problem(problem, initial_connection_rate=0.8, **BUSY), count=1)
    return network_of(genome, rows[0], problem.inputs, problem.outputs)


NETWORK_GENOMES: dict[str, Maker] = {
    "topology": lambda problem: Topology.for_problem(problem, hidden=1),
    "recurrent topology": lambda problem: Topology.for_problem(problem, recurrent=True, **BUSY),
    "topology with hidden always enabled": lambda problem: Topology.for_problem(problem, hidden_always_enabled=True),
    "weighted topology": lambda problem: Topology.for_problem(problem, initial_connection_rate=1.0, **BUSY),
    "deeper topology": lambda problem: Topology.for_problem(problem, deeper_only=True, keep_disabled=False, **BUSY),
    "topology that mutates in every way": lambda problem: Topology.for_problem(problem, mutation="each", **EVERY_WAY),
    "fixed network": lambda problem: FixedNetwork.from_network(a_network(problem)),
    "perceptron": lambda problem: Perceptron.for_problem(problem, hidden=(3,)),
    "linear perceptron": lambda problem: Perceptron.for_problem(problem, hidden=()),
}
LEARNERS: dict[str, Maker] = {
    "learner": lambda problem: Learner.for_problem(problem, hidden=(3,), evolve=("step_size", "replacement_rate")),
    "learner that goes on with Adam": lambda problem: Learner.for_problem(
        problem, hidden=(3, 2), rules=Rules(optimizer="adam"), evolve=("step_size",), newborn=False
    ),
}
PATHWAYS: dict[str, Maker] = {
    "pathway": lambda problem: Pathway.for_problem(problem, active=2),
    "pathway that wraps": lambda problem: Pathway.for_problem(problem, bounds="wrap", redraw_rate=0.3),
}
INITIAL_WEIGHTS: dict[str, Maker] = {
    "initial weights": lambda problem: InitialWeights.for_problem(problem, hidden=(4,)),
    "initial weights and step sizes": lambda problem: InitialWeights.for_problem(
        problem, hidden=(3,), step_sizes="tensor"
    ),
}
OPTIMISERS: dict[str, Maker] = {
    "learned optimiser": lambda problem: LearnedOptimiser.for_problem(problem, hidden=(3,)),
    "learned optimiser with momenta": lambda problem: LearnedOptimiser.for_problem(
        problem, form="momenta", hidden=(3, 2)
    ),
    "recurrent learned optimiser": lambda problem: LearnedOptimiser.for_problem(problem, form="recurrent", hidden=(3,)),
}
SEARCHES: dict[str, Maker] = {
    "evolved recombination": lambda problem: EvolvedSearch.for_problem(problem),
    "evolved ranks": lambda problem: EvolvedSearch.for_problem(problem, form="des"),
    "evolved genetic algorithm": lambda problem: EvolvedSearch.for_problem(problem, form="lga"),
}
POLICIES: dict[str, Maker] = {"recurrent policy": lambda problem: RecurrentPolicy.for_problem(problem, hidden=3)}
PLASTIC: dict[str, Maker] = {
    "plasticity": lambda problem: Plasticity.for_problem(problem, hidden=(3,)),
    "plasticity and weights": lambda problem: Plasticity.for_problem(problem, hidden=(), evolved_weights=True),
    "plastic trace": lambda problem: Plasticity.for_problem(problem, hidden=(2,), rule="trace"),
}
OTHER_GENOMES: dict[str, Genome] = {
    "vector": Vector(3),
    "python object": PythonObject(a_word, another_letter, half_and_half),
}
NET = dense_supernet(layers=2, modules=4, units=3)
SOME = np.random.default_rng(0).random((12, 5))
SOME_CLASSES = np.arange(12) % 3
PROBLEMS: dict[str, Problem] = {
    "swing-up": problems.make("cartpole-swingup-v1", episodes=2, steps=40),
    "swing-up with shared weights": problems.make("cartpole-swingup-v1", shared_weights=WEIGHTS, episodes=2, steps=40),
    "digits": problems.make("digits-v1", batch=40),
    "all digits with shared weights": problems.make("digits-v1", batch=0, split="test", shared_weights=(1.0, -1.0)),
    "swing-up without velocities": problems.make("cartpole-swingup-hidden-velocities-v1", episodes=1, steps=20),
    "cart pole": problems.make("cartpole-v1", episodes=2, steps=30),
    "double pole": problems.make("double-pole-v1", steps=20),
    "double pole without velocities": problems.make("double-pole-hidden-velocities-v1", steps=20),
    "double pole without velocities, undamped": problems.make("double-pole-hidden-velocities-undamped-v1", steps=20),
    "xor": problems.make("xor-v1"),
    "xor with shared weights": problems.make("xor-v1", shared_weights=WEIGHTS),
    "a lifetime of gradient steps": TrainedWeights(problems.make("xor-v1"), steps=2),
    "an inherited lifetime of gradient steps": TrainedWeights(problems.make("xor-v1"), "lamarckian", steps=2),
    "a lifetime of tuning": TunedWeights(problems.make("xor-v1"), steps=2, population=4),
    "an inherited lifetime": TunedWeights(problems.make("xor-v1"), "lamarckian", steps=2, population=4),
    "gymnasium": problems.make("gymnasium:CartPole-v1", episodes=1, steps=15),
    "slowly changing regression": problems.make("slowly-changing-regression-v1", flip_after=30),
    "a whole life of regression": problems.make(
        "slowly-changing-regression-v1", flip_after=20, lifelong=False, lifetime=2
    ),
    "permuted digits": problems.make("permuted-images-v1", data="digits", examples=40),
    "permuted tasks of digits": problems.make(
        "permuted-tasks-v1", data="digits", tasks=2, images=40, test_images=20, epochs=1, batch=8
    ),
    "addition facts": problems.make("addition-facts-v1", epochs=2, batch=4),
    "pairs of digits": problems.make("binary-images-v1", data="digits", images=10, batch=5, epochs=2),
    "more and more digits": problems.make("class-incremental-images-v1", data="digits", images=10, batch=5),
    "sinusoids of few points": problems.make("few-shot-sinusoids-v1", count=3),
    "sinusoids, inherited": problems.make("few-shot-sinusoids-v1", count=3, inheritance="lamarckian"),
    "permuted digits, a few of each": problems.make(
        "few-shot-permuted-digits-v1", tasks=PermutedPixels(shots=1, queries=2), lifetime=GradientSteps((2,)), count=2
    ),
    "pairs of digits, a few of each": problems.make(
        "few-shot-digit-pairs-v1", tasks=DigitPairs(shots=2, queries=2, noise=0.3), count=2, inheritance="lamarckian"
    ),
    "bandits": problems.make("bernoulli-bandits-v1", tasks=BernoulliBandits(pulls=4, arms=3), count=6),
    "decision problems": problems.make(
        "tabular-mdps-v1", tasks=RandomMdps(episodes=2, states=3, actions=2, horizon=3), count=4
    ),
    "navigation by memory": problems.make("navigation-v1", tasks=UniformGoals(episodes=2, horizon=5), count=3),
    "navigation by plasticity": problems.make(
        "navigation-v1", tasks=UniformGoals(episodes=2, horizon=5), lifetime=Hebbian(), count=3
    ),
    "navigation by climbing, inherited": problems.make(
        "navigation-v1",
        tasks=UniformGoals(episodes=2, horizon=5),
        lifetime=ClimbingWalks(),
        count=3,
        inheritance="lamarckian",
    ),
    "four corners": problems.make(
        "four-corners-v1", tasks=Corners(episodes=2, horizon=5), lifetime=Hebbian(normalized=True)
    ),
    "four corners without learning": problems.make(
        "four-corners-v1", tasks=Corners(episodes=1, horizon=5), lifetime=FixedWalks()
    ),
    "quadratics": problems.make("quadratics-v1", tasks=RandomQuadratics(steps=5), count=3),
    "black boxes": problems.make(
        "black-box-v1", tasks=RandomFunctions(largest=3), lifetime=SearchBlackBox(4, 3), count=3
    ),
    "trainings of a small network": problems.make(
        "small-network-v1", tasks=NetworkTrainings(hidden=2, steps=3, batch=5), count=1
    ),
    "pairs of noisy digits": problems.make("binary-digits-v1", digits="digits", batches=2, batch=4, supernet=NET),
    "permuted digits in sequence": problems.make(
        "permuted-digits-v1", digits="digits", batches=2, batch=4, supernet=NET, contest="together"
    ),
    "tasks of one's own": ClassificationTasks(
        sets=[("ones", SOME, SOME_CLASSES, SOME, SOME_CLASSES)] * 2,
        batches=2,
        batch=4,
        supernet=NET,
        contest="snapshot",
    ),
    "growing tasks": Growing(
        ClassificationTasks(sets=[("ones", SOME, SOME_CLASSES, SOME, SOME_CLASSES)], batches=2, batch=4, supernet=NET),
        validation=2,
    ),
    "batch of vectors": batch_of_vectors,
    "one vector": one_vector,
    "one word": one_word,
    "batch of networks": batch_of_networks,
    "hidden modules": HiddenModules(),
}
ALGORITHMS: dict[str, Algorithm] = {
    "cohort": Cohort(({"step_size": 0.01}, {"step_size": 0.1}), streams=2),
    "population based training": PopulationBasedTraining(population=6),
    "weight agnostic search": WeightAgnosticSearch(population=12, tournament_size=3),
    "weight agnostic search as published": WeightAgnosticSearch(population=12, tournament_size=3, published=True),
    "neat": Neat(population=12),
    "neat with a number of species": Neat(population=12, target_species=3),
    "map-elites": MapElites(("complexity",), (0.0,), (9.0,), (9,), population=6, initial_population=6),
    "meta-gradient": MetaGradient(problems.make("few-shot-sinusoids-v1", count=2), population=2, updates=2),
    "mu plus lambda": MuPlusLambda(population=6),
    "mu plus lambda with complexity": MuPlusLambda(population=6, offspring=9, complexity=True),
    "snes": SNES(population=6),
    "xnes": XNES(population=6),
    "pgpe": PGPE(population=6),
    "cem": CEM(population=6),
    "cmaes": CMAES(population=6),
    "evolution strategy": EvolutionStrategy(population=6),
    "learned evolution strategy": LearnedEvolutionStrategy(population=6),
    "learned evolution strategy with attention": LearnedEvolutionStrategy(population=6, form="les"),
    "learned genetic algorithm": LearnedGeneticAlgorithm(population=6),
    "deap loop": DeapLoop(population=6),
    "deap simple loop": DeapLoop(loop="eaSimple", population=6, select="tournament"),
    "binary tournament": BinaryTournament(population=6),
    "group tournament": GroupTournament(population=6, opponents=3),
    "defending champion": DefendingChampion(population=6, contestants=3),
    "fixed pathway": FixedPathway(),
    "fine-tuned pathway": FineTunedPathway(population=6),
    "growth": Growth(children=3, living=4),
    "random pathways": RandomPathways(),
}
NEEDS_WEIGHTS = (SNES, XNES, PGPE, CEM, CMAES, EvolutionStrategy, LearnedEvolutionStrategy, LearnedGeneticAlgorithm)
NO_VARIATION = (FixedPathway, RandomPathways)


def genomes_for(problem: Problem) -> dict[str, Genome]:
    made = dict(OTHER_GENOMES)
    if problem.accepts is Networks:
        made |= {name: make(problem) for name, make in NETWORK_GENOMES.items()}
    if problem.accepts is Learners:
        made = {name: make(problem) for name, make in LEARNERS.items()}
    if problem.accepts is Parametrised:
        made = {name: make(problem) for name, make in INITIAL_WEIGHTS.items()}
    if problem.accepts is LearnedOptimisers:
        made = {name: make(problem) for name, make in OPTIMISERS.items()}
    if problem.accepts is SearchRules:
        made = {name: make(problem) for name, make in SEARCHES.items()}
    if problem.accepts is RecurrentPolicies:
        made = {name: make(problem) for name, make in POLICIES.items()}
    if problem.accepts is PlasticNetworks:
        made = {name: make(problem) for name, make in PLASTIC.items()}
        if getattr(getattr(problem, "lifetime", None), "normalized", False):
            del made["plastic trace"]  # its weights stay as they are
    if problem.accepts is GrownPaths:
        made = {"grown path": GrownPath.for_problem(problem)}
    if problem.accepts is Pathways:
        made = {name: make(problem) for name, make in PATHWAYS.items()}
    return {name: genome for name, genome in made.items() if not mismatch(genome, problem)}


def fits(algorithm: Algorithm, genome: Genome) -> bool:
    """Return whether an algorithm is for a genome at all."""
    if isinstance(algorithm, MetaGradient):
        return genome.expresses is Parametrised
    if isinstance(algorithm, Cohort):
        return hasattr(genome, "cohort")
    if isinstance(algorithm, Growth):
        return hasattr(genome, "placed")
    if isinstance(algorithm, PopulationBasedTraining):
        return getattr(genome, "newborn", False) is False
    if isinstance(algorithm, NO_VARIATION):  # with a first generation that is always the same, runs are too
        return not torch.equal(*(genome.sample(8, np.random.default_rng(seed)) for seed in (0, 1)))
    return genome.weights is not None or not isinstance(algorithm, NEEDS_WEIGHTS)


PAIRS = [
    pytest.param(genome, problem, id=f"{genome_name} on {problem_name}")
    for problem_name, problem in PROBLEMS.items()
    for genome_name, genome in genomes_for(problem).items()
]
SMALL: dict[str, Genome] = {
    **{name: make(batch_of_networks) for name, make in NETWORK_GENOMES.items()},
    **{name: make(problems.make("slowly-changing-regression-v1", bits=4, slow=2)) for name, make in LEARNERS.items()},
    **{name: make(problems.make("few-shot-sinusoids-v1")) for name, make in INITIAL_WEIGHTS.items()},
    **{name: make(HiddenModules()) for name, make in PATHWAYS.items()},
    **{name: make(problems.make("quadratics-v1")) for name, make in OPTIMISERS.items()},
    **{name: make(problems.make("black-box-v1")) for name, make in SEARCHES.items()},
    **{name: make(problems.make("bernoulli-bandits-v1")) for name, make in POLICIES.items()},
    **{name: make(problems.make("navigation-v1")) for name, make in PLASTIC.items()},
    **OTHER_GENOMES,
    "grown path": GrownPath(layers=2, slots=8),
    "numbers": Numbers(),
}
TEAMS = [
    pytest.param(algorithm, genome, id=f"{algorithm_name} with {genome_name}")
    for algorithm_name, algorithm in ALGORITHMS.items()
    for genome_name, genome in SMALL.items()
    if fits(algorithm, genome)
]


@pytest.mark.parametrize("check", genome_checks, ids=str)
@pytest.mark.parametrize("genome", SMALL.values(), ids=SMALL.keys())
def test_genome(genome: Genome, check: Check) -> None:
    run(check, genome)


@pytest.mark.parametrize(("genome", "problem"), PAIRS)
def test_pair(genome: Genome, problem: Problem) -> None:
    for check in pair_checks:
        run(check, genome, problem)
    fitted, rows = grown(genome)
    for check in (*problem_checks, *(stateful_checks if isinstance(problem, StatefulProblem) else ())):
        run(check, problem, fitted.express(rows))


@pytest.mark.parametrize(("algorithm", "genome"), TEAMS)
def test_algorithm(algorithm: Algorithm, genome: Genome) -> None:
    for check in algorithm_checks:
        run(check, algorithm, genome)


def run(check: Check, *things: Any) -> None:
    """Run a check that may find that it does not apply."""
    from evo.testing import CheckSkipped

    try:
        check.run(*things)
    except CheckSkipped:
        return


def test_every_genome_is_checked() -> None:
    known = {genomes.CATALOGUE.find(name) for name in genomes.CATALOGUE.places}
    assert known <= {type(genome) for genome in SMALL.values()}
    assert known <= {type(parameters.values[0]) for parameters in PAIRS}


def test_every_problem_is_checked_that_needs_no_file() -> None:
    files = ("mnist", "few-shot-omniglot", "image-tasks")
    known = {problems.CATALOGUE.find(name) for name in problems.CATALOGUE.places if not name.startswith(files)}
    assert known <= {type(problem) for problem in PROBLEMS.values()}
    assert {id(problem) for problem in PROBLEMS.values()} == {id(parameters.values[1]) for parameters in PAIRS}


def test_every_algorithm_is_checked() -> None:
    catalogue = evo.algorithms.CATALOGUE
    assert {catalogue.find(name) for name in catalogue.places} == {type(algorithm) for algorithm in ALGORITHMS.values()}


def test_recurrent_genomes_are_recurrent_where_checks_see_them() -> None:
    genome, rows = grown(NETWORK_GENOMES["recurrent topology"](batch_of_networks), rounds=12)
    ends = [edge for row in rows for edge in genome.graph(row).edges]  # type: ignore[union-attr]
    assert any(source >= target for source, target in ends)
