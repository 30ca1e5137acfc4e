"""What the command line does with finished campaigns whose source has gone, broke or moved, and with strange files."""

import json
import math
import shutil
from dataclasses import replace

import pytest
import torch

from evo import Campaign, CampaignError, show
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.ancestry import descent
from evo.champion import Champion, load
from evo.cli import main
from evo.gallery import _directions, _Found, gallery
from evo.loading import load_campaign
from evo.recorded import recorded_campaign
from evo.rescore import maximizes
from genomes.vector import Vector

SOURCE = """
from dataclasses import dataclass
from typing import ClassVar

import torch

from evo import Campaign
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.outcome import outcomes_of
from evo.problem import NetworkProblem, Objective
from genomes.topology import Topology


@dataclass(frozen=True)
class Distance(NetworkProblem):
    name: ClassVar[str] = "distance"
    inputs: ClassVar[tuple] = ("x",)
    outputs: ClassVar[tuple] = ("y",)
    objectives: ClassVar[tuple] = (Objective("distance", maximize=False),)

    def evaluate(self, phenotypes, rng):
        cases = torch.linspace(-1.0, 1.0, 5)[:, None]
        outputs = torch.stack([phenotypes.forward(cases, weight)[..., 0] for weight in self.shared_weights], 1)
        trials = (outputs - 2.0).square().to(torch.float64)
        return outcomes_of(trials.mean((1, 2))[:, None], {"distance": trials})


problem = Distance(shared_weights=(-1.0, 0.5, 2.0))
genome = Topology.for_problem(problem, initial_connection_rate=1.0, add_node_rate=1.0)
campaign = Campaign(problem, genome, MuPlusLambda(population=8), generations=4)
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("show")
    (folder / "mine.py").write_text(SOURCE)
    load_campaign(folder / "mine.py").run(out=folder / "run", source=folder / "mine.py", quiet=True)
    return folder


@pytest.fixture
def mine(finished, tmp_path):
    """A finished campaign of a user's own problem, and the file that it was started from."""
    shutil.copytree(finished / "run", tmp_path / "run")
    shutil.copyfile(finished / "mine.py", tmp_path / "mine.py")
    described = json.loads((tmp_path / "run" / "campaign.json").read_text())
    described["file"] = str(tmp_path / "mine.py")
    (tmp_path / "run" / "campaign.json").write_text(json.dumps(described))
    return tmp_path / "run", tmp_path / "mine.py"


def forget_source(folder):
    """Leave a campaign as one that was made in a notebook is."""
    described = json.loads((folder / "campaign.json").read_text())
    (folder / "campaign.json").write_text(json.dumps({**described, "file": None}))
    (folder / "source.py").unlink()


def test_campaigns_made_without_a_file_are_shown_in_their_own_direction(mine, tmp_path, capsys):
    folder, _ = mine
    forget_source(folder)
    assert main(["show", str(folder)]) == 0
    assert "No ancestors: " in (said := capsys.readouterr().out)
    assert "made without a file" in said
    assert "Its ancestors are not known: the folder" not in (page := (folder / "champion.html").read_text())
    assert "Its ancestors are not known: " in page
    assert main(["gallery", str(folder)]) == 0
    assert "no page" not in capsys.readouterr().out
    assert main(["export", str(folder), "--to", "dot", "--out", str(tmp_path / "x.dot")]) == 0
    assert "nor can it be scored here" in capsys.readouterr().out
    file = folder / "champion.json"
    (run,) = show.histories(file)
    assert all(best <= median for best, median in zip(run.best, run.median, strict=True))  # less is better
    assert any(best < median for best, median in zip(run.best, run.median, strict=True))
    assert maximizes(load(file), file) is False
    assert _directions([_Found(load(file), file, "default/seed-0")]) == {"distance": False}


def test_a_direction_that_is_of_another_objective_is_not_taken(mine):
    folder, _ = mine
    forget_source(folder)
    champion = replace(load(folder / "champion.json"), fitness={"hits": 3.0})
    assert maximizes(champion, folder / "champion.json") is True
    (folder / "campaign.json").write_text("{")
    assert maximizes(load(folder / "champion.json"), folder / "champion.json") is True


