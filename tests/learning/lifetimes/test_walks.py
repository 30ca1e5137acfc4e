"""Walking lifetimes beside walks step by step, and the same bits in chunks of any size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from learning.lifetimes.plain_walks import CORNERS, NEAR, plain_layers, plain_returns

from evo import seeds
from evo.learning.lifetimes.climbing_walks import ClimbingWalks
from evo.learning.lifetimes.fixed_walks import FixedWalks
from evo.learning.lifetimes.hebbian import Hebbian
from evo.learning.lifetimes.recurrent_walks import RecurrentWalks
from evo.learning.lifetimes.walks import walk
from evo.parametrised import LayeredNetwork, Parametrised
from evo.points import PointTasks
from evo.policies import RecurrentPolicies
from genomes.initial_weights import InitialWeights
from genomes.plasticity import Plasticity
from genomes.recurrent_policy import RecurrentPolicy

NETWORK = LayeredNetwork((6,), 2, (5,), activation="tanh")
both_planes = pytest.mark.parametrize("tasks", [NEAR, CORNERS], ids=["near", "corners"])


def networks(count: int = 3, step_sizes: str = "") -> Parametrised:
    genome = InitialWeights((6,), 2, (5,), activation="tanh", step_sizes=step_sizes, step_size=0.3)
    rows = genome.sample(count, np.random.default_rng(3))
    rows[:, : genome.layout.genes] *= torch.linspace(1.0, 2.0, genome.layout.genes)
    if step_sizes:
        rows[:, NETWORK.parameters : genome.layout.genes] = 0.1 * (torch.arange(genome.genes) % 4)
    return genome.express(rows)


def layers_of(flat: torch.Tensor) -> list[tuple[np.ndarray, np.ndarray]]:
    parts = [part.double().numpy() for part in NETWORK.split(flat)]
    return [(parts[0], parts[1]), (parts[2], parts[3])]


def plain(found: Parametrised) -> Any:
    return lambda number, task: lambda seen: plain_layers(layers_of(found.parameters[number]), seen)


@both_planes
def test_fixed_walks_are_walked_step_by_step(tasks: PointTasks) -> None:
    some = networks()
    lives = FixedWalks(counted=2).live(some, tasks, seed=0)
    expected = plain_returns(plain(some), 3, tasks)
    np.testing.assert_allclose(lives.measured["returns"], expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(lives.scores[..., 0], expected[..., -2:].mean(-1), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(torch.as_tensor(lives.before), expected[..., 0], rtol=1e-5, atol=1e-5)
    assert expected.std() > 0.1


def test_who_walks_straight_arrives_and_sleeps() -> None:
    def straight(observed: torch.Tensor, awake: torch.Tensor) -> torch.Tensor:
        seen.append(awake.clone())
        return (NEAR.goals - observed[..., :2] * NEAR.size) / NEAR.speed

    seen: list[torch.Tensor] = []
    returns = walk(straight, NEAR, 1)
    # (0.3, -0.2) in steps of 0.1: (0.1, -0.1), (0.2, -0.2), there; (0.05, 0.4): 0.1, 0.2, 0.3, there; (0.1, 0): there
    assert returns[0, 0].tolist() == pytest.approx([-(0.04 + 0.01) - 0.01] * 3, abs=1e-6)
    assert returns[0, 1].tolist() == pytest.approx([-(0.3**2 + 0.2**2 + 0.1**2)] * 3, abs=1e-6)
    assert returns[0, 2].tolist() == pytest.approx([0.0] * 3, abs=1e-6)
    assert [awake[0].tolist() for awake in seen[:4]] == [
        [True, True, True], [True, True, False], [True, True, False], [False, True, False],
    ]  # fmt: skip
    assert len(seen) == 3 * 4  # nobody is asked once all have arrived


@both_planes
def test_recurrent_walks_are_walked_step_by_step(tasks: PointTasks) -> None:
    genome = RecurrentPolicy(6, 2, hidden=4, initial_deviation=0.7)
    some = genome.express(genome.sample(3, np.random.default_rng(0)))
    lives = RecurrentWalks().live(some, tasks, seed=0)

    def make(number: int, task: int) -> Any:
        reset, update, observed, remembered, logits = (each[number].double().numpy() for each in some.matrices())
        memory = np.zeros(4)

        def answer(seen: np.ndarray) -> np.ndarray:
            nonlocal memory
            everything = np.concatenate(([1.0], seen, memory))
            r, z = (1 / (1 + np.exp(-matrix @ everything)) for matrix in (reset, update))
            new = np.tanh(observed @ [1.0, *seen] + r * (remembered @ [1.0, *memory]))
            memory = (1 - z) * new + z * memory
            return np.asarray(logits @ [1.0, *memory])

        return answer

    expected = plain_returns(make, 3, tasks)
    np.testing.assert_allclose(lives.measured["returns"], expected, rtol=1e-5, atol=1e-5)
    assert np.abs(expected[..., 0] - expected[..., -1]).max() > 1e-3  # the memory lives through episodes


def sizes_of(found: Parametrised, number: int) -> np.ndarray:
    """Return the deviation of each parameter, `[parameters]`, of networks that may have their own."""
    if found.step_sizes is None:
        return np.full(NETWORK.parameters, 0.4)
    own = found.step_sizes[number].double().numpy()
    widths = [one.end - one.begin for one in NETWORK.tensors]
    return own if len(own) == NETWORK.parameters else np.repeat(own, widths)


def test_who_sleeps_remembers_nothing() -> None:
    genome = RecurrentPolicy(6, 2, hidden=4)
    some = genome.express(genome.sample(2, np.random.default_rng(0)))
    first, second, third = torch.randn(3, 2, 1, 6, generator=torch.Generator().manual_seed(0))
    awake, asleep = torch.tensor([[True], [True]]), torch.tensor([[True], [False]])
    slept, plain = (RecurrentWalks().act(some, NEAR[:1], seed=0) for _ in range(2))
    slept(first, awake), plain(first, awake)
    slept(second, asleep)
    after, without = slept(third, awake), plain(third, awake)
    assert torch.equal(after[1], without[1])
    assert not torch.equal(after[0], without[0])


@pytest.mark.parametrize("step_sizes", ["", "tensor", "weight"])
@both_planes
def test_climbing_walks_are_climbed_step_by_step(tasks: PointTasks, step_sizes: str) -> None:
    tasks, some, taken = replace(tasks, episodes=7), networks(2, step_sizes), 0
    lives = ClimbingWalks(deviation=0.4).live(some, tasks, seed=9)
    draws = seeds.rng(9, "climbing walks").standard_normal((len(tasks), tasks.episodes - 2, NETWORK.parameters))
    learned = np.zeros((2, len(tasks), NETWORK.parameters))
    for number in range(2):
        for task in range(len(tasks)):
            one = replace(tasks[task : task + 1], episodes=1)
            best, highest, walked = some.parameters[number].double().numpy(), -np.inf, []
            for turn in range(tasks.episodes):
                trying = 0 < turn < tasks.episodes - 1
                tried = best + sizes_of(some, number) * draws[task, turn - 1] if trying else best
                layers = layers_of(torch.from_numpy(tried))
                walked.append(plain_returns(lambda *_, own=layers: lambda seen: plain_layers(own, seen), 1, one).item())
                if walked[-1] > highest:
                    best, highest, taken = tried, walked[-1], taken + trying
            learned[number, task] = best
            assert walked[-1] == highest
            np.testing.assert_allclose(lives.measured["returns"][number, task], walked, rtol=1e-5, atol=1e-5)
            assert lives.scores[number, task, 0].item() == pytest.approx(walked[-1], rel=1e-5)
            assert torch.as_tensor(lives.before)[number, task].item() == pytest.approx(walked[0], rel=1e-5)
    assert 0 < taken < 2 * len(tasks) * (tasks.episodes - 2)
    np.testing.assert_allclose(torch.as_tensor(lives.learned), learned.mean(1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("episodes", [1, 2])
def test_who_has_no_time_to_try_walks_as_born(episodes: int) -> None:
    tasks, some = replace(NEAR, episodes=episodes), networks(2)
    lives = ClimbingWalks(deviation=0.4).live(some, tasks, seed=9)
    assert ClimbingWalks().noise(NETWORK.parameters, tasks, 9).shape == (3, 0, NETWORK.parameters)
    np.testing.assert_allclose(
        lives.measured["returns"][..., 0], plain_returns(plain(some), 2, tasks)[..., 0], rtol=1e-5
    )
    assert lives.measured["returns"].shape == (2, 3, episodes)
    assert torch.equal(lives.measured["returns"], lives.scores.expand(-1, -1, episodes))
    torch.testing.assert_close(lives.learned, some.parameters)


def everyone(count: int) -> list[tuple[Any, Any]]:
    """Return lifetimes and individuals that live so."""
    recurrent, plastic = RecurrentPolicy(6, 2, hidden=5), Plasticity(6, 2, hidden=(7,))
    trace = replace(plastic, rule="trace", hidden=(5, 4))
    return [
        (FixedWalks(), networks(count)),
        (ClimbingWalks(), networks(count, "tensor")),
        (RecurrentWalks(), recurrent.express(recurrent.sample(count, np.random.default_rng(0)))),
        (Hebbian(), plastic.express(plastic.sample(count, np.random.default_rng(0)))),
        (Hebbian(normalized=True), plastic.express(plastic.sample(count, np.random.default_rng(1)))),
        (Hebbian(), trace.express(trace.sample(count, np.random.default_rng(0)))),
    ]


@pytest.mark.parametrize("which", range(6))
@both_planes
def test_the_same_bits_in_any_company_and_in_chunks_of_any_size(tasks: PointTasks, which: int) -> None:
    lifetime, some = everyone(9)[which]
    whole = lifetime.live(some, tasks, seed=4)
    assert whole.scores.flatten().unique().numel() > 9
    for size in (1, 2, 4, 9):
        parts = replace(lifetime, chunk=size).live(some, tasks, seed=4)
        assert torch.equal(parts.scores, whole.scores), size
        assert torch.equal(parts.measured["returns"], whole.measured["returns"]), size
    backwards = lifetime.live(some[torch.arange(8, -1, -1)], tasks, seed=4)
    assert torch.equal(backwards.scores.flip(0), whole.scores)
    one_task = [lifetime.live(some, tasks[number : number + 1], seed=4).scores for number in range(1)]
    torch.testing.assert_close(one_task[0], whole.scores[:, :1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("which", range(6))
def test_individuals_that_fly_off_spoil_no_other(which: int) -> None:
    lifetime, some = everyone(4)[which]
    alone = lifetime.live(some[1:], NEAR, seed=0)
    numbers = some.coefficients if which > 2 else some.parameters
    numbers[0] = torch.nan
    lives = lifetime.live(some, NEAR, seed=0)
    assert torch.equal(lives.scores[1:], alone.scores)
    assert lives.scores[0].isnan().all()


def test_policies_of_another_shape_and_settings_outside_their_range_are_refused() -> None:
    wrong = RecurrentPolicies(6, 1, 3, torch.zeros(1, 31))
    with pytest.raises(ValueError, match="6 numbers and answer with 2, got policies with 6 inputs and 3 outputs"):
        RecurrentWalks().live(wrong, NEAR, seed=0)
    with pytest.raises(ValueError, match="FixedWalks: counted"):
        FixedWalks(counted=0)
    with pytest.raises(ValueError, match="FixedWalks: counted: a trial of these tasks has 3 episodes, got 4"):
        FixedWalks(counted=4).live(networks(), NEAR, seed=0)
    with pytest.raises(ValueError, match="ClimbingWalks: deviation"):
        ClimbingWalks(deviation=0.0)
