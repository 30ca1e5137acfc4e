"""Species: who belongs to which, who has how many offspring, who survives, against plain Python and by hand."""

import math

import numpy as np
import pytest
import torch

from evo.algorithms.species import THRESHOLD_FACTOR, Members, Species, assign, pick

NAN = math.nan


def rows(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).reshape(-1, 1)


def apart(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return torch.cdist(one, other)


def members(fitness, labels) -> Members:
    return Members(torch.tensor(fitness, dtype=torch.float64), torch.tensor(labels))


def which(*booleans: int) -> torch.Tensor:
    return torch.tensor(booleans, dtype=torch.bool)


def plain_assignment(genomes, representatives, threshold):
    """The paper's words, one genome at a time."""
    known, labels, founders = list(representatives), [], []
    for place, genome in enumerate(genomes):
        for number, representative in enumerate(known):
            if abs(genome - representative) < threshold:
                labels.append(number)
                break
        else:
            labels.append(len(known))
            known.append(genome)
            founders.append(place)
    return labels, founders


@pytest.mark.parametrize("seed", range(6))
def test_genomes_join_the_first_species_they_fit(seed):
    rng = np.random.default_rng(seed)
    genomes, representatives = rng.normal(0, 5, 200), rng.normal(0, 5, rng.integers(0, 6))
    threshold = rng.choice([0.05, 0.5, 2.0])  # far more founders than are compared at once; some; few
    labels, founders = assign(rows(*genomes), rows(*representatives), threshold, apart)
    expected = plain_assignment(genomes, representatives, threshold)
    assert (labels.tolist(), founders.tolist()) == expected


def test_a_genome_that_is_far_even_from_itself_has_a_species_of_its_own():
    labels, founders = assign(rows(1, 2, 3), rows(0), 1.0, lambda one, other: apart(one, other) * NAN)
    assert labels.tolist() == [1, 2, 3]
    assert founders.tolist() == [0, 1, 2]


def test_species_without_members_are_gone_and_new_ones_are_behind_the_old():
    reached = torch.tensor([1.0, 2.0, 3.0]).double()
    old = Species(rows(0, 100, 50), reached, torch.tensor([4, 5, 6]), reached / 2, threshold=3.0)
    species, labels = old.divide(rows(51, 20, 1, 49, 21, 30), apart, generation=9)
    assert labels.tolist() == [1, 2, 0, 1, 2, 3]
    assert species.representatives.flatten().tolist() == [0, 50, 20, 30]
    assert species.best.tolist() == [1.0, 3.0, -math.inf, -math.inf]
    assert species.improved.tolist() == [4, 6, 9, 9]
    assert species.level.tolist() == pytest.approx([0.5, 1.5, NAN, NAN], nan_ok=True)


def test_offspring_by_hand():
    """Means above the worst (1): 3, 1 and 0 of 4: of 10 places 7.5, 2.5 and 0; the older gets the odd one."""
    group = members([4, 4, 1, 3, 1], [0, 0, 1, 1, 2])
    assert group.offspring(which(1, 1, 1), which(0, 0, 0), 10).tolist() == [8, 2, 0]
    assert group.offspring(which(0, 1, 1), which(0, 0, 0), 10).tolist() == [0, 10, 0]


def test_certain_species_have_a_place_and_the_largest_make_room():
    group = members([4, 4, 1, 3, 1], [0, 0, 1, 1, 2])
    assert group.offspring(which(1, 1, 1), which(1, 0, 1), 10).tolist() == [7, 2, 1]
    assert group.offspring(which(0, 1, 1), which(0, 1, 1), 10).tolist() == [0, 9, 1]
    assert group.offspring(which(1, 1, 1), which(1, 1, 1), 3).tolist() == [1, 1, 1]


def test_the_best_genome_ever_has_a_place_whatever_its_species_mean():
    """One of 40 has 100 and the others nothing, 22 species of five have 90: the share of the first is 150 / 809."""
    group = members([100] + [0] * 39 + [90] * 110, [0] * 40 + [label for label in range(1, 23) for _ in range(5)])
    certain = judged([1, 2, 3]).protected(members([1, 2, 3], [0, 1, 2]), 2)
    assert certain.tolist() == [False, True, True]
    counts = group.offspring(torch.ones(23, dtype=torch.bool), torch.arange(23) < 2, 150)
    assert counts[0] == 1
    assert counts.sum() == 150
    assert set(counts[1:].tolist()) == {6, 7}


def test_the_largest_remainder_gets_the_odd_place():
    assert members([31, 19, 0], [0, 1, 2]).offspring(which(1, 1, 1), which(0, 0, 0), 10).tolist() == [6, 4, 0]


def test_sharing_makes_a_large_species_no_better_off():
    group = members([3.0] * 8 + [3.0, 1.0], [0] * 8 + [1, 2])
    assert group.offspring(which(1, 1, 1), which(0, 0, 0), 40).tolist() == [20, 20, 0]


@pytest.mark.parametrize("seed", range(5))
def test_offspring_fill_the_population_and_move_with_no_constant(seed):
    rng = np.random.default_rng(seed)
    labels = torch.from_numpy(np.concatenate((np.arange(7), rng.integers(0, 7, 60))))
    fitness = torch.from_numpy(rng.integers(-50, 50, 67).astype(float))
    fitness[::9] = NAN
    allowed = torch.from_numpy(rng.random(7) < 0.7) | (torch.arange(7) == 2)
    certain = allowed & torch.from_numpy(rng.random(7) < 0.4)
    counts = Members(fitness, labels).offspring(allowed, certain, 150)
    assert counts.sum() == 150
    assert (counts >= 0).all()
    assert (counts[~allowed] == 0).all()
    assert (counts[certain] > 0).all()
    assert torch.equal(counts, Members(fitness + 1024.0, labels).offspring(allowed, certain, 150))
    worst = fitness[~fitness.isnan()].min()
    assert torch.equal(counts, Members(fitness.nan_to_num(nan=worst.item()), labels).offspring(allowed, certain, 150))


@pytest.mark.parametrize("value", [5.0, NAN])
def test_equal_species_get_equal_numbers(value):
    counts = members([value] * 4, [0, 1, 1, 2]).offspring(which(1, 1, 0), which(0, 0, 0), 7)
    assert counts.tolist() == [4, 3, 0]


def test_survivors_are_the_best_of_each_species_and_one_more_than_the_share():
    fitness = [1, 9, NAN, 5, 7, 3, 8, 2, 6, 4, 0, NAN]
    labels = [0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 2]
    places, sizes = members(fitness, labels).survivors(0.2)
    assert sizes.tolist() == [2, 1, 1], "of 9, 2 and 1"
    assert places.tolist() == [1, 4, 6, 11]
    everyone, sizes = members(fitness, labels).survivors(1.0)
    assert sizes.tolist() == [9, 1, 1]
    assert everyone.tolist() == [1, 4, 8, 3, 9, 5, 7, 0, 10, 6, 11], "failed ones only where there is no other"


def test_champions_are_the_best_of_each_species():
    assert members([1, 5, NAN, 2, 5], [0, 0, 1, 1, 0]).champions().tolist() == [1, 3]


def fresh() -> Species:
    worst = torch.full((3,), -math.inf).double()
    return Species(rows(0, 10, 20), worst, torch.zeros(3).long(), worst * NAN, 1.0)


def judged(*generations: list[float], labels=(0, 1, 2), stochastic=False) -> Species:
    species = fresh()
    for generation, fitness in enumerate(generations, start=1):
        species = species.judged(members(fitness, list(labels)), generation, stochastic)
    return species


def test_what_a_species_has_reached_is_remembered():
    species = judged([1, 5, NAN], [2, 4, NAN], [0, 5, 3])
    assert species.best.tolist() == [2, 5, 3]
    assert species.improved.tolist() == [2, 1, 3]
    assert (species.record, species.record_generation) == (5, 1)


def test_means_leave_failures_out():
    means = members([1, 5, NAN, NAN, 4], [0, 0, 0, 1, 2]).mean().tolist()
    assert means == pytest.approx([3, NAN, 4], nan_ok=True)


def test_where_scores_are_chance_smoothed_means_are_remembered():
    labels = [0, 0, 1, 1, 2]
    species = judged([9, 0, 2, 2, NAN], [5, 7, 2, 2, 1], [NAN, NAN, 1, 0, 7], labels=labels, stochastic=True)
    assert species.level.tolist() == pytest.approx([5.0, 1.5, 3.0]), "4.5 + 1.5 / 3; 2 - 1.5 / 3; 1 + 6 / 3"
    assert species.best.tolist() == [5, 2, 3]
    assert species.improved.tolist() == [2, 1, 3]
    assert (species.record, species.record_generation) == (17 / 5, 2), "means of all: 13 / 4, 17 / 5, 8 / 3"


def test_luck_ends_no_species_that_gets_better():
    """A species of 30 gains 0.02 standard deviations of the noise per generation, for 100 generations."""
    stagnant = {True: 0, False: 0}
    for repeat in range(40):
        rng = np.random.default_rng(repeat)
        scores = 0.02 * np.arange(100)[:, None] + rng.standard_normal((100, 30))
        for stochastic in stagnant:
            species = fresh().only(torch.arange(1))
            for generation, fitness in enumerate(scores):
                species = species.judged(members(fitness, [0] * 30), generation, stochastic)
                if generation - int(species.improved) >= 15:
                    stagnant[stochastic] += 1
                    break
    assert stagnant[False] >= 38, "by the best of noisy scores"
    assert stagnant[True] <= 8


def test_species_that_do_not_improve_have_no_offspring_but_the_best():
    species = judged([1, 5, 2], [0, 4, 3], [0, 4, 4], [0, 4, 2])
    now = members([0, 4, 2], [0, 1, 2])
    assert species.improved.tolist() == [1, 1, 3]
    assert species.reproducing(now, 4, stagnation=3, narrowing=99, elitism=1).tolist() == [False, True, True]
    assert species.reproducing(now, 4, stagnation=4, narrowing=99, elitism=1).tolist() == [True, True, True]
    assert species.reproducing(now, 4, stagnation=1, narrowing=99, elitism=2).tolist() == [False, True, True]
    assert species.reproducing(now, 9, stagnation=1, narrowing=99, elitism=9).tolist() == [True, True, True]


def test_without_a_record_the_search_is_narrowed_to_the_best_species_now_and_then():
    species = judged([1, 5, 2], [4, 4, 3])
    now = members([4, 4.5, 3], [0, 1, 2])
    narrowed = [
        generation
        for generation in range(1, 12)
        if species.reproducing(now, generation, stagnation=99, narrowing=4, elitism=2).tolist() == [True, True, False]
    ]
    assert narrowed == [6, 11], "the record was in generation 1: more than 4 generations ago, and again after as many"


@pytest.mark.parametrize(("target", "factor"), [(2, THRESHOLD_FACTOR), (3, 1.0), (4, 1 / THRESHOLD_FACTOR)])
def test_the_threshold_moves_towards_the_target(target, factor):
    assert judged([1, 2, 3]).towards(target).threshold == pytest.approx(factor)


def test_picks_are_even_and_from_the_right_group():
    sizes = torch.tensor([2, 0, 3])
    draws = torch.tensor([0.0, 0.49, 0.5, 1 - 2**-53, 0.0, 0.34, 0.67, 1 - 2**-53], dtype=torch.float64)
    picked = pick(torch.tensor([0, 0, 0, 0, 2, 2, 2, 2]), sizes, draws)
    assert picked.tolist() == [0, 0, 1, 1, 2, 3, 4, 4]
