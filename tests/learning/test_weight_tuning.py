"""Weights tuned in a lifetime: the search is EvoTorch's, it helps, and its results are inherited or not."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evo import Campaign, CampaignError, seeds
from evo.algorithms import evotorch_problem
from evo.algorithms.distribution import PGPE
from evo.algorithms.map_elites import MapElites
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from evo.evaluation.evaluator import Evaluator
from evo.function_problem import fitness
from evo.inheritance import changed, changes
from evo.learning.weight_tuning import TunedWeights, edge_counts
from evo.networks import Networks, pack
from evo.rescore import rescore
from evo.search import Search
from evo.settings import describe
from evo.testing.problem_checks import check_problem, made_up_networks
from genomes.perceptron import Perceptron
from problems.control.cartpole_swingup import CartPoleSwingUp

CASES = torch.linspace(-1, 1, 12).reshape(6, 2)
SWINGUP = CartPoleSwingUp(episodes=2, steps=60)
BRIEF = {"steps": 3, "population": 4}


@fitness(minimize="error", accepts=Networks, batch=True, inputs=("a", "b"), outputs=("y",))
def error(networks: Networks) -> torch.Tensor:
    wanted = torch.sin(3 * CASES[:, 0]) + 0.5 * CASES[:, 1]
    return (networks.forward(CASES)[:, :, 0] - wanted).double().square().mean(1)


def strangers(count: int = 5, inputs: int = 2) -> Networks:
    """Networks of different structures and sizes."""
    return made_up_networks(inputs, 1, count, np.random.default_rng(2))


def mean(problem: Any, networks: Networks) -> float:
    return float(problem.evaluate(networks, seeds.rng(0, "test")).scores[:, 0].mean())


def test_tuned_networks_score_better_than_untuned_ones() -> None:
    networks, controllers = strangers(12), strangers(12, inputs=5)
    assert mean(TunedWeights(error, steps=30), networks) < 0.5 * mean(TunedWeights(error, steps=0), networks)
    longer = CartPoleSwingUp(episodes=2, steps=200)
    assert mean(TunedWeights(longer, steps=10), controllers) > 1.5 * mean(TunedWeights(longer, steps=0), controllers)


def test_all_searches_at_once_are_each_evotorchs_pgpe(monkeypatch: pytest.MonkeyPatch) -> None:
    tuned = TunedWeights(error, steps=6, population=8, standard_deviation=0.4, center_learning_rate=0.2)
    networks, seed = strangers(), 11
    together = tuned.live(networks, seed)
    evotorch_problem.load()
    from evotorch.distributions import SymmetricSeparableGaussian

    asked: list[int] = []

    def fill(self: Any, out: torch.Tensor, *, generator: Any = None) -> None:
        moves = self.sigma * tuned._noise(out.shape[1], seed, len(asked))
        asked.append(len(out))
        out[0::2], out[1::2] = self.mu + moves, self.mu - moves

    monkeypatch.setattr(SymmetricSeparableGaussian, "_fill", fill)
    for number in range(len(networks)):
        one = networks[number : number + 1]
        asked.clear()

        def score(weights: torch.Tensor, one: Networks = one) -> torch.Tensor:
            return -error.evaluate(one.tile(8).with_weights(weights), seeds.rng(0, "none")).scores

        center = one.edge_weights.double()
        problem = evotorch_problem.batch_problem(score, len(center), dtype=torch.float64, seed=1)
        search = PGPE(8, standard_deviation=0.4, center_learning_rate=0.2).searcher(problem, center)
        for _ in range(tuned.steps + 1):  # each step but the first begins with an update
            search.step()
        expected = search.status["center"].as_subclass(torch.Tensor).float()
        assert (expected - one.edge_weights).abs().max() > 0.3
        torch.testing.assert_close(together[number : number + 1].edge_weights, expected, rtol=1e-5, atol=1e-6)


def test_it_keeps_the_contract_of_a_problem() -> None:
    problem = TunedWeights(SWINGUP, **BRIEF)
    findings = check_problem(problem, strangers(6, inputs=5))
    assert [finding for finding in findings if finding.status != "ok"] == []


def test_a_network_learns_the_same_alone_as_among_others() -> None:
    problem, networks = TunedWeights(SWINGUP, **BRIEF), strangers(6, inputs=5)
    assert len(set(edge_counts(networks).tolist())) > 3
    together = problem.live(networks, 3)
    for number in range(len(networks)):
        alone = problem.live(networks[number : number + 1], 3)
        assert torch.equal(alone.edge_weights, together[number : number + 1].edge_weights)
    assert not torch.equal(problem.live(networks, 4).edge_weights, together.edge_weights)


def test_networks_without_edges_learn_nothing_and_harm_no_one() -> None:
    bare, wired = ([1, 1, 1, 1], []), ([1, 1, 1, 1], [(0, 3, 0.5), (1, 3, -0.5)])
    problem = TunedWeights(error, **BRIEF)
    learned = problem.live(pack(2, 1, [bare, wired, bare]), 0)
    assert torch.equal(learned.edge_weights, problem.live(pack(2, 1, [wired]), 0).edge_weights)
    assert learned.edge_weights.isfinite().all()
    assert len(problem.live(pack(2, 1, [bare]), 0).edge_weights) == 0


def test_failed_samples_count_as_the_worst(monkeypatch: pytest.MonkeyPatch) -> None:
    @fitness(maximize="score", accepts=Networks, batch=True, inputs=("a", "b"), outputs=("y",))
    def sometimes(networks: Networks) -> torch.Tensor:
        weights = networks.edge_weights.view(len(networks), -1).double()
        return torch.where(weights[:, 0] < 0, torch.nan, -(weights - 1).square().sum(1))

    wired = pack(2, 1, [([1, 1, 1, 1], [(0, 3, 0.1), (1, 3, -0.5)])] * 2)
    learned = TunedWeights(sometimes, steps=40).live(wired, 0)
    assert ((learned.edge_weights - 1).abs() < 0.3).all()


def inherited(inheritance: str, genome: Perceptron, rows: torch.Tensor) -> Any:
    with Evaluator(TunedWeights(SWINGUP, inheritance, **BRIEF)) as evaluator:
        return evaluator.evaluate(genome, rows, seeds.rng(0, "evaluate"))


def test_baldwinian_rows_stay_and_lamarckian_rows_score_what_was_reported() -> None:
    genome = Perceptron.for_problem(SWINGUP, hidden=(3,))
    rows = genome.sample(5, seeds.rng(0, "sample"))
    before = rows.clone()
    baldwinian, lamarckian = (inherited(kind, genome, rows) for kind in ("baldwinian", "lamarckian"))
    assert torch.equal(rows, before)
    assert baldwinian.inherited(rows) is rows
    assert torch.equal(baldwinian.scores, lamarckian.scores)
    learned = lamarckian.inherited(rows)
    draws = seeds.rng(0, "evaluate")
    draws.integers(2**63)  # the seed of the lifetimes
    assert torch.equal(SWINGUP.evaluate(genome.express(learned), draws).scores, lamarckian.scores)
    assert (learned != rows)[:, : genome.layout.genes].all()
    assert torch.equal(learned[:, genome.layout.genes :], rows[:, genome.layout.genes :])


def test_rows_whose_evaluation_failed_stay_as_they_were() -> None:
    @fitness(maximize="score", accepts=Networks, batch=True, inputs=("a", "b"), outputs=("y",))
    def half(networks: Networks) -> torch.Tensor:
        return torch.arange(len(networks), dtype=torch.float64).masked_fill(torch.arange(len(networks)) < 2, torch.nan)

    genome = Perceptron.for_problem(half, hidden=())
    rows = genome.sample(4, seeds.rng(0, "sample"))
    with Evaluator(TunedWeights(half, "lamarckian", **BRIEF)) as evaluator:
        learned = evaluator.evaluate(genome, rows, seeds.rng(0, "evaluate")).inherited(rows)
    assert (learned != rows).any(1).tolist() == [False, False, True, True]


@dataclass(frozen=True)
class Still(Perceptron):
    """A perceptron whose children are copies, and whose features are its first weights' places."""

    mutation_rate: float = 0.0

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"first": rows[:, 0].double(), "second": rows[:, 1].double()}


