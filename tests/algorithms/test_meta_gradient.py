from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from learning.lifetimes.plain_loops import plain_answers, tensors_of

from evo import lineage
from evo.algorithms.meta_gradient import MetaGradient
from evo.learning.lifetimes.comparison import Comparison
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.outcome import Outcomes
from evo.search import Search
from evo.tasks import FewShot
from genomes.initial_weights import STEP_SCALE, InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids, Sinusoids

PROBLEM = FewShotSinusoids(count=3, lifetime=GradientSteps(horizons=(2,), step_size=0.05))
GENOME = InitialWeights((1,), 1, (6, 5), activation="tanh", step_size=0.05)


def case(genome: InitialWeights = GENOME) -> tuple[torch.Tensor, FewShot]:
    rows = genome.sample(2, np.random.default_rng(0))
    return rows, PROBLEM.tasks.sample(3, np.random.default_rng(1))


def plain_slopes(
    genome: InitialWeights, rows: torch.Tensor, tasks: FewShot, steps: int, first_order: bool = False
) -> torch.Tensor:
    """Return the gradient of each row's mean query loss, by torch's autograd in a plain loop."""
    found, network = [], genome.network
    for row in rows:
        leaf = row.clone().requires_grad_()
        total = torch.zeros(())
        for task in range(len(tasks)):
            tensors = tensors_of(network, leaf)
            sizes: list[Any] = [0.05] * len(tensors)
            if genome.step_sizes:
                sizes = [0.05 * (STEP_SCALE * gene).exp() for gene in leaf[network.parameters : network.parameters + 6]]
            for _ in range(steps):
                answers = plain_answers(network, tensors, tasks.support_inputs[task])
                support = ((answers - tasks.support_targets[task]) ** 2).mean()
                slopes = torch.autograd.grad(support, tensors, create_graph=not first_order, retain_graph=True)
                tensors = [one - size * slope for one, size, slope in zip(tensors, sizes, slopes, strict=True)]
            answers = plain_answers(network, tensors, tasks.query_inputs[task])
            total = total + ((answers - tasks.query_targets[task]) ** 2).mean() / len(tasks)
        found.append(torch.autograd.grad(total, leaf)[0])
    return torch.stack(found)


@pytest.mark.parametrize("steps", ["", "tensor"])
def test_the_gradient_is_that_through_the_lifetime(steps: str) -> None:
    genome = replace(GENOME, step_sizes=steps)
    rows, tasks = case(genome)
    found = MetaGradient(PROBLEM).slopes(genome, rows, tasks, 0)
    torch.testing.assert_close(found, plain_slopes(genome, rows, tasks, 2), rtol=1e-5, atol=1e-5)
    if steps:
        end = genome.network.parameters
        assert (found[:, end : end + 6] != 0).any()


