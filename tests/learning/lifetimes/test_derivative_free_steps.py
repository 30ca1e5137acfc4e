from dataclasses import replace

import numpy as np
import pytest
import torch
from learning.lifetimes.plain_loops import (
    BENT,
    DENSE,
    PICTURES,
    plain_answers,
    plain_loss,
    sizes_of,
    some_individuals,
    some_tasks,
    tensors_of,
)

from evo import seeds
from evo.learning.lifetimes.evolution_steps import EvolutionSteps
from evo.learning.lifetimes.few_shot import FewShotLifetime
from evo.learning.lifetimes.gradient_steps import GradientSteps
from evo.learning.lifetimes.hill_climbing import HillClimbing
from evo.parametrised import LayeredNetwork


def losses_of(
    network: LayeredNetwork, tensors: list[torch.Tensor], x: torch.Tensor, y: torch.Tensor, kind: str
) -> float:
    return float(plain_loss(plain_answers(network, tensors, x), y, kind))


@pytest.mark.parametrize("steps", ["", "tensor"])
@pytest.mark.parametrize("network", [DENSE, BENT, PICTURES])
def test_hill_climbing_equals_a_plain_loop(network: LayeredNetwork, steps: str) -> None:
    individuals, tasks = some_individuals(network, 2, steps), some_tasks(network, 3)
    lives = HillClimbing(horizons=(2, 4), deviation=0.1, candidates=3).live(individuals, tasks, seed=5)
    shape = (3, 4, 3, network.parameters)
    noise = torch.from_numpy(seeds.rng(5, "hill climbing").standard_normal(shape).astype(np.float32))
    moved = 0
    for number in range(2):
        for task in range(3):
            support = tasks.support_inputs[task], tasks.support_targets[task], tasks.loss
            now = tensors_of(network, individuals.parameters[number])
            lowest = losses_of(network, now, *support)
            for step in range(4):
                tried = [
                    [
                        one + size * part
                        for one, size, part in zip(
                            now, sizes_of(individuals, number, 0.1), tensors_of(network, direction), strict=True
                        )
                    ]
                    for direction in noise[task, step]
                ]
                losses = [losses_of(network, each, *support) for each in tried]
                if min(losses) < lowest:
                    now, lowest, moved = tried[losses.index(min(losses))], min(losses), moved + 1
                if step in (1, 3):
                    query = losses_of(network, now, tasks.query_inputs[task], tasks.query_targets[task], tasks.loss)
                    assert float(lives.scores[number, task, step // 2]) == pytest.approx(query, rel=1e-5, abs=1e-5)
    assert 0 < moved < 24


def test_evolution_steps_equal_a_plain_loop() -> None:
    individuals, tasks = some_individuals(DENSE, 2, "weight"), some_tasks(DENSE, 2)
    lives = EvolutionSteps(horizons=(3,), deviation=0.1, pairs=4).live(individuals, tasks, seed=2)
    shape = (2, 3, 4, DENSE.parameters)
    noise = torch.from_numpy(seeds.rng(2, "evolution steps").standard_normal(shape).astype(np.float32))
    for number in range(2):
        for task in range(2):
            flat = individuals.parameters[number].clone()
            for step in range(3):
                slope = torch.zeros_like(flat)
                for direction in noise[task, step]:
                    above, below = (
                        losses_of(
                            DENSE,
                            tensors_of(DENSE, flat + sign * 0.1 * direction),
                            tasks.support_inputs[task],
                            tasks.support_targets[task],
                            tasks.loss,
                        )
                        for sign in (1, -1)
                    )
                    slope += (above - below) / (2 * 0.1) * direction / 4
                flat = flat - torch.as_tensor(individuals.step_sizes)[number] * slope
            query = losses_of(
                DENSE, tensors_of(DENSE, flat), tasks.query_inputs[task], tasks.query_targets[task], tasks.loss
            )
            assert float(lives.scores[number, task, 0]) == pytest.approx(query, rel=1e-5, abs=1e-5)


def test_evolution_steps_with_many_pairs_are_gradient_steps() -> None:
    individuals, tasks = some_individuals(BENT, 1), some_tasks(BENT, 1)
    exact = GradientSteps(step_size=0.2).live(individuals, tasks, seed=0).learned
    estimated = EvolutionSteps(step_size=0.2, deviation=0.01, pairs=20_000).live(individuals, tasks, seed=0).learned
    assert exact is not None
    assert estimated is not None
    wanted, found = (each - individuals.parameters for each in (exact, estimated))
    assert torch.cosine_similarity(wanted, found) > 0.99
    assert float(found.norm() / wanted.norm()) == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("lifetime", [HillClimbing(horizons=(3,), candidates=2), EvolutionSteps(horizons=(2,))])
def test_any_chunking_gives_the_same_bits(lifetime: FewShotLifetime) -> None:
    individuals, tasks = some_individuals(DENSE, 5), some_tasks(DENSE, 3)
    whole = lifetime.live(individuals, tasks, seed=1)
    for chunk in range(1, 5):
        assert torch.equal(replace(lifetime, chunk=chunk).live(individuals, tasks, seed=1).scores, whole.scores)
    assert not torch.equal(lifetime.live(individuals, tasks, seed=2).scores, whole.scores)


def test_settings_outside_their_range() -> None:
    with pytest.raises(ValueError, match=r"HillClimbing.*deviation"):
        HillClimbing(deviation=0.0)
    with pytest.raises(ValueError, match=r"EvolutionSteps.*pair"):
        EvolutionSteps(pairs=0)
