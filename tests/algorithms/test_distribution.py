"""Search distributions: they move the weights and nothing else, to better scores, in the same steps every time."""

from __future__ import annotations

import logging
import math
import os
import random
import warnings
from typing import Any, ClassVar

import numpy as np
import pytest
import torch

from evo.algorithms.distribution import CEM, CMAES, PGPE, SNES, XNES, worst_for_failed
from evo.algorithms.evotorch_problem import quiet
from evo.seeds import torch_seed

ALL = [
    SNES(population=20),
    XNES(population=20),
    PGPE(population=20, standard_deviation=0.5),
    CEM(population=20),
    CMAES(population=20),
]
every_searcher = pytest.mark.parametrize("searcher", ALL, ids=lambda searcher: searcher.name)


@every_searcher
def test_it_moves_to_better_scores(searcher: Any, record: Any) -> None:
    kept = record(searcher, generations=40)
    assert [len(rows) for rows in kept.rows] == [20] * 40
    assert kept.fitness(39).mean() > kept.fitness(0).mean() / 4
    assert kept.fitness(39).max() > -1.5


@every_searcher
def test_it_can_maximise(searcher: Any, record: Any) -> None:
    kept = record(searcher, lambda values: -(values - 1).double().square().sum(1, keepdim=True), (True,), 30)
    assert kept.fitness(29).mean() > kept.fitness(0).mean()


@every_searcher
def test_it_moves_the_weights_alone_from_where_the_first_row_has_them(searcher: Any, record: Any, bounded: Any) -> None:
    kept = record(searcher, generations=3)
    layout = kept.layouts[0]
    center = bounded().sample(1, kept.search.__class__.rng(_fresh(kept.search), "sample"))
    for rows in kept.rows:
        assert (layout.tag(rows) == 7).all()
    assert (layout.values(kept.rows[0]).mean(0) - layout.values(center)[0]).abs().max() < 1.5


def _fresh(search: Any) -> Any:
    return type(search)(search.genome, search.objectives, False, 1, search.seed, search.evaluator)


@every_searcher
def test_every_sample_has_an_identity_of_its_own(searcher: Any, record: Any) -> None:
    kept = record(searcher, generations=4)
    uids = [uid for generation in range(4) for uid in kept.uids(generation)]
    assert len(set(uids)) == 80
    assert min(uids) > 0, "0 is the row whose weights are the first centre"


@every_searcher
def test_the_same_seed_makes_the_same_rows_in_one_process(searcher: Any, record: Any) -> None:
    first, second = record(searcher, generations=5), record(searcher, generations=5)
    assert all(torch.equal(a, b) for a, b in zip(first.rows, second.rows, strict=True))
    assert not torch.equal(first.rows[0], record(searcher, generations=1, seed=2).rows[0])


@every_searcher
def test_global_generators_are_neither_drawn_from_nor_listened_to(searcher: Any, record: Any) -> None:
    def state() -> tuple[Any, ...]:
        return random.getstate(), repr(np.random.get_state()), torch.get_rng_state().tolist()

    before = state()
    first = record(searcher, generations=5)
    assert state() == before
    random.seed(5), np.random.seed(5), torch.manual_seed(5)
    second = record(searcher, generations=5)
    assert all(torch.equal(a, b) for a, b in zip(first.rows, second.rows, strict=True))


@every_searcher
def test_failed_evaluations_are_not_sought(searcher: Any, record: Any) -> None:
    """Beyond 4 it fails; more is better up to there."""

    def score(values: torch.Tensor) -> torch.Tensor:
        scores = values[:, :1].double().clone()
        scores[scores > 4] = math.nan
        return scores

    kept = record(searcher, score, (True,), generations=40)
    assert kept.outcomes[39].ok.sum() >= 5


@every_searcher
def test_all_may_fail(searcher: Any, record: Any) -> None:
    kept = record(searcher, lambda values: torch.full((len(values), 1), math.nan), generations=4)
    assert len(kept.rows) == 4
    assert all(rows.isfinite().all() for rows in kept.rows)


def test_failed_scores_become_the_worst_that_did_not_fail() -> None:
    assert worst_for_failed(torch.tensor([3.0, math.nan, -2.0])).tolist() == [3.0, -2.0, -2.0]
    assert worst_for_failed(torch.tensor([math.nan, math.nan])).tolist() == [0.0, 0.0]


