"""A champion's ancestors, against an observer of the run itself, who writes down every row as it is evaluated."""

import json
import shutil
from dataclasses import replace
from itertools import pairwise

import pytest

from evo import ancestry as module
from evo import lineage
from evo.ancestry import _change, _merged, _thinned, ancestry, descent
from evo.champion import load, network_of
from evo.inspect.ancestor import Ancestor
from evo.loading import load_campaign
from evo.search import Search

SOURCE = """
from evo import Campaign
from evo.algorithms.map_elites import MapElites
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from evo.learning.weight_tuning import TunedWeights
from genomes.topology import Topology
from genomes.vector import Vector
from problems.control.cartpole_swingup import CartPoleSwingUp

shared = CartPoleSwingUp(shared_weights=(-1.0, 1.0), episodes=2, steps=60)
own = CartPoleSwingUp(episodes=2, steps=60)
learning = TunedWeights(own, steps=1, population=4, inheritance="lamarckian")
grown = {"add_node_rate": 1.0, "add_connection_rate": 1.0, "hidden": 2}
weights = Topology.for_problem(own, weight_rate=1.0, recurrent=True)
campaign = Campaign(
    shared, Topology.for_problem(shared, **grown), WeightAgnosticSearch(population=16), generations=12, seeds=(0, 1),
    variants={
        "wann": {},
        "paired": {"problem": own, "genome": weights, "algorithm": MuPlusLambda(population=12, crossover_rate=1.0)},
        "mapped": {"algorithm": MapElites(population=12, highs=(40.0, 10.0), cells=(10, 10))},
        "learned": {"problem": learning, "genome": weights, "algorithm": MuPlusLambda(population=8), "generations": 5},
    },
)
"""
RUNS = (("wann", 0), ("wann", 1), ("paired", 0), ("mapped", 0), ("learned", 0))


@pytest.fixture(scope="module")
def observed(tmp_path_factory):
    """A finished campaign's folder, and per run, generation and identity: parents, network and score."""
    folder = tmp_path_factory.mktemp("ancestry")
    source = folder / "campaign.py"
    source.write_text(SOURCE)
    campaign = load_campaign(source)
    seen = {}
    real = Search.evaluate

    def observe(search, genome, rows):
        generation = search.generation
        outcomes = real(search, genome, rows)
        lived, layout = outcomes.inherited(rows), genome.layout
        names = [lineage.identities(layout, rows, name).tolist() for name in ("uid", "first_parent", "second_parent")]
        for place, (uid, *parents) in enumerate(zip(*names, strict=True)):
            network = network_of(genome, lived[place], campaign.problem.inputs, campaign.problem.outputs)
            seen[search.run_name].setdefault(uid, (generation, parents, network, float(outcomes.scores[place, 0])))
        return outcomes

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Search, "evaluate", observe)
        for variant, seed in RUNS:
            seen[variant, seed] = {}
            patch.setattr(Search, "run_name", (variant, seed), raising=False)
            single = replace(campaign, seeds=(seed,), variants={variant: campaign.variants[variant]})
            single.run(out=folder / f"{variant}-{seed}", source=source, quiet=True)
    return folder, seen


def champion_file(observed, variant="wann", seed=0):
    return observed[0] / f"{variant}-{seed}" / variant / f"seed-{seed}" / "champion.json"


def whole_line(seen, uid):
    """Return (generation, uid, network, score) of an individual and its first parents, the oldest first."""
    line = []
    while uid >= 0:
        generation, (parent, _), network, score = seen[uid]
        line.append((generation, uid, network, score))
        uid = parent
    return line[::-1]


@pytest.mark.parametrize(("variant", "seed"), RUNS)
def test_ancestors_are_the_individuals_that_lived(observed, variant, seed, monkeypatch):
    monkeypatch.setattr(module, "_merged", lambda line: line)
    file = champion_file(observed, variant, seed)
    champion = load(file)
    told = descent(file, most=1000)
    expected = whole_line(observed[1][variant, seed], champion.lineage["uid"])
    if variant == "learned":  # and was measured, and taught, again later
        expected[-1] = (*expected[-1][:2], champion.network, expected[-1][3])
    assert told.reason == ""
    assert [(one.generation, one.uid, one.network, one.score) for one in told.ancestors] == expected
    assert told.ancestors[0].generation == 0
    assert told.ancestors[-1].network == champion.network


