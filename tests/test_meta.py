from typing import Any

import numpy as np
import pytest
import torch

from evo.evaluation.cluster import Cluster
from evo.evaluation.evaluator import Evaluator
from evo.learning.lifetimes.climbing_walks import ClimbingWalks
from evo.learning.lifetimes.comparison import Comparison
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.learning.lifetimes.learned_optimiser import LARGEST, descend
from evo.learning.lifetimes.recurrent import Recurrent
from genomes.initial_weights import InitialWeights
from genomes.recurrent_policy import RecurrentPolicy
from problems.few_shot.sinusoids import FewShotSinusoids, Sinusoids
from problems.meta.bandits import Bandits
from problems.meta.navigation import Navigation, UniformGoals
from problems.meta.quadratics import RandomQuadratics


def evaluated(problem: FewShotSinusoids) -> tuple[InitialWeights, torch.Tensor, Any]:
    genome = InitialWeights.for_problem(problem, hidden=(5,), step_sizes="tensor")
    rows = genome.sample(4, np.random.default_rng(0))
    with Evaluator(problem) as evaluator:
        return genome, rows, evaluator.evaluate(genome, rows, np.random.default_rng(7))


def test_baldwinian_genomes_stay_as_they_were() -> None:
    _, rows, outcomes = evaluated(FewShotSinusoids(count=3))
    assert torch.equal(outcomes.inherited(rows), rows)


def test_lamarckian_genomes_go_their_share_of_the_way_to_what_was_learned() -> None:
    problem = FewShotSinusoids(
        lifetime=GradientSteps(horizons=(1, 2)), count=3, inheritance="lamarckian", lamarckian_rate=0.25
    )
    genome, rows, outcomes = evaluated(problem)
    rng = np.random.default_rng(7)
    tasks = problem.tasks.sample(3, rng)
    born, end = genome.express(rows), genome.network.parameters
    mean = torch.stack(
        [problem.lifetime.live(born, tasks[number : number + 1], seed=0).learned for number in range(3)]  # type: ignore[misc]
    ).mean(0)
    inherited = outcomes.inherited(rows)
    assert float((mean - born.parameters).abs().max()) > 1e-3
    torch.testing.assert_close(inherited[:, :end], born.parameters + 0.25 * (mean - born.parameters))
    assert torch.equal(inherited[:, end:], rows[:, end:])  # genes and lineage


class Here(Cluster):
    """A cluster of two slots that are this process."""

    def slots(self) -> int:
        return 2

    def map(self, function: Any, shared: bytes, parts: Any) -> list[Any]:
        return [function(shared, part) for part in parts]

    def close(self) -> None:
        pass


def test_where_inheritance_is_partial_some_take_over_all_and_others_nothing() -> None:
    whole, partial = (
        FewShotSinusoids(count=2, inheritance="lamarckian", inheriting_share=share) for share in (1.0, 0.3)
    )
    genome = InitialWeights.for_problem(whole, hidden=(5,))
    rows = genome.sample(400, np.random.default_rng(0))
    with Evaluator(partial) as evaluator, Evaluator(partial, cluster=Here()) as elsewhere, Evaluator(whole) as first:
        learned = evaluator.evaluate(genome, rows, np.random.default_rng(7)).inherited(rows)
        apart = elsewhere.evaluate(genome, rows, np.random.default_rng(7)).inherited(rows)
        all_learned = first.evaluate(genome, rows, np.random.default_rng(7)).inherited(rows)
    heirs = (learned != rows).any(1)
    assert 80 < int(heirs.sum()) < 160  # 120 +- 4.4 standard deviations
    assert torch.equal(learned[heirs], all_learned[heirs])
    assert torch.equal(learned[~heirs], rows[~heirs])
    assert torch.equal(learned, apart)


