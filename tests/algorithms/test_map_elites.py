"""MAP-Elites: its map is a plain one's, its elites are the best of their kinds, and rows may grow."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch

from evo import Campaign, lineage, seeds
from evo.algorithms.map_elites import Elites, MapElites
from evo.function_problem import fitness
from evo.genome import Genome
from evo.layout import Field, Layout
from evo.outcome import outcomes_of
from evo.problem import Objective
from evo.search import Search


@dataclass(frozen=True)
class Point(Genome):
    """Two numbers, which are its features."""

    @property
    def layout(self) -> Layout:
        return Layout(Field("values", (2,)))

    def sample(self, count: int, rng: np.random.Generator) -> torch.Tensor:
        return self.layout.rows(values=rng.normal(0, 0.2, (count, 2)))

    def mutate(self, rows: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
        children = rows.clone()
        values = self.layout.values(children)
        values += 0.3 * seeds.normal(rng, tuple(values.shape), values)
        return children

    def features(self, rows: torch.Tensor) -> dict[str, torch.Tensor]:
        x, y = self.layout.values(rows).double().unbind(1)
        return {"x": x, "y": y, "length": (x.square() + y.square()).sqrt()}


SETTINGS: dict[str, Any] = {"features": ("x", "y"), "lows": (-1.0, -1.0), "highs": (1.0, 2.0), "cells": (5, 8)}
MAP = MapElites(**SETTINGS, population=20)


def rough(values: torch.Tensor) -> torch.Tensor:
    """A score in steps, so that many are equal, which fails for some."""
    scores = torch.round(2 * (values[:, 0] - values[:, 1])).double()
    return torch.where(values.sum(1) > 1.2, torch.nan, scores)[:, None]


@fitness(maximize="score", batch=True)
def rough_problem(values: torch.Tensor) -> torch.Tensor:
    return rough(values)[:, 0]


def by_hand(kept: Any) -> dict[tuple[int, ...], tuple[float, int]]:
    """Return for each cell of a plain map the score and identity of its elite, individual by individual."""
    cells: dict[tuple[int, ...], tuple[float, int]] = {}
    for number, rows in enumerate(kept.rows):
        features = kept.layouts[number].values(rows).double()
        scores = kept.fitness(number)[:, 0].tolist()
        for point, score, uid in zip(features.tolist(), scores, kept.uids(number), strict=True):
            if score != score:
                continue
            place = []
            for value, low, high, count in zip(point, MAP.lows, MAP.highs, MAP.cells, strict=True):
                place.append(min(count - 1, max(0, int(count * (value - low) / (high - low) // 1))))
            if tuple(place) not in cells or score > cells[tuple(place)][0]:
                cells[tuple(place)] = (score, uid)
    return cells


def described(kept: Any) -> dict[str, Any]:
    data: dict[str, Any] = kept.search.left["map"]()
    return data


@pytest.mark.parametrize("maximize", [True, False])
def test_the_map_is_that_of_a_plain_one(record: Any, maximize: bool) -> None:
    kept = record(MAP, rough, (maximize,), generations=30, genome=Point())
    plain = by_hand(kept)
    sign = 1.0 if maximize else -1.0
    elites = described(kept)["elites"]
    assert {tuple(one["cell"]): (sign * one["fitness"][0], one["uid"]) for one in elites} == plain
    assert len(elites) > 20
    rows = torch.cat(kept.rows)
    uids, values = lineage.identities(Point().layout, rows).tolist(), Point().layout.values(rows).tolist()
    by_uid = dict(zip(uids, values, strict=True))
    for one in elites:  # each with its own genes and features
        assert one["genes"]["values"] == one["features"] == by_uid[one["uid"]]
    assert [one["cell"] for one in elites] == sorted(one["cell"] for one in elites)


def test_coverage_grows_and_elites_only_get_better(record: Any) -> None:
    short = described(record(MAP, rough, (True,), generations=3, genome=Point()))["elites"]
    long = described(record(MAP, rough, (True,), generations=40, genome=Point()))["elites"]
    before = {tuple(one["cell"]): one["fitness"][0] for one in short}
    after = {tuple(one["cell"]): one["fitness"][0] for one in long}
    assert len(after) > len(before) > 1
    assert all(after[cell] >= score for cell, score in before.items())


def test_parents_are_drawn_evenly_from_all_elites(record: Any) -> None:
    search = Search(Point(), (Objective("score"),), False, 1, 0, lambda genome, rows: outcomes_of(rows[:, :1]))
    elites = Elites(MAP, search)
    rows = search.sample(400)
    elites.add(Point(), rows, search.evaluate(Point(), rows))
    filled = len(elites)
    _, children = elites.children(200 * filled)
    parents = lineage.identities(Point().layout, children, "first_parent").unique(return_counts=True)
    assert sorted(parents[0].tolist()) == sorted(lineage.identities(Point().layout, elites.rows).tolist())
    assert filled > 8
    assert ((parents[1] - 200).abs() < 80).all()


def test_generations_have_their_sizes_and_the_first_its_own(record: Any) -> None:
    kept = record(MapElites(**SETTINGS, population=7, initial_population=30), rough, (True,), 3, genome=Point())
    assert [len(rows) for rows in kept.rows] == [30, 7, 7]


def test_rows_may_grow(record: Any, growing: Any) -> None:
    lengths = MapElites(("complexity",), (0.0,), (20.0,), (20,), population=10)
    kept = record(lengths, lambda values: values.sum(1, keepdim=True).double(), (True,), 25, genome=growing())
    elites = described(kept)["elites"]
    assert len(elites) > 10
    for one in elites:
        assert one["genes"]["count"] == one["features"][0]
        assert sum(one["genes"]["values"]) == pytest.approx(one["fitness"][0], rel=1e-5)


def test_where_all_fail_it_goes_on_sampling(record: Any) -> None:
    kept = record(MAP, lambda values: values[:, :1].double() * torch.nan, (True,), 4, genome=Point())
    assert [len(rows) for rows in kept.rows] == [20] * 4
    assert described(kept)["elites"] == []


def test_the_map_is_left_in_the_folder_and_comes_back_the_same(tmp_path: Any) -> None:
    campaign = Campaign(rough_problem, Point(), MAP, generations=12)
    for name in ("whole", "cut"):
        campaign.run(out=tmp_path / name, quiet=True)
    whole, cut = (tmp_path / name / "default" / "seed-0" for name in ("whole", "cut"))
    journal = (cut / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (cut / "journal.jsonl").write_bytes(b"".join(journal[:6]))
    (cut / "map.json").unlink()
    campaign.run(out=tmp_path / "cut", resume=True, quiet=True)
    for name in ("map.json", "journal.jsonl", "champion.json"):
        assert (cut / name).read_bytes() == (whole / name).read_bytes()
    data = json.loads((whole / "map.json").read_text())
    assert data["format"] == "evo.map/1"
    assert data["features"][1] == {"name": "y", "low": -1.0, "high": 2.0, "cells": 8}
    best = max(one["fitness"][0] for one in data["elites"])
    assert best == json.loads((whole / "champion.json").read_text())["fitness"]["score"]


def test_a_feature_that_the_genome_has_not_is_told(record: Any) -> None:
    wrong = MapElites(("x", "lenght"), (0.0, 0.0), (1.0, 1.0), (2, 2))
    with pytest.raises(ValueError, match=r"Point has no feature 'lenght', only x, y, length; did you mean 'length'\?"):
        record(wrong, rough, (True,), genome=Point())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"cells": (5,)}, "a number of cells for each"),
        ({"features": ("x", "x")}, "different features"),
        ({"lows": (1.0, 0.0)}, "less than its high"),
        ({"highs": (float("inf"), 1.0)}, "less than its high"),
        ({"cells": (0, 3)}, "1 cell or more"),
        ({"cells": (2**11, 2**11)}, "1048576 in all at most"),
        ({"population": 0}, "population >= 1"),
    ],
)
def test_impossible_settings_are_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        MapElites(**{**SETTINGS, **changes})


def test_what_is_left_has_a_name_of_its_own() -> None:
    search = Search(Point(), (Objective("score"),), False, 1, 0, lambda genome, rows: outcomes_of(rows[:, :1]))
    for name in ("champion", "../map", ""):
        with pytest.raises(ValueError, match="a word other than"):
            search.leave(name, dict)