def test_a_file_that_broke_gives_way_to_the_copy(mine, capsys):
    folder, source = mine
    source.write_text(source.read_text() + "\n1 / 0\n")
    assert main(["eval", str(folder), "--weight", "2", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["objectives"]["distance"]["n"] == 5
    assert main(["show", str(folder)]) == 0
    assert "No ancestors" not in capsys.readouterr().out
    assert descent(folder / "champion.json").ancestors
    assert "at rest: " not in (folder / "champion.html").read_text().replace("so the network is at rest.", "")


def test_where_the_copy_is_broken_too_the_file_is_told_of(mine, capsys):
    folder, source = mine
    source.write_text(source.read_text() + "\n1 / 0\n")
    (folder / "source.py").write_text("raise LookupError('moved')")
    assert main(["eval", str(folder)]) == 1
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said
    assert "moved" not in said
    assert "ZeroDivisionError" in descent(folder / "champion.json").reason


def test_a_file_whose_settings_changed_and_a_copy_that_has_gone_still_tell_the_ancestors(mine):
    folder, source = mine
    expected = descent(folder / "champion.json").ancestors
    source.write_text(SOURCE.replace("generations=4)", "generations=4, validations=3)"))
    (folder / "source.py").unlink()
    assert descent(folder / "champion.json").ancestors == expected != []


def test_variants_that_have_gone_from_the_file_are_named(mine, capsys):
    folder, source = mine
    source.write_text(SOURCE.replace("generations=4)", "generations=4, variants={'small': {}, 'large': {}})"))
    with pytest.raises(CampaignError, match="recorded with the variants default, but now has small, large"):
        recorded_campaign(folder)
    assert main(["resume", str(folder)]) == 1
    assert "small, large" in capsys.readouterr().err
    assert main(["show", str(folder)]) == 0  # from the copy


def test_generations_of_some_variants_leave_those_of_others():
    from evo.function_problem import fitness

    @fitness(maximize="score")
    def score(x):
        return 0.0

    changes = {"a": {"generations": 3}, "b": {}}
    campaign = Campaign(score, Vector(2), MuPlusLambda(population=4), generations=5, variants=changes)
    assert [run.generations for run in campaign.with_generations({"b": 7}).runs()] == [3, 7]
    with pytest.raises(CampaignError, match="variants c, but now has a, b"):
        campaign.with_generations({"c": 7})
    single = replace(campaign, variants={})
    assert [run.generations for run in single.with_generations({}).runs()] == [5]
    with pytest.raises(CampaignError, match="variants a, but now has default"):
        single.with_generations({"a": 7})


def test_a_runs_folder_may_be_copied_and_called_anything(mine, tmp_path, capsys):
    folder, _ = mine
    shutil.copytree(folder / "default" / "seed-0", tmp_path / "best")
    assert main(["show", str(tmp_path / "best")]) == 0
    assert "Best of each of 4 generations" in capsys.readouterr().out
    (run,) = show.histories(tmp_path / "best" / "champion.json")
    assert (run.variant, run.seed) == ("default", 0)


def test_the_best_shared_weight_is_scored_where_the_file_has_no_trials(mine, tmp_path, capsys):
    folder, _ = mine
    champion = load(folder / "champion.json")
    assert not champion.trials
    cases = torch.linspace(-1.0, 1.0, 5)[:, None]
    losses = {w: float((champion.networks().forward(cases, w) - 2.0).square().mean()) for w in (-1.0, 0.5, 2.0)}
    best = min(losses, key=losses.get)
    assert best != 1.0
    assert main(["export", str(folder), "--to", "networkx", "--out", str(tmp_path / "x.json")]) == 0
    assert f"all {best:g}, its best shared weight" in capsys.readouterr().out
    edges = json.loads((tmp_path / "x.json").read_text())["edges"]
    assert {edge["weight"] for edge in edges} == {best}


def stranger(folder, inputs=5, settings=None, **changes):
    """Save a champion file that anyone may have written: two hidden nodes, on the swing-up problem."""
    part = {"name": "perceptron", "settings": {}}
    network = {
        "inputs": [f"input {number}" for number in range(inputs)],
        "outputs": ["force"],
        "activations": ["linear"] * (1 + inputs) + ["tanh", "linear"],
        "edges": [[1, inputs + 1, 1.0], [2, inputs + 1, 1.0], [inputs + 1, inputs + 2, 1.0]],
    }
    given = {"shared_weights": [-1.0, 1.0], "steps": 20, **(settings or {})}
    problem = {"name": "cartpole-swingup-v1", "settings": given}
    champion = Champion(part, problem, part, {}, {"reward": 1.0}, 0, 0, network=network)
    path = folder / "stranger.json"
    replace(champion, **changes).save(path)
    return path


@pytest.mark.parametrize("inputs", [3, 8])
def test_networks_that_do_not_fit_their_problem_are_shown_at_rest(tmp_path, inputs):
    path = stranger(tmp_path, inputs)
    sweep, live = show.watched(load(path), path)
    assert (sweep, live.kind) == ([], "")
    assert f"has 5 inputs and 1 outputs, the champion's network {inputs} and 1" in live.note
    assert gallery(tmp_path) == (tmp_path / "gallery.html", [])
    assert "5 inputs and 1 outputs" in (tmp_path / "stranger.html").read_text()


@pytest.mark.parametrize(
    ("settings", "alive"),
    [
        ({"steps": "x"}, False),
        ({"steps": None}, False),
        ({"episodes": [2]}, True),  # how many were played in its campaign, and with what, does not matter to the page
        ({"shared_weights": 5}, True),
        ({"shared_weights": ["a"]}, True),
    ],
)
def test_impossible_settings_cost_no_other_champion_anything(tmp_path, settings, alive, capsys):
    stranger(tmp_path).rename(tmp_path / "fine.json")
    path = stranger(tmp_path, settings=settings)
    assert main(["gallery", str(tmp_path)]) == 0
    assert 'id="scene"' in (tmp_path / "fine.html").read_text()
    assert ('id="scene"' in path.with_suffix(".html").read_text()) == alive
    assert main(["export", str(path), "--to", "dot", "--out", str(tmp_path / "x.dot")]) == 0
    assert main(["eval", str(path)]) == 1
    assert capsys.readouterr().err.startswith("evo: ")


def test_scores_that_are_no_numbers_leave_gaps(tmp_path, monkeypatch):
    path = stranger(tmp_path)
    rows = [[1.0, math.nan, 3.0], [math.nan] * 3, [math.inf, 2.0, -math.inf]]
    monkeypatch.setattr(show, "WEIGHTS", (-1.0, 0.0, 1.0))
    monkeypatch.setattr(show, "_trials", lambda *given: rows)
    sweep, live = show.watched(load(path), path)
    assert live.kind == "control"
    assert [(one.weight, one.mean, one.deviation) for one in (sweep[0], sweep[2])] == [
        (-1.0, 2.0, 1.0),
        (1.0, 2.0, 0.0),
    ]
    assert math.isnan(sweep[1].mean)
    show.show(path)
    assert "nan" not in path.with_suffix(".html").read_text().lower().replace("nanan", "").partition("<script")[0]


def test_a_champion_whose_page_fails_does_not_cost_the_others_theirs(tmp_path, monkeypatch):
    stranger(tmp_path).rename(tmp_path / "other.json")
    stranger(tmp_path)
    real = show.show

    def fail(path, page=None):
        if path.stem == "other":
            raise AttributeError("'float' object has no attribute 'numerator'")
        return real(path, page)

    monkeypatch.setattr("evo.gallery.show", fail)
    _, notes = gallery(tmp_path)
    assert ["other: AttributeError" in note for note in notes] == [True]
    assert (tmp_path / "stranger.html").is_file()


def test_a_damaged_journal_costs_its_own_curves_alone(mine, capsys):
    folder, _ = mine
    (folder / "champion.json").unlink()  # as of a campaign that is not finished
    shutil.copytree(folder / "default" / "seed-0", folder / "default" / "seed-1")
    described = json.loads((folder / "campaign.json").read_text())
    described["configuration"]["seeds"] = [0, 1]
    (folder / "campaign.json").write_text(json.dumps(described))
    journal = folder / "default" / "seed-1" / "journal.jsonl"
    from evo.journal import encode

    first = journal.read_bytes().splitlines(keepends=True)[0]
    journal.write_bytes(first + encode({"generation": 0}))
    _, notes = gallery(folder, pages=False)
    assert ["seed-1" in note and "it has no scores" in note for note in notes] == [True]
    assert "Score per generation" in (folder / "gallery.html").read_text()


def test_what_is_missing_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    import sys

    path = stranger(tmp_path)
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["export", str(path), "--to", "onnx", "--out", str(tmp_path / "x.onnx")]) == 1
    said = capsys.readouterr().err
    assert "pip install 'evo-genomes[onnx]'" in said
    assert said.count("\n") == 1
    (tmp_path / "campaign.json").write_text('{"format": "evo.campaign/1"}')
    assert main(["best", str(tmp_path)]) == 1
    monkeypatch.setattr("evo.recorded.champion_path", lambda path: {}["default"])
    assert main(["best", str(tmp_path)]) == 1
    assert "there is no 'default' where one is expected" in capsys.readouterr().err


def test_arguments_that_cannot_be_are_named(tmp_path, capsys):
    path = stranger(tmp_path)
    for episodes in ("0", "-1"):
        assert main(["eval", str(path), "--episodes", episodes]) == 1
        assert f"--episodes: expected a whole number from 1 up, got {episodes}" in capsys.readouterr().err
    assert main(["eval", str(path), "--weight", "-1e-3", "--episodes", "1"]) == 0
    assert main(["export", str(path), "--to", "dot", "--out", str(tmp_path / "x.dot"), "--weight", "-2.5E+1"]) == 0
    assert "all -25" in capsys.readouterr().out
    lost = tmp_path / "lost" / "file"
    for arguments in (
        ["show", str(path), "--page", str(lost)],
        ["gallery", str(tmp_path), "--out", str(lost)],
        ["export", str(path), "--to", "dot", "--out", str(lost)],
    ):
        assert main(arguments) == 1
        assert f"{arguments[-2]}: there is no folder {lost.parent}" in capsys.readouterr().err
    before = path.read_bytes()
    for arguments in (["show", str(path), "--page", str(path)], ["gallery", str(tmp_path), "--out", str(path)]):
        assert main(arguments) == 1
        assert f"{arguments[-2]}: {path} is a file that is read" in capsys.readouterr().err
    assert path.read_bytes() == before
    assert main(["show", str(path), "--page", str(tmp_path)]) == 1
    assert "is a folder" in capsys.readouterr().err


def test_the_page_and_the_summary_say_what_the_generation_is_of(tmp_path, capsys):
    path = stranger(tmp_path)
    assert main(["show", str(path)]) == 0
    assert "scored best in generation 0" in capsys.readouterr().out
    assert "scored best in generation" in (text := path.with_suffix(".html").read_text())
    assert "born in" not in text