ALGORITHMS = {
    "mu-plus-lambda": MuPlusLambda(6, reevaluate=False, crossover_rate=0.0),
    "mu-plus-lambda, all again": MuPlusLambda(6, crossover_rate=0.0),
    "weight-agnostic-search": WeightAgnosticSearch(8, tournament_size=2),
    "map-elites": MapElites(("first", "second"), (-2.0, -2.0), (2.0, 2.0), (4, 4), population=6),
}


@pytest.mark.parametrize("inheritance", ["baldwinian", "lamarckian"])
@pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=ALGORITHMS.keys())
def test_children_are_bred_from_what_their_parents_became(algorithm: Any, inheritance: str) -> None:
    genome = Still.for_problem(SWINGUP, hidden=())
    evaluated, became = [], []

    def evaluate(genome: Any, rows: torch.Tensor) -> Any:
        outcomes = evaluator.evaluate(genome, rows, seeds.rng(0, "evaluate", len(became)))
        evaluated.append(rows[:, : genome.layout.genes].tolist())
        became.append(outcomes.inherited(rows)[:, : genome.layout.genes].tolist())
        return outcomes

    with Evaluator(TunedWeights(SWINGUP, inheritance, **BRIEF)) as evaluator:
        algorithm.run(Search(genome, SWINGUP.objectives, True, 4, 0, evaluate))
    for number in range(1, 4):
        ancestors = [genes for generation in became[:number] for genes in generation]
        assert all(genes in ancestors for genes in evaluated[number])
    assert (became == evaluated) == (inheritance == "baldwinian")