def test_who_inherits_changes_no_score_of_anyone_alone_or_among_others() -> None:
    """Its tasks come from the generator's own stream, which drawing heirs must leave alone."""
    climbs: dict[str, Any] = {"tasks": UniformGoals(episodes=3), "lifetime": ClimbingWalks(), "count": 2}
    settings: list[dict[str, Any]] = [{}, *({"inheritance": "lamarckian", "inheriting_share": s} for s in (1.0, 0.4))]
    problems = [Navigation(**climbs, **one) for one in settings]
    genome = InitialWeights.for_problem(problems[0], hidden=(4,))
    rows = genome.sample(6, np.random.default_rng(0))
    scores = []
    for problem in problems:
        with Evaluator(problem) as evaluator:
            together, alone = (evaluator.evaluate(genome, r, np.random.default_rng(3)).scores for r in (rows, rows[:1]))
        assert torch.equal(together[:1], alone)
        scores.append(together)
    assert torch.equal(scores[0], scores[1])
    assert torch.equal(scores[0], scores[2])


def test_inheritance_changes_no_score() -> None:
    scores = [evaluated(FewShotSinusoids(count=3, inheritance=how))[2].scores for how in ("baldwinian", "lamarckian")]
    assert torch.equal(*scores)


def test_all_individuals_meet_the_same_tasks() -> None:
    problem = FewShotSinusoids(count=4)
    genome = InitialWeights.for_problem(problem, hidden=(5,))
    rows = genome.sample(1, np.random.default_rng(0)).repeat(3, 1)
    scores = problem.evaluate(genome.express(rows), np.random.default_rng(1)).scores
    assert torch.equal(scores, scores[:1].expand(3, 1))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"count": 0}, "count"),
        ({"lamarckian_rate": 1.5}, "lamarckian_rate"),
        ({"inheritance": "both"}, "inheritance"),
        ({"inheritance": "lamarckian", "inheriting_share": 0.0}, "inheriting_share"),
        ({"inheriting_share": 0.5}, "nobody inherits"),
    ],
)
def test_settings_outside_their_range(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        FewShotSinusoids(**wrong)


def test_tasks_and_lifetime_are_told_from_others() -> None:
    with pytest.raises(TypeError, match="TaskDistribution"):
        FewShotSinusoids(tasks=GradientSteps(), lifetime=Sinusoids())  # type: ignore[arg-type]


def test_tasks_that_a_lifetime_cannot_be_lived_on_are_told() -> None:
    problem = FewShotSinusoids(lifetime=Recurrent())
    genome = InitialWeights.for_problem(problem, hidden=(5,))
    with pytest.raises(TypeError, match="tasks of Sinusoids are FewShot, and Recurrent is a lifetime on MarkovTasks"):
        problem.evaluate(genome.express(genome.sample(1, np.random.default_rng(0))), np.random.default_rng(0))


def test_nothing_to_inherit_is_told_before_anything_runs() -> None:
    with pytest.raises(TypeError, match="Comparison leaves nothing that a genome could take over"):
        FewShotSinusoids(lifetime=Comparison(), inheritance="lamarckian")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_individuals_with_numbers_that_are_not_finite_fail(value: float) -> None:
    problem = Bandits(count=4)
    genome = RecurrentPolicy.for_problem(problem, hidden=4)
    rows = genome.sample(3, np.random.default_rng(0))
    rows[1, 7] = value
    with Evaluator(problem) as evaluator:
        outcomes = evaluator.evaluate(genome, rows, np.random.default_rng(0))
    assert outcomes.ok.tolist() == [True, False, True]


def test_an_optimiser_that_flies_off_is_not_sent_back_to_the_start() -> None:
    tasks = RandomQuadratics(size=3, steps=30).sample(2, np.random.default_rng(0))
    steps = [0.0, 0.0, 0.0, np.nan, *[0.0] * 26]
    losses = descend(lambda gradients, places, number: torch.full_like(places, steps[number]), tasks)
    assert bool((losses[..., :4] < 1e3).all())
    assert bool((losses[..., 4:] == LARGEST).all())


def test_rows_in_double_precision_are_expressed_as_networks() -> None:
    genome = InitialWeights.for_problem(FewShotSinusoids(), hidden=(5,))
    rows = genome.sample(2, np.random.default_rng(0))
    torch.testing.assert_close(genome.express(rows.double()).parameters, genome.express(rows).parameters)
