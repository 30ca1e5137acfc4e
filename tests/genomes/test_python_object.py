"""Python objects as genomes: handles, copies, forgetting, and what champion files hold."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import torch

from evo.algorithms.deap_loop import DeapLoop
from evo.algorithms.distribution import SNES
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.genome import Genome
from evo.lineage import identities
from evo.outcome import Outcomes, outcomes_of
from evo.problem import Objective
from evo.search import Search
from evo.settings import describe
from genomes.python_object import PythonObject

TARGET = "evolve"
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def letters(rng: np.random.Generator) -> list[str]:
    return [LETTERS[place] for place in rng.integers(26, size=len(TARGET))]


def change_in_place(word: list[str], rng: np.random.Generator) -> list[str]:
    word[rng.integers(len(word))] = LETTERS[rng.integers(26)]
    return word


def splice(first: list[str], second: list[str], rng: np.random.Generator) -> list[str]:
    cut = rng.integers(len(first))
    first[cut:] = second[cut:]
    return first


def words(**settings: Any) -> PythonObject:
    return PythonObject(letters, change_in_place, splice, **settings)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_rows_hold_handles_and_express_to_objects() -> None:
    genome = words()
    rows = genome.sample(4, rng())
    objects = genome.express(rows)
    assert isinstance(objects, PythonObject.expresses)
    assert [len(word) for word in objects] == [6] * 4
    assert genome.express(rows[[2, 0]]) == [objects[2], objects[0]]


def test_mutating_in_place_leaves_the_parent_alone() -> None:
    genome = words()
    rows = genome.sample(20, rng())
    before = genome.express(rows)
    children = genome.express(genome.mutate(rows, rng(1)))
    assert genome.express(rows) == before
    assert children != before
    assert all(sum(a != b for a, b in zip(*pair, strict=True)) <= 1 for pair in zip(before, children, strict=True))


def test_what_is_done_to_phenotypes_leaves_the_genome_alone() -> None:
    genome = words()
    rows = genome.sample(1, rng())
    genome.express(rows)[0].clear()
    assert len(genome.express(rows)[0]) == 6


def test_crossover_mixes_two_parents_and_leaves_them_alone() -> None:
    genome = words()
    first, second = genome.sample(20, rng()), genome.sample(20, rng(1))
    before = genome.express(first)
    children = genome.express(genome.crossover(first, second, rng(2)))
    assert genome.express(first) == before
    for child, one, other in zip(children, before, genome.express(second), strict=True):
        assert all(letter in pair for letter, pair in zip(child, zip(one, other, strict=True), strict=True))
    assert children != before


def test_a_pair_of_the_same_object_has_it_as_its_child() -> None:
    genome = words()
    first, second = genome.sample(3, rng()), genome.sample(3, rng(1))
    second[1] = first[1]
    children = genome.crossover(first, second, rng(2))
    assert torch.equal(children[1], first[1])
    assert not torch.equal(children[0, :3], first[0, :3])


def test_without_mating_the_child_is_the_first_parent() -> None:
    genome = PythonObject(letters, change_in_place)
    first, second = genome.sample(3, rng()), genome.sample(3, rng(1))
    assert torch.equal(genome.crossover(first, second, rng(2)), first)


def test_the_same_seed_makes_the_same_rows_in_any_genome() -> None:
    one, other = words(), words()
    one.sample(5, rng(9))
    assert torch.equal(one.sample(5, rng()), other.sample(5, rng()))
    assert one.express(one.sample(5, rng())) == other.express(other.sample(5, rng()))


def test_handles_are_not_used_twice() -> None:
    genome = words()
    rows = torch.cat([genome.sample(1000, rng(seed)) for seed in range(3)])
    assert len(torch.unique(genome.layout.handle(rows), dim=0)) == 3000


def test_the_oldest_are_forgotten_and_asking_for_them_is_explained() -> None:
    genome = words(capacity=5)
    old = genome.sample(3, rng())
    new = genome.sample(4, rng(1))
    assert len(genome.express(new)) == 4
    with pytest.raises(ValueError, match=r"forgotten because capacity=5 is too small.*raise it"):
        genome.express(old[:1])


def test_those_in_use_are_not_forgotten() -> None:
    genome = words(capacity=5)
    elite = genome.sample(2, rng())
    for seed in range(1, 30):
        genome.sample(3, rng(seed))
        genome.fit(elite)
    assert len(genome.express(elite)) == 2


def test_a_handle_from_elsewhere_is_refused() -> None:
    with pytest.raises(ValueError, match="another genome or process"):
        words().express(words().sample(1, rng()))


def test_what_is_kept_is_no_setting() -> None:
    genome = words()
    before = describe(genome)
    genome.sample(3, rng())
    assert describe(genome) == before
    assert set(before["settings"]) == {"sample_one", "mutate_one", "mate_two", "encode", "decode", "capacity"}


def test_capacity_is_checked() -> None:
    with pytest.raises(ValueError, match="capacity"):
        words(capacity=0)


def test_a_champion_survives_a_file() -> None:
    genome = words()
    rows = genome.sample(2, rng())
    text = json.dumps(genome.describe(rows[1]))
    other = words()
    assert other.express(other.restore(json.loads(text))) == genome.express(rows[1:])
    assert torch.equal(other.restore(json.loads(text)), words().restore(json.loads(text)))


@pytest.mark.parametrize(
    "unfit",
    [{1, 2}, object(), (1, 2), {1: "a"}, [math.nan], np.zeros(2), [torch.zeros(1)]],
    ids=lambda unfit: type(unfit).__name__,
)
def test_what_json_cannot_hold_is_told(unfit: Any) -> None:
    genome = PythonObject(lambda rng: unfit, lambda one, rng: one)
    with pytest.raises(TypeError, match="encode"):
        genome.describe(genome.sample(1, rng())[0])


def test_any_object_with_encode_and_decode() -> None:
    genome = PythonObject(lambda rng: {3, 1}, lambda one, rng: one, encode=sorted, decode=set)
    described = genome.describe(genome.sample(1, rng())[0])
    assert described == {"object": [1, 3]}
    assert genome.express(genome.restore(described)) == [{1, 3}]


@pytest.mark.parametrize(
    "algorithm",
    [MuPlusLambda(20), DeapLoop("eaMuPlusLambda", 20), DeapLoop("eaSimple", 20, select="tournament")],
    ids=lambda algorithm: f"{algorithm.name}-{getattr(algorithm, 'loop', '')}",
)
def test_algorithms_run_on_it(algorithm: Any) -> None:
    best: list[float] = []
    uids: list[int] = []

    def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
        hits = [[float(sum(a == b for a, b in zip(word, TARGET, strict=True)))] for word in genome.express(rows)]
        best.append(max(hits)[0])
        uids.extend(identities(genome.layout, rows).tolist())
        return outcomes_of(torch.tensor(hits, dtype=torch.float64))

    search = Search(words(capacity=100), (Objective("hits"),), False, 25, 1, evaluate)
    algorithm.run(search)
    assert len(best) == 25
    assert max(best) >= best[0] + 2
    assert len(set(uids)) == len(uids)


def test_search_distributions_refuse_it() -> None:
    search = Search(words(), (Objective("hits"),), False, 2, 1, lambda genome, rows: outcomes_of(torch.zeros(1, 1)))
    with pytest.raises(TypeError, match="PythonObject names no field"):
        SNES().run(search)
