"""A genome searched around what it learned: scaled, masked, drawn back, and otherwise the genome inside."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import settings as steady_settings
from hypothesis import strategies as st

from evo import seeds
from evo.algorithm import Algorithm
from evo.algorithms.distribution import CMAES, PGPE, SNES
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.campaign import Campaign
from evo.champion import load
from evo.function_problem import fitness
from evo.genome import Genome
from evo.learning.consolidation.importance import Importance
from evo.networks import Networks
from evo.rescore import genome_of, rescore
from evo.testing import Check
from evo.testing.genome_checks import genome_checks
from genomes.consolidated import Consolidated
from genomes.fixed_network import FixedNetwork
from genomes.perceptron import Perceptron
from genomes.python_object import PythonObject
from genomes.topology import Topology
from genomes.vector import Vector

SOURCE = """
import torch
import evo
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.learning.consolidation.importance import Importance
from genomes.consolidated import Consolidated
from genomes.perceptron import Perceptron
from problems.transfer.anchored import Anchored
from problems.xor import Xor

importance = Importance(torch.linspace(0.0, 3.0, 13), torch.linspace(-1.0, 1.0, 13))
genome = Consolidated(Perceptron.for_problem(Xor(), hidden=(3,)), importance)
campaign = evo.Campaign(
    Anchored(Xor(), importance, strength=0.1), genome, MuPlusLambda(population=6), generations=3, name="mine"
)
"""


def importance(size: int, seed: int = 0) -> Importance:
    generator = torch.Generator().manual_seed(seed)
    precision = torch.rand(size, generator=generator) ** 4
    return Importance(precision, torch.randn(size, generator=generator))


PERCEPTRON = Perceptron(2, 1, (3,))
SIZE = 13


def consolidated(inside: Genome = PERCEPTRON, size: int = SIZE, **settings: object) -> Consolidated:
    return Consolidated(inside, importance(size), **settings)  # type: ignore[arg-type]


def network() -> FixedNetwork:
    row = PERCEPTRON.sample(1, seeds.rng(0, "network"))
    described = PERCEPTRON.express(row).describe(0)
    return FixedNetwork.from_network({"inputs": ["a", "b"], "outputs": ["c"], **described})


GENOMES = {
    "perceptron": consolidated(),
    "with a start of its own": consolidated(initial_deviation=0.5),
    "masked": consolidated(mask=0.4, initial_deviation=0.2),
    "drawn back": consolidated(decay=0.3),
    "not scaled": consolidated(scaled=False, uniform=True, decay=0.1),
    "shuffled": consolidated(shuffle_seed=3),
    "network": consolidated(network()),
    "vector": consolidated(Vector(4), 4),
}


@pytest.mark.parametrize("check", genome_checks, ids=str)
@pytest.mark.parametrize("genome", GENOMES.values(), ids=GENOMES.keys())
def test_it_is_a_genome(genome: Genome, check: Check) -> None:
    from evo.testing import CheckSkipped

    try:
        check.run(genome)
    except CheckSkipped:
        return


def theta(genome: Consolidated, rows: torch.Tensor) -> torch.Tensor:
    """Return the weights that rows express to."""
    networks = genome.express(rows)
    assert isinstance(networks, Networks)
    return networks.edge_weights.view(len(rows), -1)


def test_it_starts_at_the_anchor() -> None:
    genome = consolidated()
    rows = genome.sample(3, seeds.rng(0, "sample"))
    assert torch.equal(theta(genome, rows), genome.importance.anchor.expand(3, -1))
    assert genome.penalty(rows).tolist() == [0.0] * 3


def test_moves_are_scaled_weight_by_weight() -> None:
    genome = consolidated(damping=0.01)
    rows = genome.sample(20_000, seeds.rng(0, "sample"))
    moves = theta(genome, genome.mutate(rows, seeds.rng(1, "mutate"))) - genome.importance.anchor
    expected = (genome.importance.precision + 0.01).rsqrt()
    expected *= 0.1 / expected.square().mean().sqrt()
    torch.testing.assert_close(moves.std(0), expected, rtol=0.03, atol=0.0)


@steady_settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**31), st.floats(1e-5, 1.0), st.sampled_from([0.0, 0.25, 0.5]), st.booleans())
def test_moves_keep_their_size_in_the_mean_of_free_weights(
    seed: int, damping: float, mask: float, shuffled: bool
) -> None:
    inside = Vector(40, -1e6, 1e6, mutation_deviation=1e-7)  # moves of 0.2
    genome = Consolidated(
        inside, importance(40, seed), damping=damping, mask=mask, shuffle_seed=seed if shuffled else None
    )
    rows = genome.sample(500, seeds.rng(seed, "sample"))
    moved = genome.unwrapped(genome.mutate(rows, seeds.rng(seed, "mutate"))) - genome.unwrapped(rows)
    free = moved[:, :40].abs().amax(0) > 0
    assert int(free.sum()) == 40 - round(40 * mask)
    assert float(moved[:, :40][:, free].square().mean().sqrt()) == pytest.approx(0.2, rel=0.15)


def test_masked_weights_never_leave_the_anchor() -> None:
    genome = consolidated(mask=0.4, initial_deviation=1.0)
    frozen = genome.importance.precision.argsort(descending=True)[:5]
    free = [place for place in range(SIZE) if place not in frozen.tolist()]
    rows = genome.sample(8, seeds.rng(0, "sample"))
    for step in range(3):
        rows = genome.crossover(genome.mutate(rows, seeds.rng(step, "m")), rows.flip(0), seeds.rng(step, "c"))
    rows[:, genome.layout.columns("edge_weight")] += 3.0  # as search distributions do, whatever they move
    weights = theta(genome, rows)
    assert torch.equal(weights[:, frozen], genome.importance.anchor[frozen].expand(8, -1))
    assert bool((weights[:, free] != genome.importance.anchor[free]).all())


def test_important_weights_are_drawn_back_more() -> None:
    still = replace(PERCEPTRON, mutation_deviation=0.0)
    genome = consolidated(still, decay=2.0, initial_deviation=1.0)
    rows = genome.sample(4, seeds.rng(0, "sample"))
    off = theta(genome, rows) - genome.importance.anchor
    after = theta(genome, genome.mutate(rows, seeds.rng(1, "m"))) - genome.importance.anchor
    torch.testing.assert_close(after, off / (1.0 + 2.0 * genome.importance.precision), atol=1e-5, rtol=1e-4)
    uniform = replace(genome, uniform=True)
    rows = uniform.sample(4, seeds.rng(0, "sample"))
    off = theta(uniform, rows) - genome.importance.anchor
    after = theta(uniform, uniform.mutate(rows, seeds.rng(1, "m"))) - genome.importance.anchor
    torch.testing.assert_close(after, off / (1.0 + 2.0 * genome.importance.precision.mean()), atol=1e-5, rtol=1e-4)


def test_the_penalty_is_of_the_weights_and_is_the_complexity() -> None:
    genome = consolidated(initial_deviation=0.5)
    rows = genome.sample(5, seeds.rng(0, "sample"))
    off = (theta(genome, rows) - genome.importance.anchor).double()
    expected = 0.5 * (genome.importance.precision * off**2).sum(1)
    torch.testing.assert_close(genome.complexity(rows), expected, rtol=1e-5, atol=1e-8)
    assert torch.equal(genome.features(rows)["penalty"], genome.complexity(rows))
    assert genome.recorded_features == ("penalty",)


def test_a_child_of_two_parents_has_the_exact_genes_of_either() -> None:
    genome = consolidated(initial_deviation=1.0)
    first, second = (genome.sample(50, seeds.rng(seed, "sample")) for seed in (0, 1))
    children = genome.crossover(first, second, seeds.rng(2, "crossover"))
    from_first, from_second = (children == first)[:, :SIZE], (children == second)[:, :SIZE]
    assert bool((from_first | from_second).all())
    assert 0.3 < float(from_first.double().mean()) < 0.7


def test_blended_weights_lie_where_the_genome_inside_puts_them() -> None:
    genome = consolidated(Vector(4, -9.0, 9.0), 4, initial_deviation=0.5)
    first, second = (genome.sample(20, seeds.rng(seed, "sample")) for seed in (0, 1))
    children = genome.crossover(first, second, seeds.rng(2, "crossover"))
    inside = genome.genome.crossover(genome.unwrapped(first), genome.unwrapped(second), seeds.rng(2, "crossover"))
    torch.testing.assert_close(genome.unwrapped(children)[:, :4], inside[:, :4])


def test_learned_weights_are_taken_over() -> None:
    genome = consolidated(mask=0.2)
    rows = genome.sample(2, seeds.rng(0, "sample"))
    learned = genome.express(rows).with_weights(torch.arange(2.0 * SIZE))
    free = genome.scale > 0
    after = theta(genome, genome.absorb(rows, learned))
    torch.testing.assert_close(after[:, free], torch.arange(2.0 * SIZE).view(2, -1)[:, free])
    assert torch.equal(after[:, ~free], genome.importance.anchor[~free].expand(2, -1))


@fitness(maximize="closeness", accepts=Networks, batch=True, inputs=("a", "b"), outputs=("c",))
def aim(networks: Networks) -> torch.Tensor:
    """The output for the case (1, 1) is to be 7."""
    return -(networks.forward(torch.ones(1, 2))[:, 0, 0] - 7.0).abs()


@pytest.mark.parametrize(
    "algorithm",
    [
        MuPlusLambda(population=20),
        SNES(population=20, standard_deviation=0.3),
        PGPE(population=20, standard_deviation=0.3, center_learning_rate=0.3),
        CMAES(population=20, standard_deviation=0.3),
    ],
    ids=lambda algorithm: algorithm.name,
)
def test_any_algorithm_searches_it(algorithm: Algorithm, tmp_path: Path) -> None:
    campaign = Campaign(aim, consolidated(mask=0.1), algorithm, generations=25)
    champion = campaign.run(out=tmp_path / "run", quiet=True)
    start = Campaign(aim, consolidated(mask=0.1), algorithm, generations=1).run(out=tmp_path / "start", quiet=True)
    assert champion.fitness["closeness"] > start.fitness["closeness"]
    genome = consolidated(mask=0.1)
    restored = genome.restore(json.loads(json.dumps(champion.genes)))
    scores = aim.evaluate(genome.express(restored), seeds.rng(0, "again")).scores
    assert float(scores) == pytest.approx(champion.fitness["closeness"], abs=1e-5)
    inside = PERCEPTRON.restore(champion.genes["expressed"])
    assert torch.equal(PERCEPTRON.express(inside).edge_weights, theta(genome, restored)[0])


def test_with_complexity_there_is_a_front_from_the_anchor_to_the_new_task(tmp_path: Path) -> None:
    algorithm = MuPlusLambda(population=30, complexity=True)
    Campaign(aim, consolidated(), algorithm, generations=40).run(out=tmp_path / "run", quiet=True)
    front = json.loads((tmp_path / "run/default/seed-0/archive.json").read_text())["front"]
    pairs = sorted((one["complexity"], one["fitness"]["closeness"]) for one in front)
    assert pairs[0][0] == 0.0
    assert len(pairs) > 5
    assert [score for _, score in pairs] == sorted(score for _, score in pairs)
    assert pairs[-1][1] > pairs[0][1] + 1.0


def test_a_champion_comes_back_from_its_folder(tmp_path: Path) -> None:
    from evo.loading import load_campaign

    source = tmp_path / "mine.py"
    source.write_text(SOURCE)
    campaign = load_campaign(source)
    campaign.run(out=tmp_path / "run", source=source, quiet=True)
    file = tmp_path / "run/champion.json"
    champion = load(file)
    genome = genome_of(champion, file)
    assert isinstance(genome, Consolidated)
    networks = genome.express(genome.restore(champion.genes))
    assert networks.describe(0)["edges"] == champion.networks().describe(0)["edges"]
    own = rescore(file)
    first = next(iter(champion.fitness))
    assert own["objectives"][first]["mean"] == pytest.approx(champion.fitness[first])
    assert rescore(file, problem="xor-v1")["problem"] == "xor-v1"
    source.write_text(SOURCE.replace("3.0, 13", "4.0, 13"))
    assert load_campaign(source).configuration() != campaign.configuration()


def test_what_cannot_be_consolidated_is_refused() -> None:
    with pytest.raises(TypeError, match="names no field in `weights`"):
        consolidated(PythonObject(lambda rng: 1, lambda value, rng: value))
    with pytest.raises(ValueError, match=r"expected one of \[13\] weights"):
        consolidated(size=12)
    with pytest.raises(ValueError, match="damping: expected a number above 0"):
        consolidated(damping=0.0)
    with pytest.raises(ValueError, match="frozen: expected a share"):
        consolidated(mask=1.5)
    with pytest.raises(ValueError, match="decay and initial_deviation"):
        consolidated(decay=-1.0)


def test_a_genome_whose_structure_changes_is_refused() -> None:
    topology = Topology(2, 1, initial_connection_rate=1.0)
    columns = topology.layout.columns("edge_weight")
    with pytest.raises(TypeError, match="its structure changes"):
        consolidated(topology, columns.stop - columns.start)
    full = Topology(2, 1, initial_connection_rate=1.0, hidden=1, connections=3)
    genome = consolidated(full, 3)
    with pytest.raises(TypeError, match="its structure changes"):  # as soon as it is to have room for more
        genome.fit(genome.sample(4, seeds.rng(0, "sample")))
