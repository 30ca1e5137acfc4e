"""What people's strategies earn on Bernoulli bandits, as Duan et al. 2016 (RL2, section 3.1) compare with.

All know of each arm its wins and pulls, and start from one win in two pulls that never were, as the authors do. Ties go
to the first arm. Settings with a star in their tables were chosen on the tasks they were reported on; `tuned` chooses
on others.

Strategies: greedy; epsilon-greedy; UCB1 (Auer et al. 2002) with a factor on its bonus; Thompson sampling (1933);
optimistic Thompson sampling as the authors have it, the most likely of some draws from the posterior (not that of
Chapelle & Li 2011); the Gittins index (1979) of a finite horizon, exact to 1e-3 (Kaufmann 2018), and in the closed form
of Chakravorty & Mahajan 2014.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence

import numpy as np

Strategy = Callable[[np.ndarray, np.ndarray, int, np.random.Generator], np.ndarray]
"""From wins `[tasks, arms]`, pulls `[tasks, arms]`, both with the made-up ones, pulls so far, and chance, to scores
`[tasks, arms]`, of whose largest the arm is pulled."""


LONGEST_EXACT = 100
"""Pulls up to which Gittins indices of a finite horizon are computed."""


def play(strategy: Strategy, chances: np.ndarray, pulls: int, *, seed: int) -> np.ndarray:
    """Return how often each task's trial wins, `[tasks]`; see `won`."""
    return np.asarray(won(strategy, chances, pulls, seed=seed).sum(1))


def won(strategy: Strategy, chances: np.ndarray, pulls: int, *, seed: int) -> np.ndarray:
    """Return which pulls win, 0 or 1, `[tasks, pulls]`.

    Args:
        strategy: who plays.
        chances: `[tasks, arms]` to win.
        pulls: of a trial.
        seed: of wins and of the strategy's own draws; strategies of one seed meet the same luck.
    """
    luck, own = (np.random.default_rng((seed, place)) for place in (0, 1))
    wins, counts = np.ones(chances.shape), np.full(chances.shape, 2.0)
    everyone, record = np.arange(len(chances)), np.zeros((len(chances), pulls))
    for time in range(pulls):
        arms = strategy(wins, counts, time, own).argmax(1)
        record[:, time] = luck.random(len(chances)) < chances[everyone, arms]
        wins[everyone, arms] += record[:, time]
        counts[everyone, arms] += 1
    return record


