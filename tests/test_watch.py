"""A campaign seen from another process: how far it is, how long it takes, and TensorBoard's files."""

import json
import threading
import time

import pytest

from evo.cli import main
from evo.lock import CampaignBusyError, locked
from evo.progress import time_left
from evo.watch import in_progress

SOURCE = """
import time

from evo import Campaign, fitness
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from genomes.vector import Vector


@fitness(maximize="score")
def score(x):
    time.sleep(0.01)
    return float(x[0])


campaign = Campaign(score, Vector(2, low=-1.0, high=1.0), MuPlusLambda(population=6), generations=20, seeds=(0, 1))
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("watch")
    (folder / "file.py").write_text(SOURCE)
    assert main(["run", str(folder / "file.py"), "--out", str(folder / "run")]) == 0
    return folder / "run"


def test_a_campaign_that_ended_is_told_at_once(finished, capsys):
    assert main(["watch", str(finished)]) == 0
    said = capsys.readouterr().out
    assert "default seed 0: generation 20 of 20" in said
    assert "default seed 1: generation 20 of 20" in said
    assert "nobody works on it" in said


def test_one_that_runs_is_watched_until_it_ends(finished, capsys, monkeypatch):
    monkeypatch.setattr("evo.watch.SECONDS", 0.05)
    held, let_go = threading.Event(), threading.Event()

    def hold():
        with locked(finished):
            held.set()
            let_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    watching = threading.Thread(target=main, args=(["watch", str(finished)],))
    watching.start()
    time.sleep(0.5)
    assert watching.is_alive()
    let_go.set()
    thread.join()
    watching.join(timeout=30)
    assert not watching.is_alive()
    assert "nobody works on it" in capsys.readouterr().out


def test_who_looks_holds_nobody_up(finished):
    stop = threading.Event()

    def look():
        while not stop.is_set():
            in_progress(finished)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(200):
            try:
                with locked(finished):
                    pass
            except CampaignBusyError:  # pragma: no cover - the failure that this test is about
                pytest.fail("a look was taken for a holder")
    finally:
        stop.set()
        thread.join()


def test_event_files_hold_every_generation(finished, tmp_path):
    assert main(["watch", str(finished), "--once", "--tensorboard", str(tmp_path)]) == 0
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    for seed in (0, 1):
        events = EventAccumulator(str(tmp_path / f"default seed {seed}")).Reload()
        lines = (finished / "default" / f"seed-{seed}" / "progress.jsonl").read_text().splitlines()
        expected = [(json.loads(line)["generation"], json.loads(line)["best"]) for line in lines]
        found = [(one.step, one.value) for one in events.Scalars("best")]
        assert [step for step, _ in found] == [step for step, _ in expected]
        assert [value for _, value in found] == pytest.approx([value for _, value in expected])
        assert {"median", "failed", "evaluated", "seconds", "processor_seconds"} <= set(events.Tags()["scalars"])


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"from": 0, "generation": 10, "of": 20, "seconds": 30.0}, "30 s"),
        ({"from": 5, "generation": 10, "of": 20, "seconds": 60.0}, "2 min"),
        ({"from": 0, "generation": 1, "of": 101, "seconds": 80.0}, "2 h 13 min"),
        ({"from": 0, "generation": 20, "of": 20, "seconds": 80.0}, ""),
        ({"from": 10, "generation": 10, "of": 20, "seconds": 0.0}, ""),
    ],
)
def test_the_time_left_is_that_of_the_pace_so_far(state, words):
    assert time_left(state) == words


def test_a_folder_without_a_campaign_is_refused(tmp_path, capsys):
    assert main(["watch", str(tmp_path)]) == 1
    assert "holds no campaign" in capsys.readouterr().err
