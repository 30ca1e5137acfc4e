import argparse
import json
import math
import os
from pathlib import Path

import numpy as np
import pytest
from published_champion import ACTIVATIONS, EDGES

from evo.champion import ChampionError, load, networks_of
from evo.commands import export, import_
from evo.exchange.matrix_champion import export_matrix, import_matrix
from evo.exchange.matrix_file import MatrixError, read_matrix
from evo.recorded import champion_path
from evo.rescore import genome_of, rescore
from genomes.topology import Topology

PAIRS = [tuple(int(end) for end in edge.split(",")) for edge in EDGES.split()]
DISABLED = [(0, 28), (1, 28), (2, 6)]
PROBLEM = "cartpole-swingup-v1"
FOLDER = Path(os.environ.get("EVO_DATA", "nowhere")).parent / "wann"
published = pytest.mark.skipif(
    not (FOLDER / "swing.out").is_file(), reason="beside the folder that EVO_DATA names, there is no wann/swing.out"
)


def command(module, *arguments):
    parser = argparse.ArgumentParser()
    module.configure(parser)
    return module.execute(parser.parse_args([str(argument) for argument in arguments]))


@pytest.fixture
def swing(tmp_path):
    """The published champion as its file has it, with weights that mean nothing, and some connections disabled."""
    cells = np.zeros((29, 30))
    for number, pair in enumerate(PAIRS):
        cells[pair] = -1.58 + 0.07 * number
    for pair in set(DISABLED) - set(PAIRS):
        cells[pair] = np.nan
    cells[:, 29] = ACTIVATIONS
    path = tmp_path / "swing.out"
    path.write_text("".join(",".join(f"{cell:1.2e}" for cell in row) + "\n" for row in cells))
    return path


def scored(champion, weight, episodes=100):
    return rescore(champion, weight=weight, episodes=episodes)["objectives"]["reward"]


def within_three_errors(score, mean, deviation):
    return abs(score["mean"] - mean) < 3 * max(deviation, score["sd"]) * math.sqrt(1 / 100 + 1 / score["n"])


def test_the_imported_champion_is_the_published_one(swing, tmp_path, capsys):
    out = tmp_path / "champion.json"
    assert command(import_, swing, "--problem", PROBLEM, "--out", out) == 0
    assert "22 hidden nodes, 52 connections, 2 more disabled" in capsys.readouterr().out
    champion = load(champion_path(out))
    assert [tuple(edge[:2]) for edge in champion.network["edges"]] == PAIRS
    assert champion.network["inputs"][0] == "position"
    assert champion.problem["settings"]["shared_weights"] == [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0]
    assert champion.algorithm == {"name": "imported", "settings": {"file": "swing.out"}}
    assert set(champion.fitness) == {"reward", "best_weight_reward"}
    assert len(champion.trials["reward"]) == 6


@pytest.mark.parametrize(
    ("weight", "mean", "deviation"),
    [("0.78", 723.4, 15.8), ("1.0", 701.5, 6.7), ("0.5", 521.6, 4.1), ("-2", 543.6, 97)],
)
def test_the_imported_champion_scores_as_published(swing, tmp_path, weight, mean, deviation):
    import_matrix(swing, PROBLEM).save(tmp_path / "champion.json")
    assert within_three_errors(scored(tmp_path / "champion.json", weight), mean, deviation)


def test_the_same_file_and_seed_give_the_same_champion(swing):
    assert import_matrix(swing, PROBLEM, seed=3) == import_matrix(swing, PROBLEM, seed=3)
    assert import_matrix(swing, PROBLEM, seed=3).fitness != import_matrix(swing, PROBLEM, seed=4).fitness


