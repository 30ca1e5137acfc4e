"""Files that strangers may have written: each is refused quickly, in one line that names it, and nothing in it is run.

Each file in `tests/hostile` is named after what it tries. What is refused for its size alone is made here.
"""

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evo import files, journal
from evo.champion import DEEPEST, Champion, ChampionError, load
from evo.cli import main
from evo.exchange import matrix_file
from evo.exchange.matrix_file import MatrixError, read_matrix, read_tuned
from evo.journal import Journal, JournalError, encode, generations
from evo.learning.consolidation import importance_file
from evo.path_record import path_records
from evo.problem_state import decode
from evo.recorded import campaign_file, recorded_run
from evo.run import CampaignError
from evo.settings import digest
from evo.state import StateFiles
from evo.task_record import task_record

HOSTILE = Path(__file__).parent / "hostile"
CHAMPION = HOSTILE / "champion-that-is-fine.json"
JOURNAL = HOSTILE / "journal-that-is-fine.jsonl"
TRAP = "hostile_module"
"""What files name to be imported, or make when they are executed."""
LONGEST = 500
"""Letters of a reason, the file's name not counted."""

LOOKED_AT = {
    "that-is-fine": "",
    "that-names-a-class-to-import": "expected one of",
    "that-names-an-environment-to-import": "expected an id without a module",
    "of-a-users-own-problem": "user's own",
    "whose-steps-never-end": "could take for ever",
    "with-a-million-shared-weights-claimed": "could take for ever",
    "with-a-billion-hidden-units-claimed": "no network",
    "with-duplicate-node-ids": "",
    "with-a-cycle-of-genes": "",
}
"""Champions that can be looked at, as they are data, and why they are not scored; empty where they are."""
AS_GOOD_AS_NONE = (
    "with-torn-tail",
    "with-flipped-bit",
    "with-NaN-literal",
    "nested-ten-thousand-deep",
    "with-a-line-that-is-no-json",
    "with-a-pickle-behind-it",
)
"""Journals with two whole generations, and what is behind them is passed over, as after a crash."""


def named(kind: str, *, without: tuple[str, ...] = ()) -> list[str]:
    """Return what the hostile files of a kind try, but for some."""
    found = sorted(path.name.partition("-")[2].rpartition(".")[0] for path in HOSTILE.glob(f"{kind}-*"))
    assert set(without) <= set(found), "a file was renamed"
    return [name for name in found if name not in without]


def file(kind: str, name: str) -> Path:
    (found,) = HOSTILE.glob(f"{kind}-{name}.*")
    return found


@pytest.fixture(autouse=True)
def trap(tmp_path, monkeypatch):
    """Put a module where it could be imported, and see that nobody did."""
    (tmp_path / "trap").mkdir()
    (tmp_path / "trap" / f"{TRAP}.py").write_text("class Bomb: ...\n")
    monkeypatch.syspath_prepend(tmp_path / "trap")
    yield
    assert TRAP not in sys.modules


def refused(error: pytest.ExceptionInfo[Exception] | str, path: Path) -> str:
    """Return a reason, which is one line, not long, and names the file and nothing that a terminal obeys."""
    said = error if isinstance(error, str) else str(error.value)
    assert str(path) in said
    assert said.isprintable()
    assert len(said.replace(str(path), "")) < LONGEST
    return said


def one_line(capsys, arguments: list[str], path: Path) -> str:
    """Return what a command says that refuses a file; see `refused`."""
    capsys.readouterr()
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.err.startswith("evo: ")
    assert printed.err.endswith("\n")
    return refused(printed.err[:-1], path)


@pytest.mark.parametrize("name", named("champion", without=tuple(LOOKED_AT)))
def test_champions_that_cannot_be_are_refused(name, tmp_path, capsys):
    path = shutil.copy(file("champion", name), tmp_path / "stranger.json")
    with pytest.raises(ChampionError) as error:
        load(path)
    refused(error, path)
    one_line(capsys, ["show", str(path)], path)
    assert [one.name for one in tmp_path.iterdir() if one.is_file()] == ["stranger.json"], "something was written"