def random_play(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
    """Pull any arm."""
    return rng.random(wins.shape)


def greedy(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
    """Pull the arm that is the best as far as is known."""
    return np.asarray(wins / counts)


def epsilon_greedy(epsilon: float) -> Strategy:
    """Pull any arm with probability `epsilon`, or else the best as far as is known."""

    def strategy(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
        explore = rng.random(len(wins)) < epsilon
        return np.where(explore[:, None], rng.random(wins.shape), wins / counts)

    return strategy


def upper_bound(factor: float) -> Strategy:
    """Pull the arm that may be the best: mean + factor sqrt(2 ln t / pulls); the first arm at first (UCB1)."""

    def strategy(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
        if time == 0:
            return np.zeros(wins.shape)
        return np.asarray(wins / counts + factor * np.sqrt(2.0 * math.log(time) / counts))

    return strategy


def thompson(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
    """Pull the arm that is the best in a draw from the posterior."""
    return rng.beta(wins, counts - wins)


def optimistic_thompson(draws: int) -> Strategy:
    """Pull the arm that is the best in the most likely of some draws from the posterior, as the authors have it."""

    def strategy(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
        losses = counts - wins
        drawn = rng.beta(wins, losses, (draws, *wins.shape)).clip(1e-12, 1 - 1e-12)
        density = ((wins - 1) * np.log(drawn) + (losses - 1) * np.log1p(-drawn)).sum(2)
        return np.asarray(drawn[density.argmax(0), np.arange(len(wins))])

    return strategy


def gittins_approximation(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
    """Pull the arm with the largest index, in closed form and without discount (Chakravorty & Mahajan 2014)."""
    mean = wins / counts
    variance = mean * (1.0 - mean)
    return np.asarray(mean + variance / (counts * np.sqrt(variance / counts) + mean - 0.5))


def gittins(pulls: int) -> Strategy:
    """Pull the arm with the largest index for as many pulls as are left of a trial of `pulls`."""
    table = gittins_table(pulls)

    def strategy(wins: np.ndarray, counts: np.ndarray, time: int, rng: np.random.Generator) -> np.ndarray:
        won = (wins - 1).astype(np.int64)
        lost = (counts - wins - 1).astype(np.int64)
        return np.asarray(table[pulls - time - 1][won, lost])

    return strategy


@functools.lru_cache(maxsize=4)
def gittins_table(pulls: int, prices: int = 401) -> list[np.ndarray]:
    """Return the index of an arm by pulls left less one, wins and losses: `[wins, losses]` for each.

    The index is the price per pull at which playing on, until it no longer pays, is worth nothing (Gittins 1979). The
    value of playing on is computed for a grid of prices; where it falls to 0 is interpolated. Takes pulls^3 prices / 6
    numbers: a second for 100 pulls.
    """
    grid = np.linspace(0.0, 1.0, prices)
    after = np.zeros((pulls + 1, pulls + 1, prices), np.float32)
    table = []
    for left in range(1, pulls + 1):
        known = pulls - left + 1  # no arm has had as many pulls by then
        wins, losses = np.meshgrid(np.arange(known), np.arange(known), indexing="ij")
        chance = ((wins + 1) / (wins + losses + 2)).astype(np.float32)[..., None]
        value = chance - grid.astype(np.float32)
        value = value + chance * after[1 : known + 1, :known] + (1.0 - chance) * after[:known, 1 : known + 1]
        place = (value > 0).sum(2).clip(1, prices - 1)  # values fall with the price
        above = np.take_along_axis(value, place[..., None] - 1, 2)[..., 0]
        below = np.take_along_axis(value, place[..., None], 2)[..., 0]
        table.append(grid[place - 1] + (grid[1] - grid[0]) * above / np.maximum(above - below, 1e-12))
        after = np.maximum(value, 0.0)
    return table


def tuned(
    make: Callable[[float], Strategy], settings: Sequence[float], chances: np.ndarray, pulls: int, *, seed: int
) -> float:
    """Return which of some settings earns most on tasks `[tasks, arms]`, others than it will be judged on."""
    return max(settings, key=lambda setting: float(play(make(setting), chances, pulls, seed=seed).mean()))


def baselines(pulls: int, arms: int, chances: np.ndarray, *, seed: int) -> dict[str, np.ndarray]:
    """Return what each strategy earns on each task, `[tasks]`, by name; settings are chosen on 1,000 other tasks.

    Args:
        pulls: of a trial.
        arms: of a task.
        chances: `[tasks, arms]` to win.
        seed: of luck; the tasks to choose settings with are drawn from it too.
    """
    others = np.random.default_rng((seed, 2)).random((1000, arms))
    tenths = [number / 10 for number in range(11)]
    epsilon = tuned(epsilon_greedy, tenths, others, pulls, seed=seed + 1)
    factor = tuned(upper_bound, tenths, others, pulls, seed=seed + 1)
    draws = tuned(lambda count: optimistic_thompson(int(count)), (1, 2, 5, 10, 20), others, pulls, seed=seed + 1)
    strategies: dict[str, Strategy] = {
        "random": random_play,
        "Gittins, closed form": gittins_approximation,
        "Thompson": thompson,
        f"optimistic Thompson, {int(draws)}": optimistic_thompson(int(draws)),
        f"UCB1, {factor}": upper_bound(factor),
        f"epsilon-greedy, {epsilon}": epsilon_greedy(epsilon),
        "greedy": greedy,
    }
    if pulls <= LONGEST_EXACT:
        strategies["Gittins, finite horizon"] = gittins(pulls)
    return {name: play(strategy, chances, pulls, seed=seed) for name, strategy in strategies.items()}