def test_the_genes_restore_and_express_to_the_network(swing, tmp_path):
    out = tmp_path / "champion.json"
    swing.write_text(swing.read_text().rstrip().removesuffix("1.00e+00") + "5.00e+00\n")  # the output: tanh
    import_matrix(swing, PROBLEM).save(out)
    champion = load(out)
    genome = genome_of(champion, out)
    row = genome.restore(champion.genes)
    described = genome.express(row).describe(0)
    assert described["activations"] == champion.network["activations"]
    assert described["activations"][-1] == "tanh"
    assert sorted(edge[:2] for edge in described["edges"]) == [edge[:2] for edge in champion.network["edges"]]
    assert genome.complexity(row).tolist() == [52.0]
    assert sum(not enabled for *_, enabled in champion.genes["connections"]) == 2
    rng = np.random.default_rng(0)
    for _ in range(5):  # it can evolve on
        genome, row = genome.fit(genome.mutate(row, rng))
    assert len(genome.express(row)) == 1


def test_tuned_weights_go_to_their_edges_and_shared_ones_still_work(swing, tmp_path):
    tuned = tmp_path / "tuned.json"
    tuned.write_text(json.dumps([[number / 10 for number in range(52)], 932]))
    out = tmp_path / "champion.json"
    assert command(import_, swing, "--problem", PROBLEM, "--out", out, "--tuned", tuned) == 0
    champion = load(out)
    assert champion.network["edges"] == [[*pair, pytest.approx(number / 10 - 1.5)] for number, pair in enumerate(PAIRS)]
    assert champion.problem["settings"]["shared_weights"] == []
    assert champion.algorithm["settings"] == {"file": "swing.out", "tuned": "tuned.json", "weight_bias": -1.5}
    assert len(champion.network["edges"]) == 52  # also the one whose tuned weight is 0, the sixteenth
    assert within_three_errors(scored(out, "0.78"), 723.4, 15.8)
    other = import_matrix(swing, PROBLEM, tuned, weight_bias=0.25)
    assert other.network["edges"][1][2] == pytest.approx(0.35)


def test_own_weights_are_the_files(swing, tmp_path):
    champion = import_matrix(swing, PROBLEM, own_weights=True)
    assert champion.problem["settings"]["shared_weights"] == []
    assert [edge[2] for edge in champion.network["edges"]][:2] == [-1.58, -1.51]


def test_what_does_not_fit_is_refused(swing, tmp_path):
    with pytest.raises(MatrixError, match="its 29 nodes are too few, but the problem has 64 inputs"):
        import_matrix(swing, "digits-v1")
    cells = swing.read_text().split(",")
    cells[4] = "1.00e+00"
    (tmp_path / "fewer.out").write_text(",".join(cells))
    with pytest.raises(MatrixError, match="have a connection into node 4, but the problem has 5 inputs"):
        import_matrix(tmp_path / "fewer.out", PROBLEM)
    with pytest.raises(MatrixError, match="there are none"):
        import_matrix(swing, PROBLEM, weight_bias=1.0)
    with pytest.raises(ValueError, match="did you mean 'cartpole-swingup-v1'"):
        import_matrix(swing, "cartpole-swingup")
    (tmp_path / "tiny.out").write_text("0,0,1\n0,0,1\n")
    with pytest.raises(MatrixError, match="its 2 nodes are too few, but the problem has 5 inputs"):
        import_matrix(tmp_path / "tiny.out", PROBLEM)
    (tmp_path / "tuned.json").write_text(json.dumps([[1.0] * 52]))
    for bias in (math.nan, math.inf, 1e39):
        with pytest.raises(MatrixError, match="no finite numbers"):
            import_matrix(swing, PROBLEM, tmp_path / "tuned.json", weight_bias=bias)
    (tmp_path / "tuned.json").write_text("[[1, 2]]")
    with pytest.raises(MatrixError, match="2 weights, the matrix file 52"):
        import_matrix(swing, PROBLEM, tmp_path / "tuned.json")


def test_exported_it_is_the_same_file(swing, tmp_path, capsys):
    out, again = tmp_path / "champion.json", tmp_path / "again.out"
    import_matrix(swing, PROBLEM).save(out)
    assert command(export, out, "--to", "matrix", "--out", again) == 0
    assert "the network's own" in capsys.readouterr().out
    assert again.read_text() == swing.read_text()


