"""How a network does with random, shared and tuned weights: the four settings of weight agnostic networks.

Random weights, each from -2 to 2; one random weight for all connections; the best single weight; and tuned weights,
one per connection. Beside the champion, the same for a fixed layered network with about as many connections.
Networks are in a champion file's form; their edges may stand there in any order.

Source: Gaier & Ha 2019 (arXiv:1906.04358), table 1 and section 4.1. A trial here is one start (with weights of its own
where these are random); nothing that is tuned has seen the trials' starts, or test cases.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.distribution import CMAES, PGPE, worst_for_failed
from evo.champion import ChampionError, network_of, networks_of
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.learning.evolved_weights import evolve_weights
from evo.learning.gradient_descent import descend, with_weights
from evo.networks import Networks
from evo.problem import Problem

RANGE = 2.0
"""Weights are drawn, and the best is looked for, from -2 to 2."""
SETTINGS = ("random weights", "random shared weight", "tuned shared weight", "tuned weights")
COARSE = tuple(round(0.1 * step, 2) for step in range(-20, 21) if step)
FINE = tuple(round(0.02 * step, 2) for step in range(-5, 6))
FULL_COVARIANCE = 400
"""CMA-ES learns a full covariance of at most so many weights; beyond, its diagonal."""

Network = dict[str, Any]
"""In a champion file's form."""


@dataclass(frozen=True)
class Score:
    """Mean and standard deviation of the n trials that did not fail, and how many others failed."""

    mean: float
    sd: float
    n: int
    failed: int = 0


@dataclass(frozen=True)
class Effort:
    """How hard is tuned.

    Attributes:
        population, generations: of each search.
        episodes: starts per candidate and generation.
        judged: starts by which the searches' results are chosen.
        swept: starts by which shared weights are compared.
        steps: of gradient descent, where the problem is differentiable.
    """

    population: int = 32
    generations: int = 1500
    episodes: int = 16
    judged: int = 128
    swept: int = 128
    steps: int = 2000


@dataclass(frozen=True)
class Settings:
    """One network in the four settings.

    Attributes:
        scores: per setting; where no trial differs from another, n is 1.
        shared_weight: the best.
        methods: the tuned weights' score by what tuned them; "tuned weights" is the one that did best while tuning.
        method: which that is.
        network: with those weights.
    """

    scores: dict[str, Score]
    shared_weight: float
    methods: dict[str, Score]
    method: str
    network: Network


@dataclass(frozen=True)
class FourSettings:
    """A champion and a layered network of about as many connections, in the four settings.

    Attributes:
        problem: its name.
        objective: what the scores are.
        champion, perceptron: the two networks.
    """

    problem: str
    objective: str
    champion: Settings
    perceptron: Settings


def four_settings(
    network: Network,
    problem: Problem,
    trials: int = 100,
    *,
    seed: int,
    threads: int = 1,
    effort: Effort | None = None,
) -> FourSettings:
    """Measure a champion's network, and a layered one, in the four settings.

    Args:
        network: the champion's, as in its file; its weights play no part.
        problem: for networks; its shared weights play no part.
        trials: how many per setting.
        seed: the root of all draws.
        threads: how many share a population.
        effort: how hard is tuned.

    Raises:
        ValueError: there are no trials, or every one of a setting failed.
        evo.champion.ChampionError: the network is described wrongly, or has no connections.
    """
    if trials < 1:
        raise ValueError(f"trials: expected 1 or more, got {trials}")
    if not network["edges"]:
        raise ChampionError("the champion's network has no connections, so there are no weights to draw or to tune")
    bench = Bench(problem, trials, seed, threads, effort or Effort())
    control, names = comparable_perceptron(network), (tuple(network["inputs"]), tuple(network["outputs"]))
    small = network_of(control, control.sample(1, seeds.rng(seed, "perceptron"))[0], *names)
    return FourSettings(
        problem.name,
        bench.measuring.objectives[0].name,
        bench.settings(network, lambda weight: shared(network, weight)),
        bench.settings(small, lambda weight: small),
    )