def test_first_order_takes_inner_gradients_for_constants() -> None:
    rows, tasks = case()
    first_order = MetaGradient(replace(PROBLEM, lifetime=replace(PROBLEM.lifetime, first_order=True)))  # type: ignore[type-var]
    found = first_order.slopes(GENOME, rows, tasks, 0)
    torch.testing.assert_close(found, plain_slopes(GENOME, rows, tasks, 2, first_order=True), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(found, plain_slopes(GENOME, rows, tasks, 2), rtol=1e-3, atol=1e-3)


def test_without_a_step_it_is_joint_training() -> None:
    rows, tasks = case()
    joint = MetaGradient(replace(PROBLEM, lifetime=GradientSteps(horizons=(0,))))
    found = joint.slopes(GENOME, rows, tasks, 0)
    torch.testing.assert_close(found, plain_slopes(GENOME, rows, tasks, 0), rtol=1e-5, atol=1e-5)


def test_reptile_of_one_step_goes_where_joint_training_on_the_support_does() -> None:
    rows, tasks = case()
    one_step = MetaGradient(replace(PROBLEM, lifetime=GradientSteps(horizons=(1,), step_size=0.05)), method="reptile")
    moved = one_step.learned(GENOME, rows, tasks, 0) - rows
    on_support = replace(tasks, query_inputs=tasks.support_inputs, query_targets=tasks.support_targets)
    joint = plain_slopes(GENOME, rows, on_support, 0)
    torch.testing.assert_close(moved, -0.05 * joint, rtol=1e-4, atol=1e-6)
    two_steps = MetaGradient(PROBLEM, method="reptile").learned(GENOME, rows, tasks, 0) - rows
    assert torch.cosine_similarity(two_steps, -joint).max() < 0.9999


def run(algorithm: MetaGradient, generations: int = 3, seed: int = 0) -> tuple[list[torch.Tensor], Search]:
    seen: list[torch.Tensor] = []

    def evaluate(genome: Any, rows: torch.Tensor) -> Outcomes:
        seen.append(rows)
        return PROBLEM.evaluate(genome.express(rows), search.rng("evaluation"))

    search = Search(GENOME, PROBLEM.objectives, True, generations, seed, evaluate)
    algorithm.run(search)
    return seen, search


@pytest.mark.parametrize("method", ["gradient", "reptile"])
def test_it_learns_to_learn(method: str) -> None:
    rate = 0.01 if method == "gradient" else 0.5
    problem = replace(PROBLEM, tasks=Sinusoids(), count=10)
    seen, search = run(MetaGradient(problem, method, learning_rate=rate, updates=60), generations=2)
    tasks = Sinusoids("test").sample(100, np.random.default_rng(0))
    start = search.genome.sample(1, np.random.default_rng(5))
    before, after = (
        PROBLEM.lifetime.live(GENOME.express(rows), tasks, seed=0).scores.mean() for rows in (start, seen[-1])
    )
    assert after < before - 0.3
    assert search.left["meta_gradient"]() == {"updates": 120, "task_evaluations": 1200}


def test_rows_have_identities_and_parents() -> None:
    seen, _ = run(MetaGradient(PROBLEM, population=2, updates=1))
    layout = GENOME.layout
    assert [lineage.identities(layout, rows).tolist() for rows in seen] == [[2, 3], [4, 5], [6, 7]]
    assert lineage.identities(layout, seen[2], "first_parent").tolist() == [4, 5]
    assert not torch.equal(seen[0][:, : layout.genes], seen[1][:, : layout.genes])


def test_annealed_rates_fall() -> None:
    seen, _ = run(MetaGradient(PROBLEM, "reptile", learning_rate=0.5, annealed=True, updates=1), generations=4)
    steady, _ = run(MetaGradient(PROBLEM, "reptile", learning_rate=0.5, updates=1), generations=4)
    genes = slice(0, GENOME.layout.genes)
    assert torch.equal(seen[0][:, genes], steady[0][:, genes])
    first = GENOME.sample(1, np.random.default_rng(0)) * 0
    assert first.shape == seen[0].shape
    assert (seen[3] - seen[2])[:, genes].norm() < 0.6 * (steady[3] - steady[2])[:, genes].norm()


def test_settings_outside_their_range() -> None:
    with pytest.raises(ValueError, match="method"):
        MetaGradient(PROBLEM, "maml")
    with pytest.raises(TypeError, match="lifetime"):
        MetaGradient("sinusoids")  # type: ignore[arg-type]


def test_methods_that_do_not_fit_are_told_before_anything_runs() -> None:
    with pytest.raises(TypeError, match="Comparison learns no weights; use method='gradient'"):
        MetaGradient(FewShotSinusoids(lifetime=Comparison()), "reptile")
    with pytest.raises(ValueError, match="expected a problem with inheritance='baldwinian'"):
        MetaGradient(FewShotSinusoids(inheritance="lamarckian"))


def test_a_row_whose_gradient_is_not_finite_waits() -> None:
    problem = FewShotSinusoids(count=2)
    genome = InitialWeights.for_problem(problem, hidden=(4,))
    rows = genome.sample(2, np.random.default_rng(0))
    rows[1] *= 1e30
    tasks = problem.tasks.sample(2, np.random.default_rng(0))
    slopes = MetaGradient(problem).slopes(genome, rows, tasks, 0)
    assert bool(slopes[0].any())
    assert not bool(slopes[1].any())
