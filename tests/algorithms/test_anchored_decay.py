"""Search distributions that are drawn back to where they started."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from evo import seeds
from evo.algorithms.distribution import CEM, CMAES, PGPE, SNES, XNES, DistributionSearch
from evo.algorithms.evotorch_problem import batch_problem, quiet
from evo.evaluation.evaluator import Evaluator
from evo.function_problem import fitness
from evo.genome import Genome
from evo.outcome import Outcomes
from evo.search import Search
from evo.settings import settings
from genomes.vector import Vector

ALGORITHMS = [
    SNES(population=10, standard_deviation=0.1),
    XNES(population=10, standard_deviation=0.1),
    PGPE(population=10, standard_deviation=0.1),
    CEM(population=10, standard_deviation=0.1),
    CMAES(population=10, standard_deviation=0.1),
]


@fitness(maximize="sum", batch=True)
def total(vectors: torch.Tensor) -> torch.Tensor:
    return vectors.sum(1)


def means(algorithm: DistributionSearch, generations: int = 15) -> list[float]:
    """Return the mean weight of each generation; the score has no end, so that it grows for ever."""
    found: list[float] = []
    with Evaluator(total) as evaluator:

        def evaluate(genome: Genome, rows: torch.Tensor) -> Outcomes:
            found.append(float(rows[:, :5].mean()))
            return evaluator.evaluate(genome, rows, seeds.rng(0, "e"))

        algorithm.run(Search(Vector(5, -50.0, 50.0), total.objectives, False, generations, 0, evaluate))
    return [mean - found[0] for mean in found]


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_a_centre_drawn_back_wanders_less(algorithm: DistributionSearch) -> None:
    free, held, still = (means(replace(algorithm, anchored_decay=share)) for share in (0.0, 0.3, 1.0))
    assert free == means(algorithm)
    assert free[-1] > 2 * abs(held[-1])
    assert abs(still[-1]) < 0.5 * abs(held[-1]) or abs(still[-1]) < 0.2


@pytest.mark.parametrize("algorithm", ALGORITHMS, ids=lambda algorithm: algorithm.name)
def test_the_first_update_is_cut_by_the_share(algorithm: DistributionSearch) -> None:
    from evo.algorithms.distribution import draw_back

    start = torch.full((5,), 2.0)
    centers = []
    for share in (0.0, 0.25):
        problem = batch_problem(lambda values: values.sum(1, keepdim=True).double(), 5, seed=3)
        with quiet():
            searcher = algorithm.searcher(problem, start)
        draw_back(searcher, start, share)
        searcher.step()
        if isinstance(algorithm, CMAES):  # which moves at the end of a step, the others at the beginning of the next
            centers.append(searcher.m.clone())
            continue
        searcher.step()
        centers.append(searcher._distribution.parameters["mu"].as_subclass(torch.Tensor).clone())
    torch.testing.assert_close(centers[1] - start, 0.75 * (centers[0] - start))
    assert float((centers[0] - start).abs().min()) > 0


def test_without_it_what_campaigns_record_is_as_before() -> None:
    assert "anchored_decay" not in settings(SNES())
    assert settings(SNES(anchored_decay=0.1))["anchored_decay"] == 0.1


def test_a_share_beyond_the_way_back_is_refused() -> None:
    with pytest.raises(ValueError, match="anchored_decay is a share"):
        PGPE(anchored_decay=1.5)
