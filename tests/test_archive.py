import numpy as np
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from evo.archive import HALL_SIZE, Archive
from evo.outcome import outcomes_of
from evo.problem import Objective
from evo.search import Search
from genomes.vector import Vector

OBJECTIVES = (Objective("up"), Objective("down", maximize=False))


def filled(generations):
    """An archive shown generations of scores `[n, 2]`."""
    genome = Vector(2)
    search = Search(genome, OBJECTIVES, False, 1, 0, lambda genome, rows: outcomes_of(torch.zeros(1, 2)))
    archive = Archive((True, False))
    for number, scores in enumerate(generations):
        search.generation = number
        rows = genome.sample(len(scores), np.random.default_rng(number))
        archive.update(search, genome, rows, outcomes_of(torch.tensor(scores, dtype=torch.float64)))
    return archive


SCORE = st.one_of(st.integers(0, 5).map(float), st.integers(0, 40).map(float), st.just(float("nan")))
GENERATIONS = st.lists(st.lists(st.tuples(SCORE, SCORE), min_size=1, max_size=30), min_size=1, max_size=4)


@settings(max_examples=100, deadline=None)
@example([[(5.0, 0.0)] * 10 + [(4.0, 0.0)]])  # copies of the best leave room for the next
@example(
    [[(float(up), 0.0) for up in range(20)] + [(18.5, -0.5)], [(9.0, -1.0)], [(9.5, -0.5), (12.5, 1.0)]]
)  # a full hall
@given(GENERATIONS)
def test_the_front_is_what_nothing_beats_and_the_hall_is_the_best(generations):
    archive = filled(generations)
    good = {pair for scores in generations for pair in scores if not np.isnan(pair).any()}
    unbeaten = {
        (up, down) for up, down in good if not any(a >= up and b <= down and (a, b) != (up, down) for a, b in good)
    }
    assert sorted(member.scores for member in archive.front) == sorted(unbeaten)
    ups = [member.scores[0] for member in archive.hall]
    assert ups == sorted({up for up, _ in good}, reverse=True)[:HALL_SIZE]


def test_a_front_does_not_grow_with_copies_that_score_the_same():
    """DEAP's own comparison would keep all of them: their genes differ."""
    archive = filled([[(1.0, 1.0)] * 50] * 3)
    assert len(archive.front) == 1
    assert len(archive.hall) == 1
