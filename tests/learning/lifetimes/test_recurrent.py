"""Recurrent rollouts: torch's own cell, a plain loop, and the same bits in any company."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evo.learning.lifetimes.recurrent import Recurrent, batched
from evo.markov import Chance, MarkovTasks, chance
from evo.policies import RecurrentPolicies, parameter_count, step
from genomes.recurrent_policy import RecurrentPolicy
from problems.meta.bandits import BernoulliBandits
from problems.meta.tabular_mdps import RandomMdps

TASKS = {
    "bandits": BernoulliBandits(pulls=9, arms=3).sample(37, np.random.default_rng(1)),
    "problems": RandomMdps(episodes=3, states=4, actions=2, horizon=3).sample(37, np.random.default_rng(1)),
}
every_kind = pytest.mark.parametrize("tasks", TASKS.values(), ids=TASKS.keys())


def policies(tasks: MarkovTasks, count: int = 5, deviation: float = 0.7) -> RecurrentPolicies:
    genome = RecurrentPolicy(tasks.inputs, tasks.actions, hidden=6, initial_deviation=deviation)
    return genome.express(genome.sample(count, np.random.default_rng(2)))


def cell_of(policies: RecurrentPolicies, which: int) -> tuple[torch.nn.GRUCell, torch.nn.Linear]:
    """Return torch's cell and read-out with a policy's weights."""
    matrices = [matrix[which] for matrix in policies.matrices()]
    reset, update, observed, remembered, logits = matrices
    inputs = policies.inputs
    cell = torch.nn.GRUCell(inputs, policies.hidden)
    read_out = torch.nn.Linear(policies.hidden, policies.actions)
    with torch.no_grad():
        cell.weight_ih[:] = torch.cat((reset[:, 1 : 1 + inputs], update[:, 1 : 1 + inputs], observed[:, 1:]))
        cell.weight_hh[:] = torch.cat((reset[:, 1 + inputs :], update[:, 1 + inputs :], remembered[:, 1:]))
        cell.bias_ih[:] = torch.cat((reset[:, 0], update[:, 0], observed[:, 0]))
        cell.bias_hh[:] = torch.cat((torch.zeros(2 * policies.hidden), remembered[:, 0]))
        read_out.weight[:], read_out.bias[:] = logits[:, 1:], logits[:, 0]
    return cell, read_out


@torch.no_grad()
def test_a_step_is_that_of_torchs_cell() -> None:
    tasks = TASKS["problems"]
    some = policies(tasks)
    draws = torch.Generator().manual_seed(0)
    seen, memory = torch.randn(5, 37, some.inputs, generator=draws), torch.randn(5, 37, 6, generator=draws)
    after, logits = step(some.matrices(), seen, memory)
    for which in range(5):
        cell, read_out = cell_of(some, which)
        expected = cell(seen[which], memory[which])
        assert torch.allclose(after[which], expected, atol=1e-6)
        assert torch.allclose(logits[which], read_out(expected), atol=1e-6)


@torch.no_grad()
def plain_loop(some: RecurrentPolicies, tasks: MarkovTasks, noise: Chance, expected: bool = False) -> torch.Tensor:
    """One policy, one task, one step at a time, by torch's cell."""
    several = tasks.states > 1
    earned = torch.zeros(len(some), len(tasks), tasks.steps)
    for which in range(len(some)):
        cell, read_out = cell_of(some, which)
        for task in range(len(tasks)):
            memory, action, reward, state = torch.zeros(1, 6), None, 0.0, 0
            for number in range(tasks.steps):
                seen = [float(state == other) for other in range(tasks.states)] if several else []
                seen += [float(action == other) for other in range(tasks.actions)] + [reward]
                seen += [float(number % tasks.horizon == 0)] if several else []
                memory = cell(torch.tensor([seen]), memory)
                logits = read_out(memory)[0].numpy() + noise.policy[number, :, task]
                action = int(logits.argmax())
                mean, luck = float(tasks.rewards[task, state, action]), float(noise.reward[number, task])
                reward = float(luck < mean) if tasks.binary else mean + luck
                earned[which, task, number] = mean if expected else reward
                chances = tasks.transitions[task, state, action].double().cumsum(0).float()
                state = int((chances[:-1].numpy() <= noise.state[number, task]).sum())
                if (number + 1) % tasks.horizon == 0:
                    state = 0
    return earned


