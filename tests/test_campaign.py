"""Campaigns as a user meets them: the same bytes for any number of workers, stopped and resumed, broken fitness."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import torch

from evo import Campaign, CampaignError
from evo.algorithms.cohort import Cohort
from evo.algorithms.deap_loop import DeapLoop
from evo.algorithms.distribution import CMAES, PGPE
from evo.algorithms.map_elites import MapElites
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from evo.champion import load
from evo.cli import main
from evo.function_problem import fitness
from evo.journal import JournalError
from evo.loading import load_campaign
from evo.outcome import outcomes_of
from evo.problem import Objective, Problem
from evo.recorded import recorded_run, runs
from evo.run import execute
from evo.study_parts import begun_runs
from genomes.learner import Learner
from genomes.topology import Topology
from genomes.vector import Vector
from problems.continual.binary_images import BinaryImages
from problems.control.cartpole_swingup import CartPoleSwingUp

SWINGUP = CartPoleSwingUp(shared_weights=(-1.0, 1.0), episodes=2, steps=60)
PLAIN = """
import evo
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from genomes.vector import Vector
{imports}
@evo.fitness(maximize="score", time_limit=1.0)
def score(x):
    {body}

campaign = evo.Campaign(score, Vector(3), MuPlusLambda(population=8), generations={generations}, seeds=(0,))
"""


def swingup(**changes):
    settings = {"generations": 5, "seeds": (0, 1), **changes}
    return Campaign(SWINGUP, Topology.for_problem(SWINGUP), WeightAgnosticSearch(population=16), **settings)


def user_file(folder, body="return -float((x ** 2).sum())", imports="", generations=3):
    path = folder / "mine.py"
    path.write_text(PLAIN.format(body=body, imports=imports, generations=generations))
    return path


def results(folder):
    """The bytes of everything that is a result."""
    names = ("journal.jsonl", "champion.json", "archive.json")
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.name in names}


def test_the_number_of_workers_changes_no_byte(tmp_path):
    for workers in (1, 2):
        swingup().run(workers=workers, out=tmp_path / str(workers), quiet=True)
    assert results(tmp_path / "1") == results(tmp_path / "2")
    assert len(results(tmp_path / "1")) == 7
    swingup(seeds=(2, 3)).run(out=tmp_path / "other", quiet=True)
    assert set(results(tmp_path / "other").values()).isdisjoint(results(tmp_path / "1").values())


def test_the_number_of_workers_changes_no_byte_of_a_plain_function(tmp_path):
    path = user_file(tmp_path)
    for workers in ("1", "2"):
        assert main(["run", str(path), "--workers", workers, "--out", str(tmp_path / workers)]) == 0
    assert results(tmp_path / "1") == results(tmp_path / "2")


def test_engines_agree(tmp_path):
    scores = []
    for engine in ("compiled", "torch"):
        swingup(generations=1, seeds=(0,)).run(out=tmp_path / engine, engine=engine, quiet=True)
        scores.append(next(runs(tmp_path / engine)).scores[0])
    assert [score for row in scores[0] for score in row] == pytest.approx(
        [score for row in scores[1] for score in row], rel=1e-3, abs=1e-2
    )


@pytest.mark.parametrize("keep", [0, 1, 3])
def test_a_run_cut_off_anywhere_resumes_to_the_same_bytes(tmp_path, keep):
    campaign = swingup(seeds=(0,))
    campaign.run(out=tmp_path / "whole", quiet=True)
    campaign.run(out=tmp_path / "cut", quiet=True)
    journal = tmp_path / "cut" / "default" / "seed-0" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[: keep + 1]) + lines[keep + 1][:40])
    for name in ("champion.json", "archive.json"):
        (journal.parent / name).unlink()
    campaign.run(out=tmp_path / "cut", resume=True, quiet=True)
    assert results(tmp_path / "cut") == results(tmp_path / "whole")


def test_changed_settings_or_code_are_not_resumed(tmp_path):
    swingup().run(out=tmp_path / "a", quiet=True)
    with pytest.raises(CampaignError, match="generations: recorded 5, now 6"):
        swingup(generations=6).run(out=tmp_path / "a", resume=True, quiet=True)
    with pytest.raises(CampaignError, match="exists already"):
        swingup().run(out=tmp_path / "a", quiet=True)


def test_recorded_genomes_that_are_not_made_again_stop_the_run(tmp_path, monkeypatch):
    from evo.search import Search

    campaign = swingup(seeds=(0,))
    campaign.run(out=tmp_path / "a", quiet=True)
    real = Search.rng
    monkeypatch.setattr(Search, "rng", lambda self, purpose, index=0: real(self, purpose + "!", index))
    with pytest.raises(CampaignError, match="not the ones this code makes"):
        campaign.run(out=tmp_path / "a", resume=True, quiet=True)


def heed_interrupts():
    """Heed Ctrl-C in a child even where the tests themselves run in the background, which ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_ctrl_c_prints_a_command_that_goes_on_to_the_same_bytes(tmp_path):
    path = user_file(
        tmp_path, imports="import time", body="time.sleep(0.01); return -float((x ** 2).sum())", generations=25
    )
    command = [sys.executable, "-m", "evo.cli"]
    process = subprocess.Popen(
        [*command, "run", str(path), "--out", str(tmp_path / "stopped"), "--workers", "2"],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    journal = tmp_path / "stopped" / "default" / "seed-0" / "journal.jsonl"
    deadline = time.monotonic() + 60
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 4):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    done = journal.read_bytes().count(b"\n") - 1
    assert 4 <= done < 25
    found = re.search(r"to go on: evo (resume \S+)", printed)
    assert found, printed
    subprocess.run([*command, *found[1].split()], check=True, capture_output=True, timeout=120)
    assert main(["run", str(path), "--out", str(tmp_path / "whole")]) == 0
    assert results(tmp_path / "stopped") == results(tmp_path / "whole")


