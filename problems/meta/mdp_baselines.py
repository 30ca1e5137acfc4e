"""What agents that plan earn on random Markov decision problems, as Duan et al. 2016 (RL2, section 3.2) compare with.

All keep a posterior of mean rewards (normal, with a prior mean and as much weight as one observation) and transitions
(Dirichlet, one made-up visit of each state), plan once per episode by going back from its end, and then act greedily on
the plan (Osband, Russo & Van Roy 2013, published code TabulaRL). They differ in what they plan with:

* greedy: the posterior's means; epsilon-greedy: those, and now and then any action;
* bonus: the means, and factor / (1 + visits) on top of a reward (BEB, Kolter & Ng 2009);
* PSRL: a draw from the posterior (Strens 2000; Osband et al. 2013); OPSRL: the best of several draws, value by value;
* optimistic: rewards and transitions as good as they may be, within bounds that shrink as visits grow (UCRL2, Jaksch,
  Ortner & Auer 2010, figures 1 and 2), scaled.

A prior mean of 1 is that of the problems; the published tables were made with 0, the library's default, which makes
greedy agents shun what they have not tried. Both are worth reporting.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from evo.markov import MarkovTasks


@final
@dataclass(frozen=True)
class Belief:
    """What is known of some problems.

    Attributes:
        reward: `[tasks, states, actions]` posterior means of mean rewards.
        weight: `[tasks, states, actions]` observations of reward behind them, the prior counted as one.
        visits: `[tasks, states, actions, states]` of next states, one made-up visit of each included.
    """

    reward: np.ndarray
    weight: np.ndarray
    visits: np.ndarray

    @property
    def transitions(self) -> np.ndarray:
        """Posterior means of the chances of next states."""
        return np.asarray(self.visits / self.visits.sum(-1, keepdims=True))


Agent = Callable[[Belief, int, np.random.Generator], np.ndarray]
"""From a belief, the horizon and chance, to values `[tasks, horizon, states, actions]`, of whose largest the action is
taken."""


def action_values(rewards: np.ndarray, transitions: np.ndarray, horizon: int) -> np.ndarray:
    """Return what each action is worth until the end, `[tasks, horizon, states, actions]`, going back from there."""
    tasks, states, actions = rewards.shape
    values = np.empty((tasks, horizon, states, actions))
    ahead = np.zeros((tasks, states))
    flat = transitions.reshape(tasks, states * actions, states)
    for step in reversed(range(horizon)):
        values[:, step] = rewards + (flat @ ahead[..., None]).reshape(rewards.shape)
        ahead = values[:, step].max(2)
    return values


def optimum(tasks: MarkovTasks) -> np.ndarray:
    """Return what a trial on each problem earns in the mean if the problem is known, `[tasks]`."""
    values = action_values(tasks.rewards.double().numpy(), tasks.transitions.double().numpy(), tasks.horizon)
    return np.asarray(tasks.episodes * values[:, 0, 0].max(1))


def play(agent: Agent, tasks: MarkovTasks, *, seed: int, prior_mean: float = 1.0, epsilon: float = 0.0) -> np.ndarray:
    """Return the total reward of a trial on each problem, `[tasks]`; see `earned`."""
    return np.asarray(earned(agent, tasks, seed=seed, prior_mean=prior_mean, epsilon=epsilon).sum(1))


def earned(agent: Agent, tasks: MarkovTasks, *, seed: int, prior_mean: float = 1.0, epsilon: float = 0.0) -> np.ndarray:
    """Return the reward of each episode of a trial on each problem, `[tasks, episodes]`.

    Args:
        agent: who plans.
        tasks: the problems.
        seed: of noise and of the agent's own draws.
        prior_mean: of mean rewards.
        epsilon: how often any action is taken.
    """
    luck, own = (np.random.default_rng((seed, place)) for place in (0, 1))
    means, count = tasks.rewards.double().numpy(), len(tasks)
    cumulative = tasks.transitions.double().numpy().cumsum(-1)[..., :-1]
    total, sums, weight = np.zeros((count, tasks.episodes)), np.full(means.shape, prior_mean), np.ones(means.shape)
    visits, everyone = np.ones((*means.shape, tasks.states)), np.arange(count)
    for episode in range(tasks.episodes):
        values = agent(Belief(sums / weight, weight, visits), tasks.horizon, own)
        state = np.zeros(count, np.int64)
        for step in range(tasks.horizon):
            action = values[everyone, step, state].argmax(1)
            if epsilon:
                other = own.integers(tasks.actions, size=count)
                action = np.where(own.random(count) < epsilon, other, action)
            reward = means[everyone, state, action] + luck.standard_normal(count)
            after = (luck.random(count)[:, None] >= cumulative[everyone, state, action]).sum(1)
            sums[everyone, state, action] += reward
            weight[everyone, state, action] += 1
            visits[everyone, state, action, after] += 1
            total[:, episode] += reward
            state = after
    return total


def random_agent(belief: Belief, horizon: int, rng: np.random.Generator) -> np.ndarray:
    """Plan nothing: one random action for each step and state of an episode."""
    tasks, states, actions = belief.reward.shape
    return rng.random((tasks, horizon, states, actions))


def greedy(belief: Belief, horizon: int, rng: np.random.Generator) -> np.ndarray:
    """Plan with the posterior's means."""
    return action_values(belief.reward, belief.transitions, horizon)