@pytest.mark.parametrize("hidden_always_enabled", [False, True])
def test_evolved_topologies_come_through(tmp_path, hidden_always_enabled):
    from evo.champion import Champion, network_of
    from evo.exchange import matrix_champion

    genome = Topology(3, 2, hidden_always_enabled=hidden_always_enabled, enable_connection_rate=0.01)
    rng = np.random.default_rng(5)
    rows = genome.sample(1, rng)
    for _ in range(60):
        genome, rows = genome.fit(genome.mutate(rows, rng))
    network = network_of(genome, rows[0], ("a", "b", "c"), ("x", "y"))
    part = {"name": "topology", "settings": {}}
    champion = Champion(part, part, part, genome.describe(rows[0]), {}, 0, 0, network=network)
    out = tmp_path / "evolved.out"
    matrix_champion.write(champion, out)
    matrix = read_matrix(out)
    again = matrix_champion.network_of(matrix, ("a", "b", "c"), ("x", "y"), out)
    one, other = networks_of(again), networks_of(network)
    assert one.describe(0) == other.describe(0)
    genes = genome.describe(rows[0])["connections"]
    assert len(genes) == len(matrix.enabled) + len(matrix.disabled)
    if not hidden_always_enabled:
        assert len(matrix.disabled) == sum(not enabled for *_, enabled in genes) > 3


def by_depth_then_identity(genes, inputs, outputs):
    """Return the number of each node, by identity, where nodes go by the longest path to them; reckoned one by one."""
    first = [float(identity - inputs - 1) for identity in range(inputs + 1)]
    into = {}
    for source, target, *_ in genes["connections"]:
        into.setdefault(target, []).append(source)

    def depth(identity):
        return 0 if identity < 0 else max([1, *(depth(source) + 1 for source in into.get(identity, []))])

    hidden = sorted((identity for identity, _ in genes["nodes"]), key=lambda identity: (depth(identity), identity))
    order = [*first, *hidden, *(float(number + 1) for number in range(outputs))]
    return {identity: number for number, identity in enumerate(order)}


@pytest.mark.parametrize("deeper_only", [False, True])
def test_disabled_connections_keep_their_places(deeper_only):
    from evo.champion import Champion, network_of
    from evo.settings import describe

    genome = Topology(3, 2, deeper_only=deeper_only, add_node_rate=1.0, add_connection_rate=1.0)
    rng = np.random.default_rng(5)
    rows = genome.sample(1, rng)
    for _ in range(40):
        genome, rows = genome.fit(genome.mutate(rows, rng))
    genes = genome.describe(rows[0])
    part = {"name": "p", "settings": {}}
    network = network_of(genome, rows[0], ("a", "b", "c"), ("x", "y"))
    champion = Champion(describe(genome), part, part, genes, {}, 0, 0, network=network)
    matrix = export_matrix(champion)
    if deeper_only:
        number = by_depth_then_identity(genes, 3, 2)
        assert list(number) != sorted(number)  # the two orders differ, or this would test nothing
    else:
        hidden = sorted(identity for identity, _ in genes["nodes"])
        number = {identity: place for place, identity in enumerate([-4.0, -3.0, -2.0, -1.0, *hidden, 1.0, 2.0])}
    expected = sorted([number[source], number[target]] for source, target, _, on in genes["connections"] if not on)
    assert matrix.disabled.tolist() == expected
    assert len(expected) > 3
    edges = sorted([number[source], number[target]] for source, target, _, on in genes["connections"] if on)
    assert matrix.enabled.tolist() == edges


def test_genes_in_a_circle_are_refused(make_network):
    from evo.champion import Champion

    network = {**make_network(0, hidden=2, edges=5), "edges": [[4, 5, 1.0]]}
    network["activations"] = ["linear"] * len(network["activations"])
    circle = [[0.25, 0.5, 1.0, False], [0.5, 0.25, 1.0, False]]
    genes = {"nodes": [[0.25, "linear"], [0.5, "linear"]], "connections": circle}
    part = {"name": "topology", "settings": {"deeper_only": True}}
    with pytest.raises(ChampionError, match="CycleError"):
        export_matrix(Champion(part, part, part, genes, {}, 0, 0, network=network))