def comparable_perceptron(network: Network) -> Genome:
    """Return a layered genome of one hidden layer (tanh) with about as many connections as a network has."""
    from genomes.perceptron import Perceptron

    inputs, outputs = len(network["inputs"]), len(network["outputs"])
    # hidden units have inputs + bias, outputs have hidden units + bias
    hidden = max(1, round((len(network["edges"]) - outputs) / (inputs + 1 + outputs)))
    return Perceptron(inputs, outputs, hidden=(hidden,))


def shared(network: Network, weight: float) -> Network:
    """Return a network with one weight on all its connections."""
    return with_weights(network, [weight] * len(network["edges"]))


def changed(problem: Problem, **changes: Any) -> Problem:
    """Return a problem with other settings, as far as it has these."""
    names = {one.name for one in dataclasses.fields(problem) if one.init} if dataclasses.is_dataclass(problem) else ()
    known = {name: value for name, value in changes.items() if name in names}
    return dataclasses.replace(problem, **known) if known else problem  # type: ignore[type-var]


def measured_on(problem: Problem) -> Problem:
    """Return what networks are measured on: their own weights, all test cases, accuracy where a problem has that."""
    accuracy = {"objective": "accuracy"} if "accuracy" in [one.name for one in problem.objectives] else {}
    return changed(problem, shared_weights=(), split="test", batch=0, **accuracy)


def from_starts(problem: Problem, episodes: int) -> Problem:
    """Return a problem with so many episodes where their starts are drawn; else its own: they are what it measures."""
    return changed(problem, episodes=episodes) if problem.stochastic else problem