@every_kind
@pytest.mark.parametrize("greedy", [False, True])
def test_compiled_and_batched_trials_are_a_plain_loop(tasks: MarkovTasks, greedy: bool) -> None:
    some = policies(tasks)
    noise = chance(tasks, seed=7, greedy=greedy)
    expected = plain_loop(some, tasks, noise)
    for lived in (Recurrent(greedy).rewards(some, tasks, seed=7), batched(some, tasks, noise)):
        assert torch.allclose(lived, expected, atol=1e-5)
    assert expected.std() > 0.1


@every_kind
def test_expected_rewards_are_the_means_of_what_was_done_on_the_same_trials(tasks: MarkovTasks) -> None:
    some = policies(tasks)
    noise = chance(tasks, seed=7, greedy=False)
    drawn, means = plain_loop(some, tasks, noise), plain_loop(some, tasks, noise, expected=True)
    for lived in (Recurrent(expected=True).rewards(some, tasks, seed=7), batched(some, tasks, noise, True)):
        assert torch.allclose(lived, means, atol=1e-5)
    assert not torch.allclose(drawn, means, atol=1e-2)


@every_kind
def test_the_same_bits_in_any_company_and_in_chunks_of_any_size(tasks: MarkovTasks) -> None:
    some = policies(tasks, 11)
    whole = Recurrent(chunk=64).live(some, tasks, seed=4)
    for size in (1, 3, 11):
        parts = Recurrent(chunk=size).live(some, tasks, seed=4)
        assert torch.equal(parts.scores, whole.scores)
        assert all(torch.equal(parts.measured[name], whole.measured[name]) for name in whole.measured)
    assert torch.equal(Recurrent().live(some[3:4], tasks, seed=4).scores, whole.scores[3:4])


@every_kind
def test_all_policies_meet_the_same_luck(tasks: MarkovTasks) -> None:
    one = policies(tasks, 1)
    twins = RecurrentPolicies(one.inputs, one.hidden, one.actions, one.parameters.repeat(3, 1))
    scores = Recurrent().live(twins, tasks, seed=0).scores
    assert torch.equal(scores[0], scores[1])
    assert torch.equal(scores[0], scores[2])
    assert not torch.equal(scores, Recurrent().live(twins, tasks, seed=1).scores)


def test_actions_are_drawn_from_the_softmax_of_logits() -> None:
    """Three arms that pay 0, 1 and 0: the share of wins is the chance of the second."""
    rewards = torch.tensor([[[0.0, 1.0, 0.0]]]).repeat(4000, 1, 1)
    tasks = MarkovTasks(rewards, torch.ones(4000, 1, 3, 1), episodes=3, binary=True)
    some = RecurrentPolicies(4, 6, 3, torch.zeros(1, parameter_count(4, 6, 3)))
    some.matrices().logits[0, :, 0] = torch.tensor([0.0, 1.0, 0.5])
    won = Recurrent().rewards(some, tasks, seed=0).mean().item()
    assert won == pytest.approx(torch.tensor([0.0, 1.0, 0.5]).softmax(0)[1].item(), abs=0.015)


def test_the_memory_lives_through_episodes_and_not_through_trials() -> None:
    """A policy that counts steps in its memory acts otherwise in the second episode, and alike in each trial."""
    tasks = MarkovTasks(
        torch.tensor([[[0.0, 1.0], [0.0, 1.0]]]).repeat(3, 1, 1), torch.full((3, 2, 2, 2), 0.5), horizon=2, episodes=2
    )
    some = RecurrentPolicies(6, 1, 2, torch.zeros(1, parameter_count(6, 1, 2)))
    matrices = some.matrices()
    matrices.update[0, 0, 0] = 1.0  # keeps 0.73 of the memory, and moves it towards tanh(2)
    matrices.observed[0, 0, 0] = 2.0
    matrices.logits[0, 1] = torch.tensor([-0.55, 1.0])  # the other action once the memory is above 0.55
    exact = MarkovTasks(tasks.rewards, tasks.transitions, 2, 2, binary=True)
    lived = Recurrent(greedy=True).rewards(some, exact, seed=0)
    assert lived.tolist() == [[[0.0, 0.0, 1.0, 1.0]] * 3]


def test_policies_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="for policies with 4 inputs and 3 actions, got 8 and 2"):
        Recurrent().live(policies(TASKS["problems"]), TASKS["bandits"], seed=0)
    with pytest.raises(ValueError, match=r"are \[n, 38\], got \[2, 3\]"):
        RecurrentPolicies(2, 2, 2, torch.zeros(2, 3))
