import numpy as np
import pytest
import torch
from learning.lifetimes.plain_loops import (
    BENT,
    DENSE,
    PICTURES,
    PLAIN_PICTURES,
    plain_gradient_steps,
    some_individuals,
    some_tasks,
)

from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.parametrised import LayeredNetwork
from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids

NETWORKS = {"dense": DENSE, "tanh": BENT, "pictures": PICTURES, "plain pictures": PLAIN_PICTURES}


@pytest.mark.parametrize("steps", ["", "tensor", "weight"])
@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_equals_a_plain_loop(network: LayeredNetwork, steps: str) -> None:
    individuals, tasks = some_individuals(network, 3, steps), some_tasks(network, 2)
    lives = GradientSteps(horizons=(1, 3), step_size=0.1).live(individuals, tasks, seed=0)
    losses, hits, learned = plain_gradient_steps(individuals, tasks, 3, 0.1)
    assert lives.before is not None
    assert lives.learned is not None
    torch.testing.assert_close(lives.before, losses[..., 0].detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(lives.scores, losses[..., [1, 3]].detach(), rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(lives.learned, learned.mean(1).detach(), rtol=1e-5, atol=1e-5)
    assert not torch.allclose(lives.scores[..., 0], lives.before)
    if tasks.classes:
        torch.testing.assert_close(lives.measured["accuracy"], hits[..., [1, 3]])


def test_minibatches_are_taken_in_turn() -> None:
    individuals, tasks = some_individuals(DENSE, 2), some_tasks(DENSE, 2, shots=7)
    lives = GradientSteps(horizons=(4,), step_size=0.1, batch=3).live(individuals, tasks, seed=0)
    losses, _, _ = plain_gradient_steps(individuals, tasks, 4, 0.1, batch=3)
    torch.testing.assert_close(lives.scores[..., 0], losses[..., 4].detach(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS.keys())
def test_any_chunking_gives_the_same_bits(network: LayeredNetwork) -> None:
    individuals, tasks = some_individuals(network, 7, "tensor"), some_tasks(network, 3)
    whole = GradientSteps(horizons=(1, 2)).live(individuals, tasks, seed=0)
    for chunk in range(1, 7):
        parts = GradientSteps(chunk=chunk, horizons=(1, 2)).live(individuals, tasks, seed=0)
        assert torch.equal(parts.scores, whole.scores), chunk
        assert whole.before is not None
        assert whole.learned is not None
        assert torch.equal(torch.as_tensor(parts.before), whole.before), chunk
        assert torch.equal(torch.as_tensor(parts.learned), whole.learned), chunk
    backwards = GradientSteps(horizons=(1, 2)).live(individuals[torch.arange(6, -1, -1)], tasks, seed=0)
    assert torch.equal(backwards.scores.flip(0), whole.scores)


def test_individuals_stay_as_they_are_and_one_that_diverges_spoils_no_other() -> None:
    individuals, tasks = some_individuals(DENSE, 3), some_tasks(DENSE, 2)
    born = individuals.parameters.clone()
    alone = GradientSteps().live(individuals[1:], tasks, seed=0)
    individuals.parameters[0] *= 1e30
    lives = GradientSteps().live(individuals, tasks, seed=0)
    assert not lives.scores[0].isfinite().any()
    assert torch.equal(lives.scores[1:], alone.scores)
    assert torch.equal(individuals.parameters[1:], born[1:])
    assert not individuals.parameters.requires_grad


@pytest.mark.parametrize(
    "wrong", [{"horizons": ()}, {"horizons": (2, 1)}, {"step_size": 0.0}, {"batch": -1}, {"chunk": 0}]
)
def test_settings_outside_their_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=f"GradientSteps.*{next(iter(wrong))}"):
        GradientSteps(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("tasks", [1, 3, 25])
@pytest.mark.parametrize("horizons", [(1,), (1, 5)])
def test_the_last_of_65_has_the_same_bits_as_alone_and_in_company(tasks: int, horizons: tuple[int, ...]) -> None:
    problem = FewShotSinusoids()
    genome = InitialWeights.for_problem(problem)
    individuals = genome.express(genome.sample(65, np.random.default_rng(0)))
    met = problem.tasks.sample(tasks, np.random.default_rng(1))
    whole = GradientSteps(horizons=horizons, chunk=65).live(individuals, met, seed=0)
    for chunk in (1, 64):
        parts = GradientSteps(horizons=horizons, chunk=chunk).live(individuals, met, seed=0)
        for name in ("scores", "before", "learned"):
            assert torch.equal(getattr(parts, name), getattr(whole, name)), (chunk, name)