def test_two_processes_cannot_share_a_folder(tmp_path, capsys):
    from evo.lock import locked

    path = user_file(tmp_path)
    assert main(["run", str(path), "--out", str(tmp_path / "a")]) == 0
    with locked(tmp_path / "a"):
        assert main(["resume", str(tmp_path / "a")]) == 75
    assert str(os.getpid()) in capsys.readouterr().err


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return 1 / 0", "RAISED"),
        ("return float('nan')", "NAN"),
        ("return 'high'", "WRONG_TYPE"),
        ("import time; time.sleep(3600)", "TIMED_OUT"),
    ],
)
def test_broken_fitness_is_recorded_and_the_good_ones_are_kept(tmp_path, body, kind):
    path = user_file(tmp_path, body=f"if x[0] > 0.6:\n        {body}\n    return float(x[0])", generations=2)
    assert main(["run", str(path), "--workers", "2", "--out", str(tmp_path / "a")]) == 0
    journal = tmp_path / "a" / "default" / "seed-0" / "journal.jsonl"
    records = [json.loads(line[9:]) for line in journal.read_text().splitlines()[1:]]
    kinds = {entry[0] for record in records for entry in record["failed"].values()}
    assert kinds == {kind}
    for record in records:
        for index, score in enumerate(record["scores"]):
            assert (score == [None]) == (str(index) in record["failed"])
    run = recorded_run(journal, "default", 0)
    assert sum(run.failed) > 0
    assert load(tmp_path / "a" / "champion.json").fitness["score"] <= 0.6


def test_when_all_fail_the_campaign_stops_with_the_first_traceback(tmp_path, capsys):
    path = user_file(tmp_path, body="return undefined_name")
    assert main(["run", str(path), "--out", str(tmp_path / "a")]) == 1
    told = capsys.readouterr().err
    assert "every evaluation failed" in told
    assert "NameError" in told
    assert "undefined_name" in told


def test_variants_are_run_and_recorded_apart(tmp_path):
    campaign = swingup(
        seeds=(0,),
        generations=2,
        variants={"small": {"algorithm": WeightAgnosticSearch(population=8)}, "large": {}},
    )
    campaign.run(out=tmp_path / "a", quiet=True)
    recorded = {run.variant: len(run.scores[0]) for run in runs(tmp_path / "a")}
    assert recorded == {"small": 8, "large": 16}


def test_genealogies_are_recorded_whole(tmp_path):
    swingup(seeds=(0,), generations=6).run(out=tmp_path / "a", quiet=True)
    graph = next(runs(tmp_path / "a")).genealogy()
    champion = load(tmp_path / "a" / "champion.json")
    assert champion.lineage["uid"] in graph
    assert sorted(graph.predecessors(champion.lineage["uid"])) == sorted(set(champion.lineage["parents"]))
    roots = [node for node in graph if not graph.in_degree(node)]
    assert len(roots) == 16
    assert all(graph.nodes[node]["generation"] == 0 for node in roots)


def test_a_genome_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="expresses to Tensor, but cartpole-swingup-v1 scores Networks"):
        Campaign(SWINGUP, Vector(3), MuPlusLambda())


