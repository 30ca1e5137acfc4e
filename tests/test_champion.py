import json

import pytest
import torch

from evo.champion import FORMAT, Champion, ChampionError, load, network_of
from evo.settings import digest
from genomes.perceptron import Perceptron
from genomes.topology import Topology


def a_champion(**changes):
    import numpy as np

    genome = Topology(2, 1)
    row = genome.sample(1, np.random.default_rng(0))[0]
    part = {"name": "x", "settings": {}}
    fields = {
        "genome": part, "problem": part, "algorithm": part, "genes": genome.describe(row), "fitness": {"score": 1.5},
        "generation": 3, "seed": 0, "network": network_of(genome, row, ("a", "b"), ("out",)),
    }  # fmt: skip
    return Champion(**{**fields, **changes})


def test_what_is_saved_is_loaded(tmp_path):
    path = tmp_path / "champion.json"
    champion = a_champion()
    champion.save(path)
    assert load(path) == champion
    assert len(load(path).networks()) == 1


def rewritten(path, change):
    """A champion file changed by someone who knows how to make the checksum fit."""
    a_champion().save(path)
    body = json.loads(path.read_text())
    del body["format"], body["sha256"]
    change(body)
    path.write_text(json.dumps({"format": FORMAT, "sha256": digest(body), **body}))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda body: body["network"]["activations"].append("os.system"), "wrongly"),
        (lambda body: body["network"]["edges"].append([0, 99, 1.0]), "nowhere"),
        (lambda body: body["network"]["edges"].append([0, 1, 1.0]), "nowhere"),
        (lambda body: body["network"]["edges"].append([0, "3", 1.0]), "wrongly"),
        (lambda body: body["network"]["edges"].append([0, 3, "nan"]), "wrongly"),
        (lambda body: body["network"]["edges"].extend([[0, 3, 1.0], [0, 3, 1.0]]), "twice"),
        (lambda body: body["network"].pop("inputs"), "wrongly"),
        (lambda body: body.update(problem=3), "wrong type"),
        (lambda body: body.update(surprise=1), "unknown"),
        (lambda body: body.pop("genes"), "missing"),
        (lambda body: body["fitness"].update(score="high"), "no number"),
        (lambda body: body["trials"].update(score=5), "trials of 'score': expected a list per shared weight"),
        (lambda body: body["trials"].update(score=[1.0]), "trials of 'score': expected a list per shared weight"),
        (lambda body: body["trials"].update(score=[["a"]]), "of a number per episode"),
    ],
)
def test_impossible_champions_are_refused(tmp_path, change, said):
    path = tmp_path / "champion.json"
    rewritten(path, lambda body: None)
    load(path)  # the control: unchanged, the same file is fine
    rewritten(path, change)
    with pytest.raises(ChampionError, match=said):
        load(path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not a champion file"),
        (b"[" * 100_000, "not a champion file"),
        (b'{"format": "evo.champion/9"}', "later version"),
        (b'{"format": "evo.champion/1", "x": NaN}', "NaN"),
        (b'{"format": "evo.champion/1", "x": 1e999}', "beyond"),
        (b"\x80\x04\x95", "not a champion file"),
    ],
)
def test_other_files_are_refused(tmp_path, content, said):
    path = tmp_path / "champion.json"
    path.write_bytes(content)
    with pytest.raises(ChampionError, match=said):
        load(path)


def test_an_edited_file_is_told_by_its_checksum(tmp_path):
    path = tmp_path / "champion.json"
    a_champion().save(path)
    path.write_text(path.read_text().replace("1.5", "9.5"))
    with pytest.raises(ChampionError, match="checksum"):
        load(path)


def test_networks_run_as_their_genomes_do():
    import numpy as np

    for genome in (Topology(3, 2, initial_connection_rate=1.0), Perceptron(3, 2, hidden=(4,))):
        rows = genome.sample(1, np.random.default_rng(1))
        champion = a_champion(network=network_of(genome, rows[0], (), ()))
        cases = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(champion.networks().forward(cases), genome.express(rows).forward(cases))