def campaign(inheritance: str = "lamarckian", **changes: Any) -> Campaign:
    tuned = TunedWeights(SWINGUP, inheritance, **BRIEF)
    settings: dict[str, Any] = {"generations": 4, "validations": 0, **changes}
    return Campaign(tuned, Perceptron.for_problem(SWINGUP, hidden=(2,)), MuPlusLambda(6), **settings)


def results(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "default" / "seed-0" / name).read_bytes() for name in ("journal.jsonl", "champion.json")}


def test_workers_and_interruptions_change_no_byte_and_replay_evaluates_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for workers in (1, 2):
        campaign().run(workers=workers, out=tmp_path / str(workers), quiet=True)
    assert results(tmp_path / "1") == results(tmp_path / "2")
    journal = tmp_path / "2" / "default" / "seed-0" / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:3]))
    campaign().run(out=tmp_path / "2", resume=True, quiet=True)
    assert results(tmp_path / "1") == results(tmp_path / "2")
    monkeypatch.setattr(Evaluator, "evaluate", None)
    campaign().run(out=tmp_path / "2", resume=True, quiet=True)
    assert results(tmp_path / "1") == results(tmp_path / "2")


@pytest.mark.parametrize("inheritance", ["baldwinian", "lamarckian"])
def test_a_champion_has_the_genes_that_its_parents_handed_on(tmp_path: Path, inheritance: str) -> None:
    made = campaign(inheritance)
    champion = made.run(out=tmp_path / "a", quiet=True)
    draws = seeds.rng(0, "evaluate", champion.generation)
    draws.integers(2**63)  # the seed of the lifetimes
    networks = made.genome.express(made.genome.restore(champion.genes))
    score = float(SWINGUP.evaluate(networks, draws).scores)
    assert (score == champion.fitness["reward"]) == (inheritance == "lamarckian")


def test_every_step_and_the_score_have_draws_of_their_own() -> None:
    drawn = []

    @fitness(maximize="score", accepts=Networks, batch=True, inputs=("a", "b"), outputs=("y",))
    def listening(networks: Networks, rng: np.random.Generator) -> torch.Tensor:
        drawn.append((len(networks), float(rng.random())))
        return networks.edge_weights.new_zeros(len(networks))

    TunedWeights(listening, **BRIEF).evaluate(strangers(5), seeds.rng(0, "test"))
    assert [count for count, _ in drawn] == [20, 20, 20, 5]
    assert len({number for _, number in drawn}) == 4


