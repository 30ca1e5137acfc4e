from dataclasses import replace

import pytest

from evo.champion import Champion
from evo.inspect import summary
from evo.inspect.page import RunHistory
from evo.inspect.summary import champion_summary, sparkline

CHAMPION = Champion(
    genome={"name": "topology", "settings": {}},
    problem={"name": "swing-v1", "settings": {"shared_weights": [-1.5, 2.0]}},
    algorithm={"name": "weight-agnostic-search", "settings": {}},
    genes={},
    fitness={"reward": 584.25},
    generation=12,
    seed=3,
    network={
        "inputs": ["position", "velocity"],
        "outputs": ["force"],
        "activations": ["linear", "linear", "linear", "tanh", "tanh", "linear"],
        "edges": [[1, 3, 1.5], [3, 4, -0.5], [4, 5, 1.0], [4, 4, 1.0]],
    },
    trials={"reward": [[1.0, 3.0], [10.0, 20.0]]},
)
HISTORY = [RunHistory("default", seed, [1, 2, 3, 4], [0.0, 1.0, 2.0, float(seed)], [0.0] * 4) for seed in (2, 3)]


def test_the_summary_says_what_it_is():
    text = champion_summary(CHAMPION, HISTORY)
    lines = [line.split() for line in text.splitlines()]
    assert "Champion of swing-v1: topology, found by weight-agnostic-search" in text
    assert ["reward", "584.25"] in lines
    assert "6 nodes (2 hidden), 4 connections, 1 of them recurrent, 3 layers" in text
    assert "tanh 2, linear 1" in text
    assert "unused inputs bias, velocity" in text
    assert ["-1.5", "2", "1"] in lines  # mean and standard deviation of 1 and 3
    assert ["2", "15", "5"] in lines
    assert "4 generations, from 0 to 3" in text  # of its own seed, not of the other
    assert text.splitlines()[-1].strip() == "▁▃▆█"


def test_own_weights_and_missing_parts():
    own = replace(CHAMPION, problem={"name": "p", "settings": {}}, trials={"reward": [[1.0, 3.0]]})
    assert ["own", "2", "1"] in [line.split() for line in champion_summary(own, []).splitlines()]
    assert "weight " not in champion_summary(replace(CHAMPION, trials={}), [])


def test_a_genome_that_is_no_network_shows_its_genes():
    text = champion_summary(replace(CHAMPION, network=None, genes={"values": [0.5, 2.0]}), [])
    assert "values (2)" in text
    assert "0.5, 2" in text
    assert "nodes" not in text


def test_never_more_than_30_lines_of_100_letters():
    many = {f"objective number {number} with a long name": float(number) for number in range(50)}
    weights = [number / 10 for number in range(50)]
    champion = replace(
        CHAMPION,
        fitness=many,
        problem={"name": "p" * 500, "settings": {"shared_weights": weights}},
        trials={"reward": [[1.0]] * 50},
        network={
            **CHAMPION.network,
            "inputs": [f"input{n}" for n in range(500)],
            "activations": ["sin"] * 700,
            "edges": [],
        },
    )
    for one in (champion, replace(champion, network=None, genes=dict.fromkeys(many, [1.0] * 999))):
        lines = champion_summary(
            one, [RunHistory("default", 3, list(range(999)), [1.0] * 999, [1.0] * 999)]
        ).splitlines()
        assert len(lines) <= 30
        assert max(map(len, lines)) <= 100


@pytest.mark.parametrize(
    "change",
    [
        {"problem": {"name": "\x1b[2J"}},
        {"genome": {"name": "\x1b[2J"}},
        {"algorithm": {"name": "\x1b[2J"}},
        {"variant": "\x1b[2J"},
        {"seed": "\x1b[2J"},
        {"generation": "\x1b[2J"},
        {"fitness": {"\x1b[2J": 1.0}},
        {"fitness": {"reward": "\x1b[2J"}},
        {"trials": {"\x1b[2J": [[1.0]]}},
        {"problem": {"name": "p", "settings": {"shared_weights": ["\x1b[2J", 1.0]}}},
        {"network": {**CHAMPION.network, "inputs": ["position", "\x1b[2J"]}},
        {"network": None, "genes": {"\x1b[2J": "\x1b[2J"}},
    ],
)
def test_hostile_words_cannot_steer_the_terminal(change, monkeypatch):
    hostile = replace(CHAMPION, **change)
    assert "\x1b" not in champion_summary(hostile, HISTORY)
    assert "\u202e" not in champion_summary(replace(CHAMPION, variant="\u202e\r"), HISTORY)
    monkeypatch.setattr("evo.inspect.text.plain", lambda value, longest=0: str(value))
    monkeypatch.setattr(summary, "plain", lambda value, longest=0: str(value))
    assert "\x1b" in champion_summary(hostile, HISTORY)  # the control: the words do get there


def test_sparklines_keep_to_their_width():
    assert sparkline([1.0]) == "▁"
    assert sparkline([3.0, 3.0]) == "▁▁"
    long = sparkline([float(n) for n in range(1000)], 20)
    assert len(long) == 20
    assert long == "".join(sorted(long))
    assert (long[0], long[-1]) == ("▁", "█")
