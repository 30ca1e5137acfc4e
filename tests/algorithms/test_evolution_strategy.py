"""The evolution strategy: mirrored noise, ranks, and torch's Adam on the estimate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from evo import Campaign
from evo.algorithms.evolution_strategy import EvolutionStrategy, centred_ranks, estimate
from evo.center import center
from evo.function_problem import fitness
from genomes.python_object import PythonObject
from genomes.vector import Vector


def test_ranks_go_from_minus_a_half_to_a_half_and_equal_scores_share_theirs() -> None:
    assert centred_ranks(torch.tensor([3.0, -1.0, 10.0])).tolist() == [0.0, -0.5, 0.5]
    assert centred_ranks(torch.tensor([1.0, 1.0, 5.0])).tolist() == [-0.25, -0.25, 0.5]
    assert centred_ranks(torch.full((4,), 2.0)).tolist() == [0.0] * 4


def test_the_estimate_points_up() -> None:
    noise = torch.from_numpy(np.random.default_rng(0).standard_normal((4000, 3)))
    up = torch.tensor([1.0, -2.0, 0.0], dtype=torch.float64)
    found = estimate(torch.cat((noise @ up, -noise @ up)), noise)
    assert torch.nn.functional.cosine_similarity(found, up, 0) > 0.99


def test_a_generation_is_the_centre_and_pairs_mirrored_at_it(record: Any) -> None:
    kept = record(EvolutionStrategy(population=6, standard_deviation=0.2), generations=3)
    for rows in kept.rows:
        values = kept.layouts[0].values(rows)
        assert len(rows) == 7
        assert torch.allclose(values[1:4] + values[4:], 2 * values[:1], atol=1e-6)
        assert (kept.layouts[0].tag(rows) == 7).all()
    assert len({uid for generation in range(3) for uid in kept.uids(generation)}) == 21


def test_the_centre_goes_where_torchs_adam_goes(record: Any) -> None:
    strategy = EvolutionStrategy(8, 0.3, 0.1, decay=0.5, lowest_rate=0.02, weight_decay=0.01)
    kept = record(strategy, generations=6)
    center = torch.nn.Parameter(kept.layouts[0].values(kept.rows[0])[0].double())
    adam = torch.optim.Adam([center], lr=0.1)
    for generation in range(5):
        values = kept.layouts[0].values(kept.rows[generation]).double()
        noise = (values[1:5] - values[:1]) / 0.3
        order = kept.fitness(generation)[1:, 0].argsort().argsort().double() / 7 - 0.5
        center.grad = -((order[:4] - order[4:]) @ noise / 8 - 0.01 * center.data)
        adam.param_groups[0]["lr"] = max(0.1 * 0.5**generation, 0.02)
        adam.step()
        after = kept.layouts[0].values(kept.rows[generation + 1])[0].double()
        assert torch.allclose(after, center.data, atol=1e-5)


@pytest.mark.parametrize("maximize", [False, True])
def test_it_moves_to_better_scores(record: Any, maximize: bool) -> None:
    sign = -1.0 if maximize else 1.0
    strategy = EvolutionStrategy(20, 0.1, 0.1)
    kept = record(strategy, lambda values: sign * values.double().square().sum(1, keepdim=True), (maximize,), 80)
    scores = [kept.fitness(generation)[0, 0] for generation in (0, 79)]
    assert scores[0] < -1
    assert scores[1] > -0.1


def test_failed_evaluations_are_not_sought_and_all_may_fail(record: Any) -> None:
    def score(values: torch.Tensor) -> torch.Tensor:
        scores = values[:, :1].double().clone()
        scores[scores > 3] = torch.nan
        return scores

    kept = record(EvolutionStrategy(20, 0.3, 0.1), score, (True,), generations=80)
    assert kept.fitness(0)[0, 0] < 2
    assert kept.fitness(79).nan_to_num(-9.0).max() > 2.5
    assert kept.outcomes[79].ok.sum() >= 5
    still = record(EvolutionStrategy(4), lambda values: torch.full((len(values), 1), torch.nan), generations=3)
    assert torch.equal(still.rows[0][0, :6], still.rows[2][0, :6])


def test_the_centre_is_left_as_genes(record: Any, bounded: Any) -> None:
    kept = record(EvolutionStrategy(4), generations=3)
    left = kept.search.left["center"]()
    assert left["generation"] == 3
    assert bounded().restore(left["genes"]).shape == (1, 12)
    assert not np.allclose(left["genes"]["values"], kept.layouts[0].values(kept.rows[0])[0])


def test_the_centre_of_a_run_that_is_over_is_read_again(tmp_path: Path) -> None:
    @fitness(maximize="score")
    def near(x: np.ndarray) -> float:
        return -float(np.square(x - 1.0).sum())

    campaign = Campaign(near, Vector(2, low=-1.0, high=1.0), EvolutionStrategy(4), generations=3, seeds=(0, 1))
    campaign.run(out=tmp_path / "run", quiet=True)
    first, second = campaign.runs()
    file = first.folder(tmp_path / "run") / "center.json"
    row = center(first, tmp_path / "run")
    assert row is not None
    assert first.genome.describe(row[0]) == json.loads(file.read_text())["genes"]
    file.write_text(file.read_text().replace('"over": true', '"over": false'))
    assert center(first, tmp_path / "run") is None
    assert center(second, tmp_path / "elsewhere") is None
    file.write_text(file.read_text().replace("evo.center/1", "evo.center/2"))
    with pytest.raises(ValueError, match=r"center.json: not of the format evo.center/1"):
        center(first, tmp_path / "run")


def test_a_run_is_over_once_its_target_is_reached_and_not_before(record: Any) -> None:
    kept = record(EvolutionStrategy(4), generations=3)
    left = kept.search.left["center"]
    assert left()["over"]
    kept.search.generation = 2
    assert not left()["over"]
    kept.search.generations = 2  # as `Search.evaluate` does when the target is reached
    assert left()["over"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [({"population": 5}, "even"), ({"standard_deviation": 0.0}, "standard_deviation"), ({"decay": 0.0}, "decay")],
)
def test_impossible_settings_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        EvolutionStrategy(**settings)


def test_a_genome_without_weights_is_refused(record: Any) -> None:
    words = PythonObject(lambda rng: "a", lambda word, rng: word + "b")
    with pytest.raises(TypeError, match="names no field in `weights`"):
        record(EvolutionStrategy(), genome=words)