def bonus(factor: float) -> Agent:
    """Plan with means and a bonus on the reward of what was seldom tried (BEB, Kolter & Ng 2009, equation 4)."""

    def agent(belief: Belief, horizon: int, rng: np.random.Generator) -> np.ndarray:
        return action_values(belief.reward + factor / belief.weight, belief.transitions, horizon)

    return agent


def posterior_sampling(draws: int = 1) -> Agent:
    """Plan with a draw from the posterior (PSRL), or with the largest value of several draws (OPSRL)."""

    def agent(belief: Belief, horizon: int, rng: np.random.Generator) -> np.ndarray:
        return np.asarray(np.max([_drawn(belief, horizon, rng) for _ in range(draws)], axis=0))

    return agent


def _drawn(belief: Belief, horizon: int, rng: np.random.Generator) -> np.ndarray:
    rewards = belief.reward + rng.standard_normal(belief.reward.shape) / np.sqrt(belief.weight)
    transitions = rng.standard_gamma(belief.visits)
    return action_values(rewards, transitions / transitions.sum(-1, keepdims=True), horizon)


def optimistic(scale: float) -> Agent:
    """Plan with the best problem within the bounds of what was seen (UCRL2, Jaksch et al. 2010, figures 1 and 2)."""

    def agent(belief: Belief, horizon: int, rng: np.random.Generator) -> np.ndarray:
        tasks, states, actions = belief.reward.shape
        visited = np.maximum(belief.weight - 1.0, 1.0)
        elapsed = 1.0 + (belief.weight - 1.0).sum((1, 2))[:, None, None]
        reward_bound = np.sqrt(scale * 7 * np.log(2 * states * actions * elapsed) / (2 * visited))
        share = np.minimum(2.0, np.sqrt(scale * 14 * states * np.log(2 * actions * elapsed) / visited))
        values, ahead = np.empty((tasks, horizon, states, actions)), np.zeros((tasks, states))
        for step in reversed(range(horizon)):
            chances = _best_transitions(belief.transitions, share, ahead)
            values[:, step] = belief.reward + reward_bound + (chances * ahead[:, None, None]).sum(-1)
            ahead = values[:, step].max(2)
        return values

    return agent


def _best_transitions(means: np.ndarray, share: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Return the transitions within a distance `share` of the means that lead to the best states (figure 2)."""
    order = np.argsort(-ahead, axis=1)[:, None, None]
    chances = np.take_along_axis(means, np.broadcast_to(order, means.shape), 3)
    chances[..., 0] = np.minimum(1.0, chances[..., 0] + share / 2)
    before = chances.cumsum(-1) - chances  # what better states take; the worst lose what is too much
    kept = np.clip(np.minimum(chances, 1.0 - before), 0.0, None)
    restored = np.empty_like(kept)
    np.put_along_axis(restored, np.broadcast_to(order, means.shape), kept, 3)
    return np.asarray(restored)


FACTORS = (0.0, 0.1, 0.3, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
SCALES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1.0)
EPSILONS = (0.0, 0.05, 0.1, 0.2, 0.3)
DRAWS = (1, 2, 5, 10, 20)


def baselines(tasks: MarkovTasks, others: MarkovTasks, *, seed: int, prior_mean: float = 1.0) -> dict[str, np.ndarray]:
    """Return what each agent earns on each problem, `[tasks]`, by name; settings are chosen on `others`."""

    def best(make: Callable[[float], Agent], settings: Sequence[float]) -> float:
        def earned(setting: float) -> float:
            return float(play(make(setting), others, seed=seed + 1, prior_mean=prior_mean).mean())

        return max(settings, key=earned)

    def with_epsilon(epsilon: float) -> float:
        return float(play(greedy, others, seed=seed + 1, prior_mean=prior_mean, epsilon=epsilon).mean())

    draws = int(best(lambda count: posterior_sampling(int(count)), DRAWS))
    factor, scale, epsilon = best(bonus, FACTORS), best(optimistic, SCALES), max(EPSILONS, key=with_epsilon)
    agents: dict[str, tuple[Agent, float]] = {
        "random": (random_agent, 0.0),
        "PSRL": (posterior_sampling(), 0.0),
        f"OPSRL, {draws}": (posterior_sampling(draws), 0.0),
        f"optimistic, {scale}": (optimistic(scale), 0.0),
        f"bonus, {factor}": (bonus(factor), 0.0),
        f"epsilon-greedy, {epsilon}": (greedy, epsilon),
        "greedy": (greedy, 0.0),
    }
    return {
        name: play(agent, tasks, seed=seed, prior_mean=prior_mean, epsilon=epsilon)
        for name, (agent, epsilon) in agents.items()
    }