def test_new_folders_are_never_shared(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        swingup(generations=1, seeds=(0,), name="../a name/").run(quiet=True)
    assert sorted(path.name for path in Path("runs").iterdir()) == ["-a-name-", "-a-name--2"]


def test_a_file_may_import_its_neighbours(tmp_path):
    swingup(generations=1).run(workers=2, out=tmp_path / "warm", quiet=True)  # workers that know another path
    (tmp_path / "neighbour.py").write_text("def square(x):\n    return float((x ** 2).sum())\n")
    path = user_file(tmp_path, imports="import neighbour", body="return -neighbour.square(x)")
    assert main(["run", str(path), "--workers", "2", "--out", str(tmp_path / "plain")]) == 0
    text = path.read_text().replace(
        '@evo.fitness(maximize="score", time_limit=1.0)', '@evo.fitness(maximize="score", batch=True)'
    )
    path.write_text(
        text.replace("return -neighbour.square(x)", "return -(x ** 2).sum(1) * neighbour.square(x[:1]) ** 0")
    )
    assert main(["run", str(path), "--workers", "2", "--seeds", "2", "--out", str(tmp_path / "batch")]) == 0


def test_a_fitness_that_is_sometimes_nan_still_names_a_champion(tmp_path):
    path = user_file(tmp_path, body="return float('nan') if rng.random() < 0.4 and x[0] > 0 else float(x[0])")
    path.write_text(path.read_text().replace("def score(x)", "def score(x, rng)"))
    assert main(["run", str(path), "--out", str(tmp_path / "a")]) == 0
    champion = load(tmp_path / "a" / "champion.json")
    assert champion.fitness["score"] == pytest.approx(champion.genes["values"][0])


def test_one_run_that_fails_does_not_stop_the_others(tmp_path, capsys):
    path = user_file(tmp_path, body="return 1 / 0 if x[0] != x[0] else float(x[0])", generations=2)
    text = path.read_text().replace("seeds=(0,)", "seeds=(0, 1), variants={'bad': {'problem': bad}, 'good': {}}")
    bad = "@evo.fitness(maximize=\"score\")\ndef bad(x):\n    raise ValueError('no')\n\ncampaign ="
    path.write_text(text.replace("campaign =", bad))
    assert main(["run", str(path), "--out", str(tmp_path / "a")]) == 1
    told = capsys.readouterr().err
    assert "2 of 4 runs could not be finished. bad seed 0: generation 0: every evaluation failed" in told
    assert all((tmp_path / "a" / "good" / f"seed-{seed}" / "champion.json").exists() for seed in (0, 1))


def test_a_champion_is_never_scored_with_changed_code(tmp_path, capsys):
    path = user_file(tmp_path)
    assert main(["run", str(path), "--out", str(tmp_path / "a")]) == 0
    score = load(tmp_path / "a" / "champion.json").fitness["score"]
    path.write_text(path.read_text().replace("return -float", "return 1000 - float"))
    capsys.readouterr()
    assert main(["eval", str(tmp_path / "a"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["objectives"]["score"]["mean"] == pytest.approx(score)
    assert main(["resume", str(tmp_path / "a")]) == 1
    assert "another source" in capsys.readouterr().err


def test_other_generations_are_resumed_as_they_were_started(tmp_path):
    path = user_file(tmp_path, generations=9)
    text = path.read_text().replace("seeds=(0,)", "seeds=(0,), variants={'short': {'generations': 5}, 'long': {}}")
    path.write_text(text)
    assert main(["run", str(path), "--generations", "2", "--out", str(tmp_path / "a")]) == 0
    assert {len(run.scores) for run in runs(tmp_path / "a")} == {2}
    assert main(["resume", str(tmp_path / "a")]) == 0
    assert main(["run", str(path), "--out", str(tmp_path / "b")]) == 0
    assert {run.variant: len(run.scores) for run in runs(tmp_path / "b")} == {"short": 5, "long": 9}
    assert main(["resume", str(tmp_path / "b")]) == 0


def test_a_torn_progress_line_harms_nothing(tmp_path):
    campaign = swingup(seeds=(0,), generations=3)
    campaign.run(out=tmp_path / "a", quiet=True)
    with (tmp_path / "a" / "default" / "seed-0" / "progress.jsonl").open("a") as stream:
        stream.write('{"torn\n')
    campaign.run(out=tmp_path / "a", resume=True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"workers": 0}, "workers: expected a whole number from 1 up, got 0"),
        ({"device": "nonsense"}, "device: expected one that torch has here"),
        ({"engine": "steam"}, "engine: expected 'compiled' or 'torch'"),
    ],
)
def test_impossible_means_are_refused_before_anything_is_written(tmp_path, arguments, said):
    with pytest.raises(ValueError, match=said):
        swingup().run(out=tmp_path / "a", **arguments)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": (0, 0)}, "different whole numbers"),
        ({"seeds": 5}, "such as range"),
        ({"seeds": ()}, "at least one"),
        ({"generations": 0}, "from 1 up, got 0"),
        ({"variants": {"..": {}}}, "is named by letters"),
    ],
)
def test_impossible_campaigns_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        swingup(**changes)