class Bench:
    """A problem as it is tuned on and as it is measured on, and the ways to do both.

    A problem with splits is tuned on training cases and measured on all test cases, by accuracy where it has that.

    Args:
        problem, trials, seed, threads, effort: see `four_settings`.
    """

    def __init__(self, problem: Problem, trials: int, seed: int, threads: int, effort: Effort) -> None:
        self.trials, self.seed, self.threads, self.effort = trials, seed, threads, effort
        self.tuning = from_starts(changed(problem, shared_weights=(), split="train"), effort.episodes)
        comparing = changed(measured_on(problem), split="train")
        self.sweeping, self.judging = (from_starts(comparing, number) for number in (effort.swept, effort.judged))
        self.measuring = from_starts(measured_on(problem), 1)
        self.sign = 1.0 if self.measuring.objectives[0].maximize else -1.0

    def settings(self, network: Network, start: Callable[[float], Network]) -> Settings:
        """Return a network's scores in the four settings.

        Args:
            network: whose structure is measured.
            start: returns, for the best shared weight, the network whose weights are tuned.
        """
        edges = len(network["edges"])
        draws = torch.from_numpy(seeds.rng(self.seed, SETTINGS[0]).uniform(-RANGE, RANGE, (self.trials, edges)))
        one_each = torch.from_numpy(seeds.rng(self.seed, SETTINGS[1]).uniform(-RANGE, RANGE, (self.trials, 1)))
        scores = {
            SETTINGS[0]: self.measure(copies(network, draws), SETTINGS[0]),
            SETTINGS[1]: self.measure(copies(network, one_each.expand(-1, edges)), SETTINGS[1]),
        }
        weight, opposite = self.best_weights(network)
        scores[SETTINGS[2]] = self.measure_one(shared(network, weight), SETTINGS[2])
        tuned = self.tuned(start(weight), start(opposite))
        methods = {method: self.measure_one(result, SETTINGS[3]) for method, (result, _) in tuned.items()}
        method = max(tuned, key=lambda name: self.sign * tuned[name][1])
        scores[SETTINGS[3]] = methods[method]
        return Settings(scores, weight, methods, method, tuned[method][0])

    def measure_one(self, network: Network, purpose: str) -> Score:
        """Return a network's score over all trials."""
        one = networks_of(network)
        return self.measure(one.tile(self.trials) if self.measuring.stochastic else one, purpose)

    def measure(self, networks: Networks, purpose: str) -> Score:
        """Return the score of as many networks as there are trials, each from a start of its own."""
        with Evaluator(self.measuring, self.threads) as evaluator:
            if self.measuring.stochastic:
                parts = [
                    evaluator.score(networks[number : number + 1], seeds.rng(self.seed, f"trial {purpose}", 0, number))
                    for number in range(len(networks))
                ]
            else:
                parts = [evaluator.score(networks, seeds.rng(self.seed, f"trial {purpose}"))]
        values = [float(value) for part in parts for value in part.scores[part.ok][:, 0]]
        if not values:
            raise ValueError(f"{purpose}: every trial failed. {parts[0].explain()}")
        sd = statistics.stdev(values) if len(values) > 1 else 0.0
        return Score(statistics.fmean(values), sd, len(values), len(networks) - len(values))

    def best_weights(self, network: Network) -> tuple[float, float]:
        """Return the shared weight that does best on starts, or training cases, that all meet, and of the other sign.

        The second is the best of a coarser choice; where all those failed, it is the best of all of them.
        """
        values = self._swept(network, COARSE)
        order = [COARSE[place] for place in values.argsort(descending=True, stable=True).tolist()]
        coarse = order[0]
        scored = [
            weight for weight in order if values[COARSE.index(weight)] > values.min()
        ]  # those that failed did not
        opposite = next((weight for weight in scored if weight * coarse < 0), coarse)
        fine = [weight for weight in (round(coarse + step, 2) for step in FINE) if abs(weight) <= RANGE]
        return fine[int(self._swept(network, fine).argmax())], opposite

    def _swept(self, network: Network, weights: Sequence[float]) -> torch.Tensor:
        return self.judge([shared(network, weight) for weight in weights], self.sweeping)

    def judge(self, networks: list[Network], problem: Problem) -> torch.Tensor:
        """Return how good networks of one structure are, `[n]`, more is better, on the same draws for all."""
        weights = torch.tensor([[edge[2] for edge in sorted(network["edges"], key=_place)] for network in networks])
        packed = networks_of(networks[0]).tile(len(networks)).with_weights(weights)
        with Evaluator(problem, self.threads) as evaluator:
            outcomes = evaluator.score(packed, seeds.rng(self.seed, "choose"))
        return worst_for_failed(self.sign * outcomes.scores[:, 0])

    def tuned(self, start: Network, second: Network) -> dict[str, tuple[Network, float]]:
        """Return, by what tuned it, a network with tuned weights, and how good it was on what chooses.

        The first search also goes out from a second network, if that is another: which of two equally good shared
        weights leads further is chance.
        """
        searches = self.searches(len(start["edges"]))
        results = {search.name: self.evolved(start, search) for search in searches}
        if second != start:
            results[f"{searches[0].name} from the other sign"] = self.evolved(second, searches[0])
        if self.tuning.training_batch(seeds.rng(self.seed, "differentiable")) is not None:
            results["gradient"] = descend(start, self.tuning, self.effort.steps, seed=self.seed).network
        values = self.judge(list(results.values()), self.judging)
        return {method: (result, float(values[number])) for number, (method, result) in enumerate(results.items())}

    def searches(self, edges: int) -> tuple[Algorithm, ...]:
        """Return the searches that tune so many weights; of networks of 50 to 340 weights PGPE did best so."""
        population = self.effort.population
        pgpe = PGPE(population=population, standard_deviation=0.1, center_learning_rate=0.15)
        if edges == 1:  # of which CMA-ES has no covariance to learn
            return (pgpe,)
        return pgpe, CMAES(population=population, standard_deviation=0.2, separable=edges > FULL_COVARIANCE)

    def evolved(self, start: Network, search: Algorithm) -> Network:
        """Return a network whose weights a search has tuned."""
        from genomes.fixed_network import FixedNetwork

        genome = FixedNetwork.from_network(start)
        generations = self.effort.generations
        result = evolve_weights(
            genome, self.tuning, search, generations, self.judging, seed=self.seed, threads=self.threads
        )
        tuned: Network = network_of(genome, result.row, tuple(start["inputs"]), tuple(start["outputs"]))
        return tuned


def copies(network: Network, weights: torch.Tensor) -> Networks:
    """Return copies of a network with weights `[n, edges]`, in the order of its edges."""
    order = sorted(range(len(network["edges"])), key=lambda number: _place(network["edges"][number]))
    return networks_of(network).tile(len(weights)).with_weights(weights[:, order])


def _place(edge: Sequence[Any]) -> tuple[int, int]:
    """Return what packed networks sort their edges by: target, then source."""
    return edge[1], edge[0]
