"""A failure that a journal tells of is met again: the same genome, draws and outcome, without anything else run."""

import numpy as np
import pytest

from evo.cli import main

SOURCE = """
import os
from pathlib import Path

import numpy as np

from evo import Campaign, fitness
from evo.algorithms.mu_plus_lambda import MuPlusLambda
from genomes.vector import Vector


@fitness(maximize="score")
def score(x, rng):
    with (Path(__file__).parent / "calls").open("a") as stream:
        stream.write("x")
    if x[0] > 0.5:
        raise ValueError(f"too far: {x[0]:.6f}, drew {rng.random():.6f}")
    if x[1] > 0.5:
        os._exit(3)
    return float(x[0] + 1e-3 * rng.standard_normal())


campaign = Campaign(score, Vector(2, low=-1.0, high=1.0), MuPlusLambda(population=12), generations=6, seeds=(0,))
"""


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("replay")
    (folder / "file.py").write_text(SOURCE)
    assert main(["run", str(folder / "file.py"), "--out", str(folder / "run")]) == 0
    return folder


def failures(folder) -> dict[str, list[tuple[int, int, str]]]:
    """Return where each kind of failure is recorded, with its message."""
    from evo import journal

    found: dict[str, list[tuple[int, int, str]]] = {}
    for record in journal.read(folder / "run" / "default" / "seed-0" / "journal.jsonl")[0][1:]:
        for index, (kind, message) in record["failed"].items():
            found.setdefault(kind, []).append((record["generation"], int(index), message))
    return found


@pytest.mark.parametrize("kind", ["RAISED", "CRASHED"])
def test_a_failure_comes_again_with_its_message(finished, kind, capsys):
    generation, index, message = failures(finished)[kind][-1]
    calls = (finished / "calls").stat().st_size
    assert main(["replay", str(finished / "run"), f"{generation}:{index}"]) == 0
    said = capsys.readouterr().out
    assert said.count(f"{kind}: ") == 2
    assert said.count(message.splitlines()[-1]) == 2  # the same draw too
    assert "did not end as it did then" not in said
    assert (finished / "calls").stat().st_size - calls <= 2  # a crash is tried again


def test_a_success_has_the_same_scores(finished):
    from evo import journal
    from evo.replay import replay

    record = journal.read(finished / "run" / "default" / "seed-0" / "journal.jsonl")[0][3]
    index = next(place for place, scores in enumerate(record["scores"]) if scores[0] is not None)
    found = replay(finished / "run" / "default" / "seed-0", record["generation"], index, here=True)
    assert found.same
    assert found.outcomes.scores[0].tolist() == record["scores"][index]
    assert np.isfinite(found.row.numpy()).all()


def test_a_change_of_mind_is_told(finished, capsys):
    generation, index, _ = failures(finished)["RAISED"][0]
    from evo import journal

    path = finished / "run" / "default" / "seed-0" / "journal.jsonl"
    whole = path.read_bytes()
    records = journal.read(path)[0]
    records[generation + 1]["failed"][str(index)] = ["NAN", "scores [nan]"]
    path.write_bytes(b"".join(journal.encode(record) for record in records))
    try:
        assert main(["replay", str(finished / "run"), f"{generation}:{index}"]) == 0
        assert "did not end as it did then" in capsys.readouterr().out
    finally:
        path.write_bytes(whole)


@pytest.mark.parametrize(
    ("individual", "said"),
    [("6:0", "generation: expected one recorded, 0 to 5"), ("0:99", "index: expected one"), ("x", "GENERATION:INDEX")],
)
def test_nobody_is_named(finished, individual, said, capsys):
    assert main(["replay", str(finished / "run"), individual]) == 1
    assert said in capsys.readouterr().err