def test_parts_that_were_not_made_are_told():
    with pytest.raises(TypeError, match="with parentheses"):
        Campaign(SWINGUP, Topology, WeightAgnosticSearch())
    with pytest.raises(TypeError, match=r"forget @evo\.fitness"):
        Campaign(lambda x: 0.0, Vector(2), MuPlusLambda())


def test_a_file_that_fails_is_told_by_its_own_lines(tmp_path, capsys):
    path = tmp_path / "broken.py"
    path.write_text("x = 1\ny = int('many')\n")
    assert main(["run", str(path)]) == 1
    told = capsys.readouterr().err
    assert "broken.py" in told
    assert "line 2" in told
    assert "importlib" not in told
    assert "invalid literal" in told


SWINGUP_FILE = """
from evo import Campaign
from evo.algorithms.weight_agnostic_search import WeightAgnosticSearch
from genomes.topology import Topology
from problems.control.cartpole_swingup import CartPoleSwingUp

problem = CartPoleSwingUp(shared_weights=(-1.0, 1.0), episodes=1, steps=50)
campaign = Campaign(problem, Topology.for_problem(problem), WeightAgnosticSearch(12, tournament_size=4), generations=2)
"""


def test_a_campaign_goes_on_with_the_engine_it_began_with(tmp_path):
    source = tmp_path / "swingup.py"
    source.write_text(SWINGUP_FILE)
    small = load_campaign(source)
    for name in ("whole", "cut"):
        small.run(out=tmp_path / name, engine="torch", source=source, quiet=True)
    journal = tmp_path / "cut" / "default" / "seed-0" / "journal.jsonl"
    journal.write_bytes(b"".join(journal.read_bytes().splitlines(keepends=True)[:2]))
    assert main(["resume", str(tmp_path / "cut")]) == 0
    assert results(tmp_path / "cut") == results(tmp_path / "whole")


@fitness(minimize="square", batch=True)
def square(vectors: torch.Tensor) -> torch.Tensor:
    return vectors.double().square().sum(1)


SEARCHES = {
    "mu-plus-lambda": MuPlusLambda(12),
    "weight-agnostic-search": WeightAgnosticSearch(16, tournament_size=4),
    "pgpe": PGPE(12, center_learning_rate=0.3, standard_deviation=0.3),
    "cmaes": CMAES(12, standard_deviation=0.3),
    "deap-loop": DeapLoop(population=12),
    "deap simple loop": DeapLoop(loop="eaSimple", population=12, select="tournament"),
    "map-elites": MapElites(("complexity",), (0.0,), (1.0,), (1,), population=16),
}


@pytest.mark.parametrize("algorithm", SEARCHES.values(), ids=SEARCHES.keys())
def test_a_run_ends_with_the_generation_that_reaches_the_target(tmp_path, algorithm):
    campaign = Campaign(square, Vector(4), algorithm, generations=200, target=0.1)
    champion = campaign.run(out=tmp_path / "a", quiet=True)
    best = [min(score for (score,) in generation) for generation in next(runs(tmp_path / "a")).scores]
    assert [score <= 0.1 for score in best] == [False] * (len(best) - 1) + [True]
    assert 1 < len(best) < 200
    assert champion.fitness["square"] == best[-1]


def test_a_run_that_reached_its_target_resumes_to_the_same_bytes(tmp_path):
    campaign = swingup(seeds=(0,), generations=30, target=12.3)
    for name in ("whole", "cut"):
        campaign.run(out=tmp_path / name, quiet=True)
    journal = tmp_path / "cut" / "default" / "seed-0" / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    assert 2 < len(lines) < 30
    journal.write_bytes(b"".join(lines[:2]))
    for _ in range(2):
        campaign.run(out=tmp_path / "cut", resume=True, quiet=True)
        assert results(tmp_path / "cut") == results(tmp_path / "whole")
    with pytest.raises(CampaignError, match=r"target: recorded 12\.3, now 13"):
        swingup(seeds=(0,), generations=30, target=13.0).run(out=tmp_path / "cut", resume=True, quiet=True)