def test_lines_that_are_compared_are_long_and_change(observed):
    lines = [ancestry(champion_file(observed, *run)) for run in RUNS]
    assert max(map(len, lines)) >= 6
    assert all(one.network != other.network for line in lines for one, other in pairwise(line))
    edges = [len(one.network["edges"]) for line in lines for one in line]
    assert max(edges) > min(edges)
    parents = [observed[1]["paired", 0][one.uid][1] for one in ancestry(champion_file(observed, "paired"))]
    assert any(second > first >= 0 for first, second in parents)


def test_the_campaigns_own_champion_file_has_the_same_ancestors(observed):
    file = champion_file(observed)
    assert ancestry(file.parents[2] / "champion.json") == ancestry(file) != []


def test_every_generation_up_to_the_champions_is_bred_and_none_is_evaluated(observed, monkeypatch):
    file = champion_file(observed)
    problem = load_campaign(observed[0] / "campaign.py").problem
    bred = []
    real = module.recorded_outcomes
    monkeypatch.setattr(module, "recorded_outcomes", lambda *given: bred.append(1) or real(*given))
    monkeypatch.setattr(type(problem), "evaluate", lambda *given: pytest.fail("evaluated"))
    assert ancestry(file)
    assert len(bred) == load(file).generation + 1


def copied(observed, folder, variant="wann", seed=0):
    shutil.copytree(champion_file(observed, variant, seed).parents[2], folder / "copy")
    return folder / "copy" / variant / f"seed-{seed}" / "champion.json"


def rewrite(file, **changes):
    replace(load(file), **changes).save(file)


def test_a_changed_file_of_the_campaign_gives_way_to_the_copy(observed, tmp_path):
    file = copied(observed, tmp_path)
    changed = tmp_path / "changed.py"
    changed.write_text(SOURCE.replace("population=16", "population=20"))
    settings = json.loads((tmp_path / "copy" / "campaign.json").read_text())
    (tmp_path / "copy" / "campaign.json").write_text(json.dumps({**settings, "file": str(changed)}))
    assert ancestry(file) == ancestry(champion_file(observed)) != []
    shutil.copyfile(changed, tmp_path / "copy" / "source.py")
    assert descent(file).ancestors == []
    assert "not the ones this code makes" in descent(file).reason


def without_campaign(file):
    file.rename(file.parents[3] / "champion.json")
    return file.parents[3] / "champion.json"


def without_source(file):
    folder = file.parents[2]
    (folder / "source.py").unlink()
    settings = json.loads((folder / "campaign.json").read_text())
    (folder / "campaign.json").write_text(json.dumps({**settings, "file": None}))


def with_failing_source(file):
    without_source(file)
    (file.parents[2] / "source.py").write_text("raise LookupError('moved')")


def cut_journal(file):
    journal = file.with_name("journal.jsonl")
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))


def damaged_journal(file):
    journal = file.with_name("journal.jsonl")
    journal.write_bytes(journal.read_bytes().replace(b'"births"', b'"birthz"', 1))


def damaged_campaign(file):
    (file.parents[2] / "campaign.json").write_text("{")


def other_network(file):
    network = load(file).network
    rewrite(file, network={**network, "edges": [[0, len(network["activations"]) - 1, 7.0]]})


REASONS = {
    "no campaign": (without_campaign, "no campaign's folder"),
    "no source": (without_source, "made without a file"),
    "failing source": (with_failing_source, "LookupError: moved"),
    "no journal": (lambda file: file.with_name("journal.jsonl").unlink(), "journal has gone"),
    "cut journal": (cut_journal, "holds no generation"),
    "damaged journal": (damaged_journal, "holds no generation"),
    "damaged campaign": (damaged_campaign, "no JSON"),
    "other seed": (lambda file: rewrite(file, seed=5), "no longer makes the run"),
    "other variant": (lambda file: rewrite(file, variant="../../x"), "no longer makes the run"),
    "unborn": (lambda file: rewrite(file, lineage={"uid": 10**6, "parents": []}), "not of the run"),
    "other parents": (lambda file: rewrite(file, lineage={"uid": 0, "parents": [3]}), "not of the run"),
    "no lineage": (lambda file: rewrite(file, lineage={}), "not of the run"),
    "lineage of lists": (lambda file: rewrite(file, lineage={"uid": [1]}), "TypeError"),
    "later": (lambda file: rewrite(file, generation=10**9), "holds no generation"),
    "before time": (lambda file: rewrite(file, generation=-1), "holds no generation"),
    "other network": (other_network, "not the one that its run made"),
}


