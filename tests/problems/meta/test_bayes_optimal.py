"""Exact values of short bandits: known ones, and what a plain search over whole histories finds."""

from __future__ import annotations

from functools import cache

import pytest

from problems.meta.bayes_optimal import MOST_STATES, optimal_value, state_count, too_many


@pytest.mark.parametrize(
    ("pulls", "arms", "value"),
    [(10, 5, 6.659988), (10, 10, 6.713951), (10, 50, 6.713951), (1, 7, 0.5), (5000, 1, 2500.0)],
)
def test_known_values(pulls: int, arms: int, value: float) -> None:
    assert optimal_value(pulls, arms) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize(("pulls", "arms"), [(2, 2), (4, 2), (4, 3), (3, 5)])
def test_it_is_what_a_search_over_every_arm_and_order_finds(pulls: int, arms: int) -> None:
    @cache
    def best(known: tuple[tuple[int, int], ...], left: int) -> float:
        if left == 0:
            return 0.0
        values = []
        for arm, (wins, losses) in enumerate(known):
            chance = (wins + 1) / (wins + losses + 2)
            won = (*known[:arm], (wins + 1, losses), *known[arm + 1 :])
            lost = (*known[:arm], (wins, losses + 1), *known[arm + 1 :])
            values.append(chance * (1 + best(won, left - 1)) + (1 - chance) * best(lost, left - 1))
        return max(values)

    assert optimal_value(pulls, arms) == pytest.approx(best(((0, 0),) * arms, pulls), abs=1e-12)


def test_impossible_bandits_are_refused() -> None:
    with pytest.raises(ValueError, match="from 1 up, got 0 and 5"):
        optimal_value(0, 5)


@pytest.mark.parametrize(("pulls", "arms"), [(1, 3), (2, 1), (5, 2), (6, 3), (5, 9), (7, 4)])
def test_states_are_counted_as_walking_through_them_finds_them(pulls: int, arms: int) -> None:
    level, found = {((0, 0),) * arms}, 0
    for _ in range(pulls):
        found += len(level)
        level = {
            tuple(sorted((*state[:arm], after, *state[arm + 1 :])))
            for state in level
            for arm, (wins, losses) in enumerate(state)
            for after in ((wins + 1, losses), (wins, losses + 1))
        }
    assert state_count(pulls, arms) == found


@pytest.mark.parametrize(("pulls", "arms"), [(25, 23), (120, 2), (50, 3), (500, 2), (500, 50), (10_000, 10_000)])
def test_bandits_that_take_too_long_are_refused_at_once(pulls: int, arms: int) -> None:
    with pytest.raises(ValueError, match=rf"{pulls} pulls of {arms} arms .* 4,000,000 states.* Gittins index"):
        optimal_value(pulls, arms)


def test_the_largest_that_do_not_are_not_refused() -> None:
    for pulls, arms in ((23, 23), (115, 2), (45, 3)):
        assert state_count(pulls, arms) <= MOST_STATES < state_count(pulls + 10, arms)
        assert not too_many(pulls, arms)
