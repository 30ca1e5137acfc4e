"""The most that anyone can earn on Bernoulli bandits, exactly, by going through all that may be known.

What is known of an arm are its wins and losses; with chances drawn uniformly, it wins next with probability
(wins + 1) / (wins + losses + 2). Arms are alike, so what is known of all is a multiset over the arms touched, and
those untouched are one choice. The value of a state is that of its best arm, now and after (Bellman 1956).

For 10 pulls of 5 arms 1,951 states in which a pull is left, in a hundredth of a second; for 20 pulls of 5 arms 237,995
in three; for 40 pulls of 3 arms 1,374,485 in thirteen. States grow too fast for much more: there, use the Gittins index
(`bandit_baselines`).
"""

from __future__ import annotations

from math import comb

State = tuple[tuple[int, int], ...]
"""Wins and losses of each arm touched, in increasing order."""
MOST_STATES = 4_000_000
"""Beyond, going through them takes more than about a minute, and a gigabyte."""


def optimal_value(pulls: int, arms: int) -> float:
    """Return the expected number of wins of the best strategy there is, over arms with chances uniform on [0, 1].

    Raises:
        ValueError: pulls or arms are below 1, or there are more than `MOST_STATES`.
    """
    if pulls < 1 or arms < 1:
        raise ValueError(f"optimal_value: expected pulls and arms from 1 up, got {pulls} and {arms}")
    if arms == 1:
        return pulls / 2  # there is nothing to choose, and pulls may be too many to go through one in another
    if too_many(pulls, arms):
        raise ValueError(
            f"optimal_value: {pulls} pulls of {arms} arms have more than {MOST_STATES:,} states, which take more than "
            f"about a minute; ask for fewer, or come near the optimum with the finite-horizon Gittins index, "
            f"problems.meta.bandit_baselines"
        )
    known: dict[State, float] = {}

    def value(state: State, left: int) -> float:
        if left == 0:
            return 0.0
        if state not in known:  # how many pulls are left follows from the state
            known[state] = max(gain(state, arm, left) for arm in choices(state, arms))
        return known[state]

    def gain(state: State, arm: int, left: int) -> float:
        wins, losses = state[arm] if arm < len(state) else (0, 0)
        chance = (wins + 1) / (wins + losses + 2)
        others = state[:arm] + state[arm + 1 :]
        won = tuple(sorted((*others, (wins + 1, losses))))
        lost = tuple(sorted((*others, (wins, losses + 1))))
        return chance * (1.0 + value(won, left - 1)) + (1.0 - chance) * value(lost, left - 1)

    return value((), pulls)


def choices(state: State, arms: int) -> list[int]:
    """Return one arm of each kind: of those of which the same is known, the last; and an untouched one, if any."""
    kinds = {known: place for place, known in enumerate(state)}
    return [*kinds.values(), *([len(state)] if len(state) < arms else [])]


def too_many(pulls: int, arms: int) -> bool:
    """Return whether there are more than `MOST_STATES`, looked for among few pulls first, where counting is cheap."""
    few = 1
    while few < pulls and state_count(few, arms) <= MOST_STATES:
        few *= 2
    return state_count(min(few, pulls), arms) > MOST_STATES


def state_count(pulls: int, arms: int) -> int:
    """Return how many states there are in which a pull is left: multisets of up to `arms` arms, each pulled before.

    An arm pulled m times is in one of m + 1 states, so k of them make comb(m + k, k) multisets.
    """
    most = min(arms, pulls - 1)
    counts = [[int(touched == pulled == 0) for pulled in range(pulls)] for touched in range(most + 1)]
    for m in range(1, pulls):
        for touched in range(most, 0, -1):
            for pulled in range(pulls - 1, m - 1, -1):
                counts[touched][pulled] += sum(
                    comb(m + k, k) * counts[touched - k][pulled - k * m]
                    for k in range(1, min(touched, pulled // m) + 1)
                )
    return sum(map(sum, counts))