@pytest.mark.parametrize(("harm", "reason"), REASONS.values(), ids=REASONS.keys())
def test_where_there_are_no_ancestors_it_says_why(observed, tmp_path, harm, reason):
    file = copied(observed, tmp_path)
    file = harm(file) or file
    told = descent(file)
    assert told.ancestors == ancestry(file) == []
    assert reason in told.reason


def test_genomes_that_are_no_network_have_none(tmp_path):
    source = tmp_path / "plain.py"
    source.write_text(
        "import evo\nfrom evo.algorithms.mu_plus_lambda import MuPlusLambda\nfrom genomes.vector import Vector\n"
        "@evo.fitness(maximize='score')\ndef score(x):\n    return -float((x ** 2).sum())\n"
        "campaign = evo.Campaign(score, Vector(3), MuPlusLambda(population=4), generations=2)\n"
    )
    load_campaign(source).run(out=tmp_path / "run", source=source, quiet=True)
    told = descent(tmp_path / "run" / "champion.json")
    assert told.ancestors == []
    assert "vector is no network" in told.reason


def line_of(sizes, step=1):
    """Return ancestors, one per `step` generations, each with a network of so many edges."""
    base = {"inputs": ["x"], "outputs": ["y"], "activations": ["linear"] * 3}
    return [
        Ancestor(step * place, place, {**base, "edges": [[0, 2, 1.0]] * size}, float(place))
        for place, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("sizes", "kept"),
    [
        ([1], [0]),
        ([1, 2, 3], [0, 1, 2]),
        ([1, 1, 2, 2, 2, 3], [0, 2, 5]),
        ([1, 2, 2, 1], [0, 1, 3]),
        ([1, 2, 2, 2], [0, 3]),
        ([1, 1], [0, 1]),
        ([1, 1, 1], [0, 2]),
    ],
)
def test_equal_neighbours_are_told_once_and_the_champion_always(sizes, kept):
    assert [one.uid for one in _merged(line_of(sizes))] == kept


def test_a_long_line_keeps_its_ends_and_the_greatest_changes_of_all_times():
    sizes = [place // 10 + (50 if place in (15, 45, 46, 85) else 0) for place in range(100)]
    kept = [one.uid for one in _thinned(line_of(sizes), 12)]
    assert len(kept) == 12
    assert (kept[0], kept[-1]) == (0, 99)
    assert {15, 45, 85} <= set(kept)
    stretches = [uid * 10 // 99 for uid in kept[1:-1]]
    assert stretches == list(range(10))


def test_a_line_that_is_dense_at_first_fills_its_places():
    line = line_of(range(1, 40)) + [replace(one, generation=1000) for one in line_of(range(1, 41))[-1:]]
    kept = _thinned(line, 20)
    assert len(kept) == 20
    assert (kept[0], kept[-1]) == (line[0], line[-1])


def test_short_lines_are_whole_and_two_is_the_least():
    line = line_of(range(1, 6))
    assert _thinned(line, 5) == line
    assert _thinned(line, 2) == [line[0], line[-1]]
    with pytest.raises(ValueError, match="2 or more"):
        descent("champion.json", most=1)


def test_changes_of_structure_count_and_weights_do_not():
    old = {"activations": ["linear", "tanh", "linear"], "edges": [[0, 2, 1.0]]}
    assert _change(old, {**old, "edges": [[0, 2, -3.0]]}) == 0
    assert _change(old, {**old, "activations": ["linear", "sin", "linear"]}) == 2
    assert _change(old, {"activations": ["linear", "tanh", "sin", "linear"], "edges": [[0, 2, 1.0]] * 3}) == 3
