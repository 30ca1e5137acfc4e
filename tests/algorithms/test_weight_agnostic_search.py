"""The search of Gaier & Ha 2019, generation by generation, on scores that are made up."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from evo import lineage
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from evo.outcome import outcomes_of
from evo.problem import Objective
from evo.search import Search
from genomes.topology import Topology

OBJECTIVES = (Objective("reward"), Objective("best_weight_reward"))


def run(algorithm, generations=4, score=None, seed=0):
    """Return (genome, rows, scores) of every generation."""
    seen = []

    def evaluate(genome, rows):
        random = np.random.default_rng(search.generation).random((len(rows), 2))
        scores = torch.from_numpy(random) if score is None else score(genome, rows)
        seen.append((genome, rows.clone(), scores))
        return outcomes_of(scores)

    search = Search(Topology(3, 1), OBJECTIVES, True, generations, seed, evaluate)
    algorithm.run(search)
    return seen


def uids(genome, rows, field="uid"):
    return lineage.identities(genome.layout, rows, field).tolist()


@pytest.mark.parametrize(
    ("population", "cull", "elite", "culled", "elites"), [(192, 0.2, 0.2, 38, 30), (64, 0.2, 0.05, 12, 2)]
)
def test_numbers_are_the_papers(population, cull, elite, culled, elites):
    """192 -> cull 38, elites 30, children 162; 64 in the laptop setting -> 12, 2, 62."""
    seen = run(WeightAgnosticSearch(population=population, cull_ratio=cull, elite_ratio=elite), generations=2)
    (genome, rows, _), (later, following, _) = seen
    known = set(uids(genome, rows))
    kept = [uid for uid in uids(later, following) if uid in known]
    assert len(following) == population
    assert len(kept) == elites
    parents = set(uids(later, following, "first_parent")[elites:])
    assert len(known - parents) >= culled


def test_elites_live_on_unchanged_and_the_culled_have_no_children():
    algorithm = WeightAgnosticSearch(population=40, complexity_probability=1.0, tournament_size=1)
    (genome, rows, scores), (later, following, _) = run(algorithm, generations=2)
    order = independent_order(np.stack((scores[:, 0].numpy(), 1 / np.maximum(genome.complexity(rows).numpy(), 1)), 1))
    elites = following[: int(0.2 * 32)]
    for place, elite in zip(order, elites, strict=False):
        assert uids(later, elite[None])[0] == uids(genome, rows[place : place + 1])[0]
        assert later.describe(elite) == genome.describe(rows[place])
    pool = {uids(genome, rows[place : place + 1])[0] for place in order[:32]}
    assert set(uids(later, following, "first_parent")[len(elites) :]) <= pool


def independent_order(points):
    """NSGA-II's order, written out: fronts by comparing all pairs, then crowding distance, then place."""
    left, order = list(range(len(points))), []
    while left:
        front = [
            i for i in left if not any((points[j] >= points[i]).all() and (points[j] > points[i]).any() for j in left)
        ]
        distance = dict.fromkeys(front, 0.0)
        for column in points.T:
            ranked = sorted(front, key=lambda i: column[i])
            width = column[ranked[-1]] - column[ranked[0]]
            for place, i in enumerate(ranked):
                end = place in (0, len(ranked) - 1)
                gap = np.inf if end else (column[ranked[place + 1]] - column[ranked[place - 1]]) / (width or 1)
                distance[i] += gap
        order += sorted(front, key=lambda i: -distance[i])
        left = [i for i in left if i not in front]
    return order


def test_four_of_five_generations_are_ranked_by_complexity():
    """With best-weight scores that contradict mean scores, which ranking was used shows in who lives on."""
    algorithm = WeightAgnosticSearch(population=20, elite_ratio=0.4)
    used = []

    def score(genome, rows):
        # the largest networks have the best best-weight scores, and all have equal means
        return torch.stack((torch.zeros(len(rows)), genome.complexity(rows).float()), 1)

    seen = run(algorithm, generations=160, score=score, seed=3)
    for (genome, rows, _), (later, following, _) in pairwise(seen):
        sizes, kept = genome.complexity(rows), later.complexity(following[:1])
        if sizes.max() > sizes.min():
            used.append(float(kept[0]) == float(sizes.min()))
    assert len(used) > 100
    assert np.mean(used) == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / len(used)))


@pytest.mark.parametrize(("published", "size"), [(False, 3), (True, 6)])
def test_tournaments_have_as_many_entrants_as_said(published, size):
    """The winner's expected place among k of n is about n / (k + 1); the published code's is that of 2k."""
    algorithm = WeightAgnosticSearch(tournament_size=3, published=published)
    search = Search(Topology(3, 1), OBJECTIVES, True, 1, 0, lambda genome, rows: outcomes_of(torch.zeros(1, 2)))
    places = algorithm._tournaments(search, 1000, 20_000).double()
    expected = 1000 / (size + 1)
    assert float(places.mean()) == pytest.approx(expected, rel=0.05)


def test_failed_networks_never_live_on():
    def score(genome, rows):
        scores = torch.rand(len(rows), 2, generator=torch.Generator().manual_seed(0))
        scores[::2] = torch.nan
        return scores

    seen = run(WeightAgnosticSearch(population=20, tournament_size=1, cull_ratio=0.5), generations=2, score=score)
    (genome, rows, _), (later, following, _) = seen
    failed = set(uids(genome, rows[::2]))
    assert failed.isdisjoint(uids(later, following))
    assert failed.isdisjoint(uids(later, following, "first_parent"))


@pytest.mark.parametrize(
    "wrong",
    [
        {"population": 0},
        {"population": 20.0},
        {"tournament_size": 0},
        {"tournament_size": 1.5},
        {"cull_ratio": 1.0},
        {"cull_ratio": -0.5},
        {"elite_ratio": 1.5},
        {"elite_ratio": -0.2},
        {"complexity_probability": 80},
        {"complexity_probability": np.nan},
    ],
)
def test_settings_outside_their_range_are_told_by_name(wrong):
    with pytest.raises(ValueError, match=f"WeightAgnosticSearch: .*{next(iter(wrong))}"):
        WeightAgnosticSearch(**wrong)


@pytest.mark.parametrize("edge", [{"cull_ratio": 0.0, "elite_ratio": 0.0}, {"elite_ratio": 1.0, "tournament_size": 1}])
def test_settings_at_the_edges_of_their_ranges_work(edge):
    assert len(run(WeightAgnosticSearch(population=5, **edge), generations=3)[2][1]) == 5


def test_mean_only_ignores_complexity():
    algorithm = WeightAgnosticSearch(population=20, mean_only=True, complexity_probability=1.0)
    (genome, rows, scores), (later, following, _) = run(algorithm, generations=2)
    best = int(scores[:, 0].argmax())
    assert uids(later, following)[0] == uids(genome, rows[best : best + 1])[0]
