"""Exact values of short bandits: known ones, and what a plain search over whole histories finds."""

from __future__ import annotations

from functools import cache

import pytest

from problems.meta.bayes_optimal import optimal_value


@pytest.mark.parametrize(
    ("pulls", "arms", "value"), [(10, 5, 6.659988), (10, 10, 6.713951), (10, 50, 6.713951), (1, 7, 0.5)]
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
