import json

import pytest

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


def test_nan_is_never_written():
    with pytest.raises(ValueError, match="JSON compliant"):
        encode({"score": float("nan")})


def test_only_whole_lines_are_records():
    line = encode({"a": 1})
    assert decode(line) == {"a": 1}
    assert json.loads(line[9:]) == {"a": 1}
    assert decode(line[:-1]) is None
    assert decode(b"\n") is None
