import json

import pytest

from evo import journal as journals
from evo.journal import Journal, JournalError, decode, encode, read

HEADER = {"seed": 1, "variant": "default", "configuration": "abc"}


def written(path, generations=4):
    with Journal(path, HEADER) as journal:
        for generation in range(len(journal.records), generations):
            journal.append({"generation": generation, "scores": [[generation + 0.1]], "text": 'a "quoted"\nline\u2028'})
    return path.read_bytes()


def test_a_journal_cut_at_every_byte_ends_the_same(tmp_path):
    whole = written(tmp_path / "whole")
    for cut in range(len(whole)):
        path = tmp_path / "cut"
        path.write_bytes(whole[:cut])
        assert written(path) == whole


def test_a_long_damaged_tail_is_cut_off(tmp_path):
    whole = written(tmp_path / "whole")
    first = whole.index(b"\n") + 1
    path = tmp_path / "damaged"
    path.write_bytes(whole[:first] + b"x" * 10_000)
    assert written(path) == whole


def test_nothing_is_cut_off_before_something_is_written(tmp_path):
    """Who opens a damaged journal and finds that it cannot go on leaves everything there for rescue."""
    path = tmp_path / "journal"
    whole = written(path)
    place = whole.index(b"\n") + 20
    harmed = whole[:place] + b"#" + whole[place + 1 :]
    for content, damaged in ((harmed, True), (whole, False)):
        path.write_bytes(content)
        with Journal(path, HEADER) as journal:
            assert journal.damaged == damaged
        assert path.read_bytes() == content
    path.write_bytes(harmed)
    assert written(path) == whole


def test_a_flipped_bit_anywhere_is_found(tmp_path):
    path = tmp_path / "journal"
    whole = written(path)
    records = read(path)[0]
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        found = read(path)[0]
        assert len(found) < len(records), place
        assert found == records[: len(found)]


def test_another_run_or_a_later_format_is_refused(tmp_path):
    path = tmp_path / "journal"
    whole = written(path)
    with pytest.raises(JournalError, match="seed differ"):
        Journal(path, {**HEADER, "seed": 2})
    assert path.read_bytes() == whole
    path.write_bytes(encode({"format": "evo.journal/2", **HEADER}))
    with pytest.raises(JournalError, match="format differ"):
        Journal(path, HEADER)


@pytest.mark.parametrize("reopened", [False, True])
@pytest.mark.parametrize("count", [0, 2, 4, 9])
def test_a_cut_ends_the_file_with_a_record_and_writes_nothing_anew(tmp_path, monkeypatch, count, reopened):
    path = tmp_path / "journal"
    whole = written(path)
    lines, records = whole.splitlines(keepends=True), read(path)[0][1:]
    if not reopened:
        path.unlink()
    with Journal(path, HEADER) as journal:
        for record in records[len(journal.records) :]:
            journal.append(record)
        with monkeypatch.context() as patched:
            patched.setattr(journals, "encode", None)
            journal.cut(count)
        assert path.read_bytes() == b"".join(lines[: count + 1])
        assert journal.records == records[:count]
    assert written(path) == whole


def test_what_is_not_wanted_in_memory_is_in_the_file(tmp_path):
    path = tmp_path / "journal"
    whole = written(path, 2)
    with Journal(path, HEADER, without=("text", "none")) as journal:
        journal.append({"generation": 2, "text": "long"})
        assert [list(record) for record in journal.records] == [["generation", "scores"]] * 2 + [["generation"]]
    assert path.read_bytes() == whole + encode({"generation": 2, "text": "long"})


def test_nan_is_never_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        encode({"score": float("nan")})


def test_only_whole_lines_are_records():
    line = encode({"a": 1})
    assert decode(line) == {"a": 1}
    assert json.loads(line[9:]) == {"a": 1}
    assert decode(line[:-1]) is None
    assert decode(b"\n") is None