def test_a_target_is_part_of_the_configuration_only_where_it_is_set():
    assert all("target" not in variant for variant in swingup().configuration()["variants"].values())
    variants = swingup(target=3.0, variants={"far": {"target": 5.0}, "near": {}, "none": {"target": None}})
    targets = {name: one.get("target") for name, one in variants.configuration()["variants"].items()}
    assert targets == {"far": 5.0, "near": 3.0, "none": None}


@pytest.mark.parametrize("target", ["high", float("nan"), True])
def test_impossible_targets_are_refused(target):
    with pytest.raises(ValueError, match="target is a score"):
        swingup(target=target)


@dataclass(frozen=True)
class SometimesNothing(Problem):
    """Scores that are no number where the draw is low, with the trial that shows it."""

    name: ClassVar[str] = "sometimes-nothing-v1"
    objectives: ClassVar[tuple[Objective, ...]] = (Objective("sum"),)
    stochastic: ClassVar[bool] = True

    def evaluate(self, phenotypes, rng):
        noise = math.nan if rng.random() < 0.3 and len(phenotypes) == 1 else 0.0
        scores = phenotypes.sum(1, keepdim=True) + noise
        return outcomes_of(scores, {"sum": scores[:, :, None]})


def test_a_champion_is_left_where_an_episode_of_its_validation_failed(tmp_path):
    campaign = Campaign(SometimesNothing(), Vector(3), MuPlusLambda(8), generations=3, validations=12)
    champion = campaign.run(out=tmp_path / "run", quiet=True)
    (trials,) = champion.trials["sum"]
    assert 0 < len(trials) < 12
    assert all(math.isfinite(trial) for trial in trials)


def pictures(folder, darkest):
    """Make a data folder with a few pictures of each of two classes, and return its path."""
    folder.mkdir()
    x = np.random.default_rng(0).integers(darkest, 256, (8, 3, 32, 32), dtype=np.uint8)
    y = np.arange(8, dtype=np.uint8) % 2
    np.savez(folder / "cifar10.npz", x_train=x[:6], y_train=y[:6], x_test=x[6:], y_test=y[6:])
    return str(folder)


@pytest.fixture
def on_pictures(tmp_path, monkeypatch):
    """A campaign on pictures, run for a generation, in the folder "run"."""
    monkeypatch.setenv("EVO_DATA", pictures(tmp_path / "data", 0))
    problem = BinaryImages(data="cifar10", batch=3, epochs=1, diagnostics=False)
    campaign = Campaign(problem, Learner.for_problem(problem, hidden=(2,)), Cohort(streams=2), generations=1)
    campaign.run(out=tmp_path / "run", quiet=True)
    return campaign


def test_the_data_are_recorded_and_others_are_not_gone_on_with(on_pictures, tmp_path, monkeypatch):
    described = json.loads((tmp_path / "run" / "campaign.json").read_text())
    data = described["configuration"]["variants"]["default"]["data"]
    assert (data["name"], data["train"], data["test"], len(data["sha256"])) == ("cifar10.npz", 6, 2, 64)
    on_pictures.run(out=tmp_path / "run", resume=True, quiet=True)
    monkeypatch.setenv("EVO_DATA", pictures(tmp_path / "other", 100))
    with pytest.raises(CampaignError, match=rf"other data.*data\.sha256: recorded {data['sha256']}, now "):
        on_pictures.run(out=tmp_path / "run", resume=True, quiet=True)
    with pytest.raises(JournalError, match=r"configuration differ.*the data"):
        execute(on_pictures.runs()[0], tmp_path / "run" / "default" / "seed-0")


def test_data_that_are_not_at_hand_are_told_before_anything_is_written(on_pictures, tmp_path, monkeypatch):
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("EVO_DATA", str(tmp_path / "empty"))
    with pytest.raises(ValueError, match="'cifar10' is not at hand"):
        on_pictures.run(out=tmp_path / "new", quiet=True)
    assert not (tmp_path / "new").exists()


@pytest.mark.usefixtures("on_pictures")
def test_campaigns_that_did_not_record_their_data_are_read(tmp_path, monkeypatch):
    file = tmp_path / "run" / "campaign.json"
    described = json.loads(file.read_text())
    assert described["configuration"]["variants"]["default"].pop("data")
    file.write_text(json.dumps(described))
    monkeypatch.delenv("EVO_DATA")
    for command in ("show", "table", "best"):
        assert main([command, str(tmp_path / "run")]) == 0
    assert len(list(runs(tmp_path / "run"))) == len(begun_runs(tmp_path / "run")[1]) == 1
