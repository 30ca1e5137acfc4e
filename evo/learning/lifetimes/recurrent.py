"""A lifetime without any change of weights: a recurrent policy lives through a trial, and its memory is what it learns.

The memory is kept from episode to episode, and begins anew with each trial. The score is all that a trial earned.

Source: Duan et al. 2016 (RL2: Fast reinforcement learning via slow reinforcement learning, arXiv:1611.02779), section
2.2; Wang et al. 2016 (Learning to reinforcement learn, arXiv:1611.05763).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch

from evo.learning.lifetimes.base import Lifetime, Lives
from evo.markov import Chance, MarkovTasks, chance
from evo.policies import RecurrentPolicies, step
from evo.tasks import Tasks


@final
@dataclass(frozen=True)
class Recurrent(Lifetime):
    """A trial on each task, with a memory that lives through it.

    Attributes:
        greedy: whether the action with the largest logit is taken, or else one drawn from their softmax.
        expected: whether steps count with the mean reward of what was done. The score has the same mean as that of
            the rewards drawn, which the policy sees in any case, and less noise.
    """

    lives_on: ClassVar[type[Tasks]] = MarkovTasks

    greedy: bool = False
    expected: bool = False

    def live_together(self, phenotypes: RecurrentPolicies, tasks: MarkovTasks, *, seed: int) -> Lives:
        """Return the total reward of each trial, and, as measured, that of its first and last fifth per step."""
        rewards = self.rewards(phenotypes, tasks, seed=seed)
        fifth = max(1, tasks.steps // 5)
        parts = {"first_fifth": rewards[..., :fifth].mean(2), "last_fifth": rewards[..., -fifth:].mean(2)}
        return Lives(rewards.to(torch.float64).sum(2, keepdim=True), measured=parts)

    def rewards(self, policies: RecurrentPolicies, tasks: MarkovTasks, *, seed: int) -> torch.Tensor:
        """Return what each step of each trial earns, `[n, tasks, steps]`; compiled on the CPU.

        Raises:
            ValueError: the policies do not fit the tasks.
        """
        if (policies.inputs, policies.actions) != (tasks.inputs, tasks.actions):
            raise ValueError(
                f"phenotypes: tasks of {tasks.states} states and {tasks.actions} actions are for policies with "
                f"{tasks.inputs} inputs and {tasks.actions} actions, got {policies.inputs} and {policies.actions}; "
                f"make the genome with its for_problem"
            )
        noise = chance(tasks, seed=seed, greedy=self.greedy)
        if policies.device.type == "cpu":
            from evo.evaluation.compiled_trials import earned

            return earned(policies, tasks, noise, self.expected)
        return batched(policies, tasks, noise, self.expected)


def batched(policies: RecurrentPolicies, tasks: MarkovTasks, noise: Chance, expected: bool = False) -> torch.Tensor:
    """Return what each step of each trial earns, `[n, tasks, steps]`, by batched products, on any device.

    Equal to what is compiled but for rounding, which may tip a choice between actions now and then.
    """
    count, device, several = len(tasks), policies.device, tasks.states > 1
    draws = {name: torch.from_numpy(getattr(noise, name)).to(device) for name in ("policy", "reward", "state")}
    cumulative = tasks.transitions.double().cumsum(-1).float()[..., :-1]
    matrices, here = policies.matrices(), torch.arange(count, device=device)
    state = torch.zeros(len(policies), count, dtype=torch.int64, device=device)
    memory = policies.parameters.new_zeros(len(policies), count, policies.hidden)
    acted, reward = memory.new_zeros(*state.shape, tasks.actions), memory.new_zeros(state.shape)
    earned = []
    for number in range(tasks.steps):
        start = torch.full_like(reward, float(number % tasks.horizon == 0))[..., None]
        seen = [torch.nn.functional.one_hot(state, tasks.states).to(memory)] if several else []
        observed = torch.cat((*seen, acted, reward[..., None], *([start] if several else [])), 2)
        memory, logits = step(matrices, observed, memory)
        action = (logits + draws["policy"][number].T).argmax(2)
        mean, drawn = tasks.rewards[here, state, action], draws["reward"][number]
        reward = (drawn < mean).to(mean) if tasks.binary else mean + drawn
        following = (draws["state"][number][:, None] >= cumulative[here, state, action]).sum(2)
        state = following if (number + 1) % tasks.horizon else torch.zeros_like(state)
        acted = torch.nn.functional.one_hot(action, tasks.actions).to(memory)
        earned.append(mean if expected else reward)
    return torch.stack(earned, 2)