def test_only_lamarckian_journals_have_what_was_learned(tmp_path: Path) -> None:
    for inheritance in ("baldwinian", "lamarckian"):
        campaign(inheritance).run(out=tmp_path / inheritance, quiet=True)
        lines = results(tmp_path / inheritance)["journal.jsonl"].splitlines()[1:]
        assert {"learned" in json.loads(line[9:]) for line in lines} == {inheritance == "lamarckian"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_learned_rows_are_recorded_to_the_last_bit(dtype: torch.dtype) -> None:
    rows = torch.randn(5, 7, dtype=dtype, generator=torch.Generator().manual_seed(0))
    rows[2, 3:] = torch.nan
    learned = rows.clone()
    learned[:, 1:3] += 1e-7
    learned[0, 0] = -0.0
    back = changed(rows, changes(rows, learned))
    assert torch.equal(back.view(torch.uint8), learned.view(torch.uint8))


def test_a_genome_that_cannot_take_over_is_told(tmp_path: Path) -> None:
    @dataclass(frozen=True)
    class Forgetful(Perceptron):
        def absorb(self, rows: torch.Tensor, phenotypes: Any) -> torch.Tensor:
            return super(Perceptron, self).absorb(rows, phenotypes)

    tuned = TunedWeights(SWINGUP, "lamarckian", **BRIEF)
    with pytest.raises(CampaignError, match=r"Forgetful cannot take over .*use inheritance='baldwinian'"):
        Campaign(tuned, Forgetful.for_problem(SWINGUP), MuPlusLambda(4), generations=1).run(
            out=tmp_path / "a", quiet=True
        )


def test_champions_are_scored_again_in_a_lifetime_or_without(tmp_path: Path) -> None:
    campaign(validations=2).run(out=tmp_path / "a", quiet=True)
    path = tmp_path / "a" / "champion.json"
    own = rescore(path, episodes=5, seed=1)
    assert own["problem"] == "tuned-weights-v1"
    assert own["objectives"]["reward"]["n"] == 5
    assert own == rescore(path, episodes=5, seed=1)
    assert rescore(path, problem="cartpole-swingup-v1")["problem"] == "cartpole-swingup-v1"
    with pytest.raises(ValueError, match="weights of their own"):
        rescore(path, weight="1.0")


def test_settings_name_the_problem_inside() -> None:
    described = describe(TunedWeights(SWINGUP, **BRIEF))
    assert described["name"] == "tuned-weights-v1"
    assert "source" not in described
    assert described["settings"]["problem"] == describe(SWINGUP)
    assert "source" in describe(TunedWeights(error))["settings"]["problem"]


@fitness(maximize="score", accepts=Networks, inputs=("a",), outputs=("b",))
def one_network(network: Networks) -> float:
    return 0.0


@fitness(maximize="score", batch=True)
def vectors(values: torch.Tensor) -> torch.Tensor:
    return values.sum(1)


@pytest.mark.parametrize(
    ("arguments", "wrong", "said"),
    [
        ({"problem": CartPoleSwingUp(shared_weights=(1.0,))}, ValueError, "weights of their own"),
        ({"problem": one_network}, TypeError, "scores batches of networks"),
        ({"problem": vectors}, TypeError, "scores Tensor, not Networks"),
        ({"problem": TunedWeights(SWINGUP)}, TypeError, "no lifetime itself"),
        ({"inheritance": "darwinian"}, ValueError, "baldwinian, lamarckian, got 'darwinian'"),
        ({"population": 5}, ValueError, "even population"),
        ({"steps": -1}, ValueError, "steps >= 0"),
        ({"center_learning_rate": 0.0}, ValueError, "more than 0"),
        ({"standard_deviation": math.nan}, ValueError, "more than 0"),
        ({"standard_deviation_learning_rate": -5.0}, ValueError, "standard_deviation_learning_rate 0 or more"),
        ({"standard_deviation_learning_rate": math.nan}, ValueError, "standard_deviation_learning_rate 0 or more"),
        ({"steps": 2.0}, ValueError, "whole numbers"),
        ({"population": 4.0}, ValueError, "whole numbers"),
    ],
)
def test_impossible_lifetimes_are_refused(arguments: dict[str, Any], wrong: type[Exception], said: str) -> None:
    with pytest.raises(wrong, match=said):
        TunedWeights(**{"problem": SWINGUP, **arguments})