@pytest.mark.parametrize(("name", "said"), LOOKED_AT.items())
def test_champions_that_ask_for_too_much_are_looked_at_and_not_obeyed(name, said, tmp_path, capsys):
    path = shutil.copy(file("champion", name), tmp_path / "stranger.json")
    assert main(["show", str(path)]) == 0
    assert (path.with_suffix(".html")).is_file()
    capsys.readouterr()
    assert main(["eval", str(path)]) == (1 if said else 0)
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == (1 if said else 0)


@pytest.mark.parametrize("name", ["with-duplicate-node-ids", "with-a-cycle-of-genes"])
def test_genes_that_are_not_those_of_the_network_are_not_exported(name, tmp_path, capsys):
    path = shutil.copy(file("champion", name), tmp_path / "stranger.json")
    assert main(["export", str(path), "--to", "matrix", "--out", str(tmp_path / "x.out")]) == 1
    said = capsys.readouterr().err
    assert "genes are not those of its network" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("name", named("archive"))
def test_archives_are_no_champions(name, tmp_path, capsys):
    one_line(capsys, ["show", str(file("archive", name))], file("archive", name))


def run_folder(tmp_path: Path, record: Path = JOURNAL) -> Path:
    """Return a run's folder with a journal beside a champion that is fine."""
    shutil.copy(CHAMPION, tmp_path / "champion.json")
    shutil.copy(record, tmp_path / "journal.jsonl")
    return tmp_path