def test_only_the_first_objective_counts(record: Any) -> None:
    def first_and(other: float) -> Any:
        return lambda values: torch.stack((values.double().square().sum(1), values[:, 0].double() * other), dim=1)

    one, two = (record(SNES(), first_and(other), (False, True), generations=5) for other in (1.0, -9.0))
    assert all(torch.equal(a, b) for a, b in zip(one.rows, two.rows, strict=True))


@every_searcher
def test_a_single_weight(searcher: Any, record: Any, bounded: Any) -> None:
    if isinstance(searcher, CMAES):
        with pytest.raises(ValueError, match="use SNES"):
            record(searcher, generations=2, genome=bounded(1))
        return
    kept = record(searcher, generations=25, genome=bounded(1))
    assert kept.fitness(24).max() > -0.3


def test_a_genome_without_weights_is_refused(record: Any, growing: Any) -> None:
    with pytest.raises(TypeError, match=r"Growing names no field in `weights`.*MuPlusLambda"):
        record(SNES(), genome=growing())


@every_searcher
def test_nothing_is_printed_and_nothing_stays_changed(searcher: Any, record: Any, capfd: Any) -> None:
    logger = logging.getLogger("evotorch")
    level, filters, variable = logger.level, list(warnings.filters), os.environ.get("EVOTORCH_VERBOSE_LEVEL")
    record(searcher, generations=2)
    assert capfd.readouterr() == ("", "")
    assert (logger.level, warnings.filters) == (level, filters)
    assert os.environ.get("EVOTORCH_VERBOSE_LEVEL") == variable


def test_an_evaluations_own_warnings_are_heard(record: Any) -> None:
    def warn(values: torch.Tensor) -> torch.Tensor:
        warnings.warn("To copy construct from a tensor, said the fitness", UserWarning, stacklevel=1)
        return values[:, :1].double()

    with pytest.warns(UserWarning, match="said the fitness"):
        record(SNES(), warn, generations=1)


def test_quiet_lets_other_warnings_through() -> None:
    with pytest.warns(UserWarning, match="something else"), quiet():
        warnings.warn("something else", UserWarning, stacklevel=1)


@pytest.mark.parametrize(
    ("kind", "settings", "word"),
    [
        (SNES, {"population": 1}, "population"),
        (XNES, {"standard_deviation": 0.0}, "standard_deviation"),
        (PGPE, {"population": 7}, "even"),
        (CEM, {"parenthood_ratio": 1.0}, "parenthood_ratio"),
        (CEM, {"population": 10, "parenthood_ratio": 0.1}, "two parents"),
        (CMAES, {"standard_deviation": -1.0}, "standard_deviation"),
    ],
)
def test_settings_outside_their_range_are_refused(kind: Any, settings: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        kind(**settings)


class TestSettingsReachEvoTorch:
    CASES: ClassVar = [
        (SNES(center_learning_rate=0.5), SNES()),
        (SNES(standard_deviation_learning_rate=0.9), SNES()),
        (SNES(optimizer="adam"), SNES()),
        (XNES(center_learning_rate=0.5), XNES()),
        (XNES(standard_deviation_learning_rate=0.9), XNES()),
        (PGPE(population=10, center_learning_rate=0.5), PGPE(population=10)),
        (PGPE(population=10, standard_deviation_learning_rate=0.01), PGPE(population=10)),
        (PGPE(population=10, standard_deviation_max_change=0.001), PGPE(population=10)),
        (PGPE(population=10, optimizer=""), PGPE(population=10)),
        (PGPE(population=10, ranking_method="raw"), PGPE(population=10)),
        (CEM(population=10, standard_deviation_min=2.0), CEM(population=10)),
        (CEM(population=10, standard_deviation_max_change=0.01), CEM(population=10)),
        (CEM(population=10, parenthood_ratio=0.2), CEM(population=10)),
        (CMAES(center_learning_rate=0.5), CMAES()),
        (CMAES(active=False), CMAES()),
        (CMAES(separable=True), CMAES()),
    ]

    @pytest.mark.parametrize(("changed", "plain"), CASES)
    def test_each_changes_the_steps(self, changed: Any, plain: Any, record: Any) -> None:
        first, second = record(changed, generations=12), record(plain, generations=12)
        assert torch.equal(first.rows[0], second.rows[0])
        assert not torch.equal(first.rows[-1], second.rows[-1])


def test_the_seed_is_the_searchs() -> None:
    assert torch_seed(1, "searcher snes") != torch_seed(2, "searcher snes")
