"""Population based training: who takes over from whom and when, and what is taken over; and a genetic algorithm."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from drifting_stream import DriftingStream

from evo import Campaign
from evo.algorithm import Algorithm
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.algorithms.population_based_training import PopulationBasedTraining
from evo.evaluation.evaluator import Evaluator
from evo.genome import Genome
from evo.learners import NAMES
from evo.lineage import identities
from evo.outcome import Outcome, Outcomes
from evo.run import Run, execute
from evo.search import Search
from evo.settings import describe
from evo.testing import Check
from evo.testing.algorithm_checks import Numbers, algorithm_checks
from genomes.learner import Learner

GENOME = Learner((3,), (4,), 2, evolve=("step_size", "noise"), newborn=False)
Change = Callable[[int, Outcomes], Outcomes]


@dataclass
class Seen:
    """What a run evaluated, an entry per generation: rows, and outcomes with the rows that learned."""

    rows: list[torch.Tensor] = field(default_factory=list)
    outcomes: list[Outcomes] = field(default_factory=list)

    def uids(self, generation: int, name: str = "uid") -> list[int]:
        return identities(GENOME.layout, self.rows[generation], name).tolist()

    def learned(self, generation: int) -> torch.Tensor:
        rows = self.outcomes[generation].rows
        assert rows is not None
        return rows

    def scores(self, generation: int) -> np.ndarray:
        values: np.ndarray = self.outcomes[generation].scores[:, 0].numpy()
        return values


def as_they_are(generation: int, outcomes: Outcomes) -> Outcomes:
    return outcomes


def trained(
    algorithm: Algorithm,
    generations: int = 5,
    genome: Genome = GENOME,
    change: Change = as_they_are,
    seed: int = 0,
    problem: DriftingStream | None = None,
) -> Seen:
    seen, evaluator = Seen(), Evaluator(problem or DriftingStream())

    def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
        outcomes = evaluator.evaluate(genome, rows, np.random.default_rng(0))
        seen.rows.append(rows.clone())
        seen.outcomes.append(change(len(seen.outcomes), outcomes))
        return seen.outcomes[-1]

    algorithm.run(Search(genome, DriftingStream.objectives, False, generations, seed, evaluate))
    return seen


def scored(table: dict[int, list[float]]) -> Change:
    """Return a change that gives generations the losses of a table."""

    def change(generation: int, outcomes: Outcomes) -> Outcomes:
        scores = torch.tensor(table.get(generation, [0.0] * len(outcomes)), dtype=torch.float64)[:, None]
        kinds = tuple(Outcome.NAN if math.isnan(score) else Outcome.OK for score in scores[:, 0].tolist())
        return replace(outcomes, scores=scores, kinds=kinds)

    return change


def genes(rows: torch.Tensor, *but: str) -> list[list[float]]:
    """Return the bits of every field of rows but those named, row by row."""
    names = [one.name for one in GENOME.layout.fields if one.name not in but]
    return torch.cat([GENOME.layout.view(rows, name).reshape(len(rows), -1) for name in names], 1).tolist()


@dataclass(frozen=True)
class Learning(Algorithm):
    """An algorithm on a problem that hands rows back as they were, as those of the checks do not."""

    algorithm: Algorithm

    def run(self, search: Search) -> None:
        inside = search.evaluator

        def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
            return replace(inside(genome, rows), rows=rows.clone())

        search.evaluator = evaluate
        self.algorithm.run(search)


@pytest.mark.parametrize("check", algorithm_checks, ids=str)
@pytest.mark.parametrize("genome", [GENOME, Numbers()], ids=["learner", "numbers"])
@pytest.mark.parametrize("ready_every", [1, 2])
def test_it_is_an_algorithm(check: Check, genome: Genome, ready_every: int) -> None:
    check.run(Learning(PopulationBasedTraining(6, 0.34, ready_every)), genome)


def test_the_worst_become_mutated_copies_of_the_best_and_the_others_learn_on() -> None:
    seen = trained(PopulationBasedTraining(20, truncation=0.2), generations=8)
    copies = 0
    for before in range(7):
        order = np.argsort(seen.scores(before), kind="stable")
        best, worst = set(order[:4].tolist()), set(order[-4:].tolist())
        old, new, learned = seen.uids(before), seen.rows[before + 1], seen.learned(before)
        parents = seen.uids(before + 1, "first_parent")
        for place, uid in enumerate(seen.uids(before + 1)):
            if place not in worst:
                assert uid == old[place]
                assert torch.equal(new[place], learned[place])
                continue
            assert uid not in old
            source = old.index(parents[place])
            assert source in best
            taken, given = new[place : place + 1], learned[source : source + 1]
            assert genes(taken, "step_size", "noise", "key") == genes(given, "step_size", "noise", "key")
            assert genes(taken, *(set(NAMES) - {"step_size"})) != genes(given, *(set(NAMES) - {"step_size"}))
            assert GENOME.layout.view(taken, "segments").tolist() == [before + 1]
            copies += 1
        assert set(seen.uids(before + 1, "second_parent")) == {-1}
    assert copies == 28


def test_copies_are_drawn_from_all_of_the_best() -> None:
    drawn: list[int] = []
    for seed in range(60):
        seen = trained(
            PopulationBasedTraining(8, truncation=0.5), 2, change=scored({0: [7, 0, 6, 1, 5, 2, 4, 3]}), seed=seed
        )
        drawn += [seen.uids(1, "first_parent")[place] for place in (0, 2, 4, 6)]
    assert sorted(set(drawn)) == [1, 3, 5, 7]
    assert min(drawn.count(place) for place in (1, 3, 5, 7)) > 40


def test_exchanges_wait_until_learners_are_ready_and_count_the_mean_since_the_last() -> None:
    """The last scores, and those of the exchange before, would name others."""
    losses = {0: [9, 0, 5, 5], 1: [9, 0, 5, 5], 2: [0, 9, 5, 6], 3: [5, 5, 0, 9], 4: [0, 5, 3, 4], 5: [1, 5, 3, 0]}
    losses = {number: [float(loss) for loss in each] for number, each in losses.items()}
    seen = trained(PopulationBasedTraining(4, 0.25, ready_every=3), 7, change=scored(losses))
    assert [seen.uids(number) for number in range(3)] == [[0, 1, 2, 3]] * 3
    # means 6, 3, 5, 5.33
    assert [seen.uids(number) for number in range(3, 6)] == [[4, 1, 2, 3]] * 3
    assert seen.uids(3, "first_parent")[0] == 1
    # means 2, 5, 2, 4.33: of equals the first
    assert seen.uids(6) == [4, 5, 2, 3]
    assert seen.uids(6, "first_parent")[1] == 4


def test_all_that_failed_are_replaced_by_some_that_did_not() -> None:
    nan = math.nan
    seen = trained(PopulationBasedTraining(6, 0.34), 3, change=scored({0: [nan, 1, nan, 2, nan, 3], 1: [nan] * 6}))
    assert seen.uids(1) == [6, 1, 7, 3, 8, 5]
    assert {seen.uids(1, "first_parent")[place] for place in (0, 2, 4)} <= {1, 3}
    assert seen.uids(2) == seen.uids(1), "there is nobody to take over from"
    one_left = trained(PopulationBasedTraining(6, 0.34), 2, change=scored({0: [nan, nan, nan, 4, nan, nan]}))
    assert [uid for uid in one_left.uids(1) if uid < 6] == [3]
    assert set(one_left.uids(1, "first_parent")) == {3, -1}


def test_a_failure_since_the_last_exchange_counts() -> None:
    losses = {0: [math.nan, 1.0, 2.0, 3.0], 1: [0.0, 1.0, 2.0, 3.0]}
    seen = trained(PopulationBasedTraining(4, 0.25, ready_every=2), 3, change=scored(losses))
    assert seen.uids(2) == [4, 1, 2, 3]


def test_settings_evolve_while_weights_are_kept() -> None:
    """On a stream that drifts, following it closely is best."""
    start = replace(GENOME, settings={"step_size": 0.05}, evolve=("step_size",))
    seen = trained(PopulationBasedTraining(20), 60, genome=start)
    steps = GENOME.layout.view(seen.rows[-1], "step_size")
    assert float(steps.median()) > 0.3
    assert set(GENOME.layout.view(seen.rows[-1], "segments").tolist()) == {59.0}
    apart = trained(PopulationBasedTraining(20), 60, genome=replace(start, mutation_rate=0.0))
    late, late_apart = (np.mean([one.scores(number) for number in range(39, 60)]) for one in (seen, apart))
    assert late < 0.5 * late_apart, "over a whole round of the drift"


def test_a_stopped_run_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    algorithm = PopulationBasedTraining(6, 0.34, ready_every=2)
    for name, steps in (("whole", (7,)), ("stopped", (3, 7))):
        for generations in steps:
            execute(Run(DriftingStream(), GENOME, algorithm, generations, 0), tmp_path / name)
    journals = [(tmp_path / name / "journal.jsonl").read_bytes() for name in ("whole", "stopped")]
    assert journals[0] == journals[1]


def test_children_that_start_afresh_are_refused() -> None:
    with pytest.raises(ValueError, match="make it with newborn=False"):
        trained(PopulationBasedTraining(4, 0.25), genome=replace(GENOME, newborn=True))


def test_a_problem_that_hands_nothing_back_is_refused() -> None:
    with pytest.raises(ValueError, match="does not hand back what was learned"):
        trained(PopulationBasedTraining(4, 0.25), problem=DriftingStream(lifelong=False))


def test_it_is_made_again_from_its_description() -> None:
    algorithm = PopulationBasedTraining(30, 0.1, 4)
    described = json.loads(json.dumps(describe(algorithm)))
    assert PopulationBasedTraining(**described["settings"]) == algorithm
    assert algorithm.exchanged == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"population": 1},
        {"ready_every": 0},
        {"truncation": 0.0},
        {"truncation": 0.6},
        {"truncation": math.nan},
        {"population": 4, "truncation": 0.2},
    ],
)
def test_settings_outside_their_range_are_told_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(reversed(wrong))):
        PopulationBasedTraining(**wrong)


def test_a_genetic_algorithm_evolves_settings_of_whole_lives() -> None:
    """(mu + lambda) with newborn children: settings improve, and nobody inherits what was learned."""
    genome = Learner.for_problem(DriftingStream(), hidden=(4,), evolve=("step_size",), settings={"step_size": 0.02})
    seen = trained(MuPlusLambda(16), 25, genome=genome, problem=DriftingStream(lifelong=False))
    assert all(outcomes.rows is None for outcomes in seen.outcomes)
    assert not any(genome.layout.view(rows, "segments").any() for rows in seen.rows)
    assert seen.scores(24).min() < 0.5 * seen.scores(0).min()
    assert float(genome.layout.view(seen.rows[24], "step_size").median()) > 0.1


def test_a_genetic_algorithm_on_lifelong_streams_is_refused() -> None:
    """It would select newborns by their first segment alone."""
    genome = replace(GENOME, newborn=True)
    with pytest.raises(
        ValueError, match=r"algorithm: expected .* got MuPlusLambda, .* lifelong=False for whole lives, or"
    ):
        Campaign(DriftingStream(), genome, MuPlusLambda(8))
    with pytest.raises(ValueError, match="algorithm: expected"):
        Campaign(
            DriftingStream(lifelong=False), genome, MuPlusLambda(8), variants={"on": {"problem": DriftingStream()}}
        )
    Campaign(DriftingStream(lifelong=False), genome, MuPlusLambda(8))
    Campaign(DriftingStream(), GENOME, PopulationBasedTraining(8))