@pytest.mark.parametrize("name", named("journal", without=(*AS_GOOD_AS_NONE, "that-is-fine")))
def test_journals_that_no_run_writes_are_refused(name, tmp_path, capsys):
    path = run_folder(tmp_path, file("journal", name)) / "journal.jsonl"
    before = path.read_bytes()
    with pytest.raises(JournalError) as error:
        recorded_run(path, "default", 0)
    refused(error, path)
    one_line(capsys, ["show", str(tmp_path)], path)
    header = {"seed": 0, "variant": "default", "configuration": "0" * 64}
    if name != "without-births":  # they are for readers alone
        with pytest.raises(JournalError) as error:
            Journal(path, header)
        refused(error, path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("name", AS_GOOD_AS_NONE)
def test_what_is_damaged_behind_whole_generations_is_as_good_as_none(name, tmp_path):
    path = run_folder(tmp_path, file("journal", name)) / "journal.jsonl"
    assert recorded_run(path, "default", 0) == recorded_run(JOURNAL, "default", 0)
    assert main(["show", str(tmp_path)]) == 0


@pytest.mark.parametrize("name", named("campaign"))
def test_campaigns_that_cannot_be_are_refused(name, tmp_path, capsys):
    path = shutil.copy(file("campaign", name), tmp_path / "campaign.json")
    with pytest.raises(CampaignError) as error:
        campaign_file(tmp_path)
    refused(error, path)
    for command in ("best", "table", "figure", "watch", "gallery"):
        one_line(capsys, [command, str(tmp_path)], path if command != "best" else tmp_path)


@pytest.mark.parametrize("name", named("cohort"))
def test_cohorts_that_are_not_their_journals_are_refused(name, tmp_path, capsys):
    record = encode({"generation": 0, "scores": [[1.0], [2.0]], "measured": {"loss": [0.5, 0.6]}})
    (tmp_path / "journal.jsonl").write_bytes(JOURNAL.read_bytes().splitlines(keepends=True)[0] + record)
    path = shutil.copy(file("cohort", name), tmp_path / "cohort.json")
    one_line(capsys, ["table", str(tmp_path)], path)


@pytest.mark.parametrize("name", named("tasks", without=("that-is-fine",)))
def test_tasks_that_cannot_be_are_refused(name, tmp_path, capsys):
    shutil.copy(JOURNAL, tmp_path / "journal.jsonl")
    shutil.copy(file("tasks", "that-is-fine"), tmp_path / "tasks.json")
    assert task_record(tmp_path) is not None
    path = shutil.copy(file("tasks", name), tmp_path / "tasks.json")
    one_line(capsys, ["figure", str(tmp_path)], path)


@pytest.mark.parametrize(("book", "read"), [("tasks.json", task_record), ("paths.json", path_records)])
@pytest.mark.parametrize("name", named("cohort"))
def test_books_that_runs_did_not_leave_are_refused(book, read, name, tmp_path):
    shutil.copy(JOURNAL, tmp_path / "journal.jsonl")
    path = shutil.copy(file("cohort", name), tmp_path / book)
    with pytest.raises(CampaignError) as error:
        read(tmp_path)
    refused(error, path)


@pytest.mark.parametrize("name", named("matrix"))
def test_matrices_that_cannot_be_are_refused(name, tmp_path, capsys):
    path = file("matrix", name)
    with pytest.raises(MatrixError) as error:
        read_matrix(path)
    refused(error, path)
    out = tmp_path / "champion.json"
    one_line(capsys, ["import", str(path), "--problem", "xor-v1", "--out", str(out)], path)
    assert not out.exists()


@pytest.mark.parametrize("name", named("tuned"))
def test_tuned_weights_that_cannot_be_are_refused(name):
    with pytest.raises(MatrixError) as error:
        read_tuned(file("tuned", name), 3)
    refused(error, file("tuned", name))


@pytest.mark.parametrize("name", named("state"))
def test_states_that_hold_no_numbers_are_refused(name, tmp_path):
    """Even where whoever wrote the file wrote its digest into the journal too."""
    import hashlib

    path = Path(shutil.copy(file("state", name), tmp_path / "state-000000000.npy"))
    states = StateFiles(tmp_path)
    with pytest.raises(ValueError, match="holds no rows") as error:
        states.load(0, hashlib.sha256(path.read_bytes()).hexdigest()[:16])
    refused(error, path)
    assert states.load(0, "0" * 16) is None


@pytest.mark.parametrize("name", named("problem", without=("that-is-fine",)))
def test_problem_states_that_hold_no_numbers_are_as_good_as_none(name):
    record = next(generations(JOURNAL))
    assert set(decode(file("problem", "that-is-fine").read_bytes(), record)) == {"weights"}
    assert decode(file("problem", name).read_bytes(), record) is None


@pytest.mark.parametrize("name", named("importance"))
def test_importances_that_hold_no_numbers_are_refused(name):
    with pytest.raises(importance_file.ImportanceFileError) as error:
        importance_file.read(file("importance", name))
    refused(error, file("importance", name))


def test_every_kind_of_file_is_tested():
    kinds = {path.name.partition("-")[0] for path in HOSTILE.iterdir()}
    tested = {"champion", "journal", "campaign", "cohort", "tasks", "matrix", "tuned", "state", "problem", "importance"}
    assert kinds == {*tested, "archive"}


def sparse(path: Path, size: int) -> Path:
    """Return a file that claims a size, and takes no room."""
    with path.open("wb") as stream:
        stream.truncate(size)
    return path


def test_files_too_large_are_refused_unread(tmp_path, monkeypatch, capsys):
    def unread(*arguments, **options):
        raise AssertionError("it was read")

    monkeypatch.setattr(Path, "read_bytes", unread)
    monkeypatch.setattr(Path, "read_text", unread)
    path = sparse(tmp_path / "champion.json", 2**40)
    assert "larger than" in one_line(capsys, ["show", str(path)], path)
    path = sparse(tmp_path / "campaign.json", 2**40)
    assert "larger than" in one_line(capsys, ["table", str(tmp_path)], path)
    shutil.copy(JOURNAL, tmp_path / "journal.jsonl")
    path = sparse(tmp_path / "tasks.json", 2**40)
    assert "larger than" in one_line(capsys, ["figure", str(tmp_path)], path)
    path = sparse(tmp_path / "matrix.out", 2**40)
    assert "larger than" in one_line(capsys, ["import", str(path), "--problem", "xor-v1", "--out", "x.json"], path)
    assert matrix_file.LARGEST_FILE < 2**30


def test_a_line_without_an_end_is_read_no_further_than_the_longest(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "LONGEST_LINE", 10_000)
    path = run_folder(tmp_path) / "journal.jsonl"
    whole = recorded_run(path, "default", 0)
    with path.open("r+b") as stream:
        stream.truncate(2**40)  # zeros, and no end of a line
    assert recorded_run(path, "default", 0) == whole
    with (
        pytest.raises(JournalError, match=r"takes .* bytes, and lines have at most 10000") as error,
        Journal(tmp_path / "new", {"seed": 0}) as new,
    ):
        new.append({"generation": 0, "text": "x" * 10_000})
    refused(error, tmp_path / "new")
    assert [one for one, _ in journal.each(tmp_path / "new")] == [{"format": journal.FORMAT, "seed": 0}]


def test_a_champion_that_could_not_be_read_again_is_not_written(tmp_path, monkeypatch):
    path = tmp_path / "champion.json"
    champion = load(CHAMPION)
    champion.save(path)
    monkeypatch.setattr("evo.champion.LARGEST_FILE", path.stat().st_size)
    champion.save(path)
    load(path)
    monkeypatch.setattr("evo.champion.LARGEST_FILE", path.stat().st_size - 1)
    path.unlink()
    with pytest.raises(ChampionError, match="champion files have at most") as error:
        champion.save(path)
    refused(error, path)
    assert not path.exists()


def test_a_champion_as_deep_as_can_be_is_read_and_written_and_shown(tmp_path, monkeypatch):
    path = tmp_path / "champion.json"
    champion = load(CHAMPION)

    def genes(depth):
        nested = []
        for _ in range(depth - 1):
            nested = [nested]
        return replace(champion, genes={"object": nested})

    deepest = genes(DEEPEST - 1)  # the file and its genes are the first two levels
    deepest.save(path)
    assert load(path) == deepest
    assert main(["show", str(path)]) == 0
    with pytest.raises(ChampionError, match="nested more than") as error:
        genes(DEEPEST).save(path)
    refused(error, path)
    assert load(path) == deepest


def test_champions_written_before_genes_had_an_interface_are_restored():
    """Format 1 is the only one there has been, but for genes of topologies, which once had no `interface`."""
    from genomes.topology import Topology

    genome = Topology(2, 1, hidden=2, connections=4, output_activation="tanh")
    old = {"nodes": [[0.5, "relu"]], "connections": [[-1.0, 0.5, 0.25, True], [0.5, 1.0, -2.0, True]]}
    new = {**old, "interface": ["linear", "linear", "tanh"]}
    cases = torch.tensor([[0.5, -1.5], [2.0, 1.0]])
    outputs = [genome.express(genome.restore(one)).forward(cases) for one in (old, new)]
    torch.testing.assert_close(outputs[0], outputs[1], rtol=0.0, atol=0.0)
    expected = torch.tanh(-2.0 * torch.relu(0.25 * cases[:, 1]))  # identity -1 is the last input
    torch.testing.assert_close(outputs[0][0, :, 0], expected)


PLAIN = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
MANY = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def places(value, place=()):
    """Return the places of everything in plain data."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, one in inside for found in places(one, (*place, key)))]


@st.composite
def changed(draw, value):
    """Draw plain data with one or two of its values replaced, or dropped, or put in twice."""
    value = json.loads(json.dumps(value))
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.sampled_from(places(value)[1:] or [()]))
        if not place:
            break
        parent = value
        for key in place[:-1]:
            parent = parent[key]
        how = draw(st.sampled_from(("replace", "drop", "twice", "rename")))
        if how == "drop":
            del parent[place[-1]]
        elif how == "twice" and isinstance(parent, list):
            parent.append(parent[place[-1]])
        elif how == "rename" and isinstance(parent, dict):
            parent[draw(st.text(max_size=6))] = parent.pop(place[-1])
        else:
            parent[place[-1]] = draw(VALUES)
    return value


def fine_body():
    body = json.loads(CHAMPION.read_text())
    del body["format"], body["sha256"]
    return body


@MANY
@given(body=changed(fine_body()))
def test_champions_of_whatever_values_are_read_as_they_are_or_refused(body, tmp_path):
    path = tmp_path / "champion.json"
    path.write_text(json.dumps({"format": "evo.champion/1", "sha256": digest(body), **body}))
    try:
        champion = load(path)
    except ChampionError as error:
        refused(str(error), path)
        return
    champion.save(tmp_path / "again.json")
    assert load(tmp_path / "again.json") == champion
    said = {name: value for name, value in json.loads((tmp_path / "again.json").read_text()).items() if name in body}
    assert said == body
    if champion.network is not None:
        assert len(champion.networks()) == 1


@settings(MANY, max_examples=40)
@given(body=changed(fine_body()))
def test_champions_of_whatever_values_are_shown_or_refused_in_one_line(body, tmp_path, capsys):
    path = tmp_path / "champion.json"
    path.write_text(json.dumps({"format": "evo.champion/1", "sha256": digest(body), **body}))
    if main(["show", str(path), "--page", str(tmp_path / "page.html")]):
        refused(capsys.readouterr().err[:-1], path)


@MANY
@given(st.data())
def test_bytes_changed_in_a_champion_are_told_or_mean_the_same(tmp_path, data):
    content = bytearray(CHAMPION.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "champion.json"
    path.write_bytes(content)
    try:
        champion = load(path)
    except ChampionError as error:
        refused(str(error), path)
        return
    assert champion == load(CHAMPION)  # in white space, say


@MANY
@given(st.data())
def test_journals_of_whatever_lines_are_read_to_the_first_fault_or_refused(tmp_path, data):
    lines = [record for record, _ in journal.each(JOURNAL)]
    for _ in range(data.draw(st.integers(1, 2))):
        how, place = data.draw(st.sampled_from(("change", "drop", "twice"))), data.draw(st.integers(0, len(lines) - 1))
        if how == "change":
            lines[place] = data.draw(changed(lines[place]))
        elif how == "twice":
            lines.insert(place, lines[place])
        elif len(lines) > 1:
            del lines[place]
    content = bytearray(b"".join(encode(line) for line in lines))
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / "journal.jsonl"
    path.write_bytes(content)
    try:
        run = recorded_run(path, "default", 0)
        journal.header(path)
    except JournalError as error:
        refused(str(error), path)
        return
    assert len(run.scores) == len(run.failed) <= len(lines)
    assert [birth[0] for birth in run.births] == sorted(birth[0] for birth in run.births)
    assert run.genealogy() is not None


CAMPAIGN = {
    "format": "evo.campaign/1",
    "configuration": {"seeds": [0, 1], "variants": {"default": {"problem": {}, "generations": 2}}},
}


@MANY
@given(said=changed(CAMPAIGN))
def test_campaigns_of_whatever_values_lead_nowhere_else(said, tmp_path):
    (tmp_path / "campaign.json").write_text(json.dumps(said))
    try:
        campaign = campaign_file(tmp_path)
    except CampaignError as error:
        refused(str(error), tmp_path / "campaign.json")
        return
    for variant in campaign.get("configuration", {"variants": ()})["variants"]:
        folder = (tmp_path / variant).resolve()
        assert folder.parent == tmp_path.resolve()


@pytest.mark.parametrize("link", ["relative", "absolute", "dangling"])
def test_links_are_not_written_through(link, tmp_path):
    outside, run = tmp_path / "outside", tmp_path / "run"
    run.mkdir()
    if link != "dangling":
        outside.write_text("precious")
    for name in ("journal.jsonl", "champion.json", "progress.jsonl"):
        (run / name).symlink_to(Path("../outside") if link == "relative" else outside)
    with pytest.raises(files.DiskError, match="is a link to another file"):
        Journal(run / "journal.jsonl", {"seed": 0}) if link == "dangling" else files.open_own(run / "journal.jsonl", 2)
    with pytest.raises(files.DiskError, match="is a link to another file"):
        files.append_text(run / "progress.jsonl", "{}")
    champion: Champion = load(CHAMPION)
    champion.save(run / "champion.json")
    assert load(run / "champion.json") == champion
    assert not (run / "champion.json").is_symlink()
    assert outside.read_text() == "precious" if link != "dangling" else not outside.exists()