def test_a_matrix_that_could_not_be_read_again_is_not_written(swing, tmp_path, monkeypatch):
    import_matrix(swing, PROBLEM).save(tmp_path / "champion.json")
    monkeypatch.setattr("evo.exchange.matrix_file.LARGEST_FILE", 1000)
    with pytest.raises(ChampionError, match="matrix files have at most 1000"):
        command(export, tmp_path / "champion.json", "--to", "matrix", "--out", tmp_path / "x.out")
    assert not (tmp_path / "x.out").exists()


def test_what_is_read_is_not_written_over(swing, tmp_path):
    tuned = tmp_path / "tuned.json"
    tuned.write_text(json.dumps([[1.0] * 52]))
    before = swing.read_text()
    for out in (swing, tuned, tmp_path / ".." / tmp_path.name / "swing.out"):
        with pytest.raises(ValueError, match=r"--out: .* is a file that is read"):
            command(import_, swing, "--problem", PROBLEM, "--out", out, "--tuned", tuned)
    with pytest.raises(ValueError, match="--out: there is no folder"):
        command(import_, swing, "--problem", PROBLEM, "--out", tmp_path / "lost" / "x.json")
    assert swing.read_text() == before


def test_networks_that_matrices_cannot_hold_are_refused(make_network):
    from evo.champion import Champion

    def champion(network, genes=None, genome="perceptron"):
        part = {"name": genome, "settings": {}}
        return Champion(part, part, part, genes or {}, {}, 0, 0, network=network)

    network = make_network(0, kinds=["linear", "tanh"])
    plain = {**network, "activations": ["linear"] * 4 + network["activations"][4:]}
    assert export_matrix(champion(plain)).disabled.tolist() == []
    with pytest.raises(ChampionError, match="recurrent"):
        export_matrix(champion({**plain, "edges": [[5, 4, 1.0]]}))
    with pytest.raises(ChampionError, match="activation of its own"):
        export_matrix(champion({**plain, "activations": ["linear", "tanh", *plain["activations"][2:]]}))
    with pytest.raises(ChampionError, match="no network"):
        export_matrix(champion(None))
    for genes in ({}, {"nodes": [], "connections": []}, {"nodes": 3, "connections": []}):
        with pytest.raises(ChampionError, match="genes are not those of its network"):
            export_matrix(champion(plain, genes, "topology"))


@published
def test_the_published_files_come_through_byte_by_byte(tmp_path):
    for name in ("swing.out", "sample_best_laptop_swing_8core.out", "prettyNEAT_demo_swingup_best.out"):
        champion = import_matrix(FOLDER / name, PROBLEM)
        command_line = tmp_path / name
        champion.save(tmp_path / "champion.json")
        assert command(export, tmp_path / "champion.json", "--to", "matrix", "--out", command_line) == 0
        assert command_line.read_text() == (FOLDER / name).read_text(), name


@published
def test_the_published_tuned_weights_score_as_published(tmp_path):
    out = tmp_path / "champion.json"
    import_matrix(FOLDER / "swing.out", PROBLEM, FOLDER / "cartpole_swingup.wann.json").save(out)
    assert within_three_errors(scored(out, "own"), 931.96, 6.28)
    assert within_three_errors(scored(out, "0.78"), 723.4, 15.8)


@published
def test_the_published_prettyneat_champion_holds_the_pole_up_with_its_own_weights(tmp_path):
    out = tmp_path / "champion.json"
    import_matrix(FOLDER / "prettyNEAT_demo_swingup_best.out", PROBLEM, own_weights=True).save(out)
    assert scored(out, "own", 20)["mean"] > 850


def test_it_has_a_page_as_others_have(swing, tmp_path):
    from evo.show import show

    import_matrix(swing, PROBLEM).save(tmp_path / "champion.json")
    summary, page = show(tmp_path / "champion.json")
    assert "found by imported" in summary
    assert "52 connections" in summary
    assert "angular velocity" in page.read_text()
