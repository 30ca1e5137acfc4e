"""Networks scored on classes: the fused kernel against plain torch on outputs, on awkward numbers of cases too."""

import pytest
import torch

from evo import seeds
from evo.evaluation.classification import classify
from evo.networks import Execution, Networks, pack
from genomes.topology import Topology


def evolved(recurrent: bool, inputs: int = 3, outputs: int = 4) -> Networks:
    genome = Topology(
        inputs, outputs, recurrent=recurrent, add_connection_rate=1.0, input_activation_rate=0.2, mutation="each"
    )
    rows = genome.sample(12, seeds.rng(0, "sample"))
    for step in range(25):
        genome, rows = genome.fit(genome.mutate(rows, seeds.rng(0, "mutate", step)))
    return genome.express(rows)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("recurrent", [False, True])
@pytest.mark.parametrize("cases", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("weights", [(None,), (-1.5, 0.5, 2.0)])
def test_the_fused_kernel_scores_as_torch_does(
    cases: int, recurrent: bool, threads: int, weights: tuple[float | None, ...]
) -> None:
    draws = torch.Generator().manual_seed(cases)
    inputs, classes = torch.randn(cases, 3, generator=draws), torch.randint(4, (cases,), generator=draws)
    networks = evolved(recurrent).on(Execution("compiled", threads))
    entropy, hits = classify(networks, inputs, classes, weights)
    for column, weight in enumerate(weights):
        for network in range(len(networks)):
            outputs = networks[network : network + 1].forward(inputs, weight)[0]
            expected = torch.nn.functional.cross_entropy(outputs, classes)
            assert float(entropy[network, column]) == pytest.approx(float(expected), rel=1e-5, abs=2e-6)
            best = torch.tensor([row.tolist().index(max(row.tolist())) for row in outputs])
            assert float(hits[network, column]) == pytest.approx(float((best == classes).double().mean()))


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_of_equal_outputs_the_first_counts(engine: str) -> None:
    one = pack(1, 3, [([1, 1, 1, 1, 1], [])]).on(Execution(engine))  # no connection: all outputs are 0
    entropy, hits = classify(one, torch.ones(6, 1), torch.tensor([0, 1, 2, 0, 1, 0]), (None,))
    assert float(hits) == pytest.approx(3 / 6)
    assert float(entropy) == pytest.approx(1.0986123, rel=1e-6)


@pytest.mark.parametrize("engine", ["compiled", "torch"])
def test_outputs_that_are_not_finite_are_no_score(engine: str) -> None:
    edges = [(1, 3, 1e38), (1, 4, 1.0)]
    one = pack(1, 2, [([1, 1, 11, 1, 1], [(1, 2, 1e30), (2, 3, 1.0), *edges[1:]])]).on(Execution(engine))
    entropy, _ = classify(one, torch.ones(3, 1), torch.tensor([0, 1, 1]), (None,))
    assert bool(entropy.isnan())


def test_shared_and_own_weights_do_not_mix() -> None:
    with pytest.raises(ValueError, match="shared weights"):
        classify(evolved(False), torch.zeros(1, 3), torch.tensor([0]), (None, 1.0))
