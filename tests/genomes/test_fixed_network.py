"""A given network's weights evolve, and nothing else of it does."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from published_champion import published_champion

from evo import seeds
from evo.algorithms.distribution import CMAES
from evo.evaluation.evaluator import Evaluator
from evo.networks import Networks
from evo.outcome import Outcomes
from evo.problem import NetworkProblem, Objective
from evo.search import Search
from evo.settings import settings
from evo.testing import Check
from evo.testing.genome_checks import genome_checks
from genomes.fixed_network import FixedNetwork

NETWORK: dict[str, Any] = {
    "inputs": ["a", "b"],
    "outputs": ["c"],
    "activations": ["linear", "linear", "linear", "tanh", "linear"],
    "edges": [[3, 4, 2.0], [2, 3, -1.5], [0, 3, 0.25], [1, 4, 0.5], [4, 3, 0.75]],
}
"""Its edges are in no order, and the last one is recurrent."""


@pytest.mark.parametrize("check", genome_checks, ids=str)
@pytest.mark.parametrize("deviation", [0.0, 0.3])
def test_it_is_a_genome(check: Check, deviation: float) -> None:
    check.run(FixedNetwork.from_network(NETWORK, initial_deviation=deviation))


def test_it_expresses_the_network_given() -> None:
    genome = FixedNetwork.from_network(NETWORK)
    networks = genome.express(genome.sample(3, seeds.rng(0, "sample")))
    for number in range(3):
        described = networks.describe(number)
        assert described["activations"] == NETWORK["activations"]
        assert sorted(described["edges"]) == sorted(NETWORK["edges"])
    cases = torch.tensor([[1.0, 2.0], [0.0, -1.0]])
    hidden = torch.tanh(-1.5 * cases[:, 1] + 0.25)  # the recurrent edge reads 0
    torch.testing.assert_close(networks.forward(cases)[1, :, 0], 2.0 * hidden + 0.5 * cases[:, 0])


def test_rows_weigh_the_edges_in_their_order() -> None:
    genome = FixedNetwork.from_network(NETWORK)
    assert [edge[:2] for edge in genome.edges] == [(0, 3), (2, 3), (4, 3), (1, 4), (3, 4)]
    network = genome.express(genome.layout.rows(edge_weight=[[1.0, 2.0, 3.0, 4.0, 5.0]])).describe(0)
    assert network["edges"] == [[0, 3, 1.0], [2, 3, 2.0], [4, 3, 3.0], [1, 4, 4.0], [3, 4, 5.0]]
    absorbed = genome.absorb(
        genome.sample(1, seeds.rng(0, "s")), genome.express(genome.layout.rows(edge_weight=[[9.0] * 5]))
    )
    assert genome.layout.view(absorbed, "edge_weight").tolist() == [[9.0] * 5]


def test_only_weights_move_as_far_as_said() -> None:
    genome = FixedNetwork.from_network(NETWORK, initial_deviation=0.5, mutation_rate=0.4, mutation_deviation=0.2)
    rows = genome.sample(4000, seeds.rng(0, "sample"))
    spread = genome.layout.view(rows, "edge_weight") - torch.tensor([edge[2] for edge in genome.edges])
    assert float(spread.std()) == pytest.approx(0.5, rel=0.02)
    moves = (genome.mutate(rows, seeds.rng(1, "mutate")) - rows)[:, :5]
    assert float((moves != 0).double().mean()) == pytest.approx(0.4, abs=0.01)
    assert float(moves[moves != 0].std()) == pytest.approx(0.2, rel=0.03)


def test_settings_survive_json() -> None:
    genome = FixedNetwork.from_network({**NETWORK, **published_champion().describe(0), "inputs": list("abcde")})
    again = FixedNetwork(**json.loads(json.dumps(settings(genome))))
    assert again == genome
    assert hash(again) == hash(genome)
    assert len(genome.edges) == 52


class Aim(NetworkProblem):
    """The output for the case (1, 1) is to be 7."""

    objectives = (Objective("error", maximize=False),)

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        from evo.outcome import outcomes_of

        return outcomes_of((phenotypes.forward(torch.ones(1, 2))[:, :, 0] - 7.0).square())


def test_a_distribution_search_tunes_it() -> None:
    genome, problem = FixedNetwork.from_network(NETWORK), Aim()
    best = []
    with Evaluator(problem) as evaluator:

        def evaluate(genome: Any, rows: torch.Tensor) -> Outcomes:
            outcomes = evaluator.evaluate(genome, rows, seeds.rng(0, "evaluate"))
            best.append(float(outcomes.scores.min()))
            return outcomes

        CMAES(population=12, standard_deviation=0.5).run(Search(genome, problem.objectives, False, 40, 0, evaluate))
    assert best[0] > 1.0
    assert min(best) < 1e-3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"edges": []}, "expected connections"),
        ({"activations": ["linear"] * 3}, "an activation for the bias"),
        ({"edges": [[0, 9, 1.0]]}, "numbered 0 to 4"),
        ({"edges": [[0, 1, 1.0]]}, "the first 3 are bias and inputs"),
        ({"edges": [[0, 3, 1.0], [0, 3, 2.0]]}, "a pair twice"),
        ({"activations": ["linear", "linear", "linear", "tan", "linear"]}, "activation"),
    ],
)
def test_what_is_no_network_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        FixedNetwork.from_network({**NETWORK, **changes})
