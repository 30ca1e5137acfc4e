import json

import numpy as np
import pytest

from evo.exchange import matrix_file
from evo.exchange.matrix_file import MatrixError, matrix_text, read_matrix, read_tuned

# bias, two inputs, one hidden node, one output; the second input's connection to the output is disabled
SMALL = """\
0.00e+00,0.00e+00,0.00e+00,5.00e-01,0.00e+00,1.00e+00
0.00e+00,0.00e+00,0.00e+00,-1.25e+00,1.00e+00,1.00e+00
0.00e+00,0.00e+00,0.00e+00,0.00e+00,nan,1.00e+00
0.00e+00,0.00e+00,0.00e+00,0.00e+00,2.00e+00,5.00e+00
0.00e+00,0.00e+00,0.00e+00,0.00e+00,0.00e+00,3.00e+00
"""


def written(tmp_path, text, name="network.out"):
    path = tmp_path / name
    path.write_text(text) if isinstance(text, str) else path.write_bytes(text)
    return path


def test_what_the_file_says(tmp_path):
    matrix = read_matrix(written(tmp_path, SMALL))
    assert matrix.activations == ("linear", "linear", "linear", "tanh", "sin")
    assert matrix.enabled.tolist() == [[0, 3], [1, 3], [1, 4], [3, 4]]  # row by row
    assert matrix.disabled.tolist() == [[2, 4]]
    assert matrix.weights[1, 3] == -1.25
    assert matrix_text(matrix) == SMALL


def test_a_last_line_may_lack_its_end_and_lines_may_end_as_on_windows(tmp_path):
    for text in (SMALL.rstrip("\n"), SMALL.replace("\n", "\r\n"), SMALL + "\n\n"):
        assert matrix_text(read_matrix(written(tmp_path, text))) == SMALL


def test_weights_that_three_digits_cannot_say_are_written_with_nine(tmp_path):
    weight = float(np.float32(0.1234567))
    matrix = read_matrix(written(tmp_path, SMALL))
    matrix.weights[0, 3] = weight
    again = read_matrix(written(tmp_path, matrix_text(matrix)))
    assert np.float32(again.weights[0, 3]) == np.float32(weight)
    assert matrix_text(again).splitlines()[1:] == SMALL.splitlines()[1:]


def test_weights_that_are_no_float32_come_back_to_the_last_bit(tmp_path):
    drawn = np.random.default_rng(0).normal(size=2000).tolist()
    weights = [*drawn, 1e-300, -1.7976931348623157e308, 0.1 + 0.2, 1 / 3]
    matrix = read_matrix(written(tmp_path, SMALL))
    wide = np.zeros((5, len(weights)))
    wide[0] = weights
    cells = matrix_text(matrix_file.Matrix(wide, matrix.activations)).splitlines()[0].split(",")[:-1]
    assert [float(text) for text in cells] == weights
    singles = [float(np.float32(weight)) for weight in weights if abs(weight) < 1e30]
    wide[0, : len(singles)] = singles
    cells = matrix_text(matrix_file.Matrix(wide, matrix.activations)).splitlines()[0].split(",")[: len(singles)]
    assert max(map(len, cells)) <= len("-1.23456789e-38")  # nine digits are enough for these
    assert [np.float32(float(text)) for text in cells] == [np.float32(weight) for weight in singles]


def test_the_largest_network_fits_in_the_largest_file():
    line = ",".join(["0.00e+00"] * (matrix_file.LARGEST_NETWORK + 1)) + "\n"
    assert len(line) * matrix_file.LARGEST_NETWORK <= matrix_file.LARGEST_FILE


def cell(row, column, value):
    """The small file with one cell changed."""
    lines = [line.split(",") for line in SMALL.splitlines()]
    lines[row][column] = value
    return "\n".join(",".join(line) for line in lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "1 to 4096 lines"),
        ("\n\n\n", "1 to 4096 lines"),
        ("1,1\n" * 5000, "1 to 4096 lines"),
        ("0,1,1\n0,0\n", "line 2 has 2 columns, expected 3"),
        ("0,1,1,1\n0,0,1\n", "line 1 has 4 columns, expected 3"),
        ("0," * 10_000 + "\n0,0,1\n", "line 1 has 10001 columns"),
        ('{"format": "evo.champion/1"}', "not a matrix file: it holds '{'"),
        (cell(0, 3, "inf"), "it holds 'i'"),
        (cell(0, 3, "0x1"), "it holds 'x'"),
        (cell(0, 3, "1_000"), "it holds '_'"),
        (cell(0, 3, "1e999"), "line 1, column 4 is beyond"),
        (cell(0, 3, "1e39"), "line 1, column 4 is beyond"),
        (cell(0, 3, ""), "line 1: could not convert"),
        (cell(0, 3, "1 2"), "line 1: could not convert"),
        (cell(0, 3, "-" * 1000), "line 1: could not convert"),
        (cell(4, 3, "1.0"), "from node 4 to node 3"),
        (cell(3, 3, "1.0"), "from node 3 to node 3"),
        (cell(4, 0, "nan"), "from node 4 to node 0"),
        (cell(3, 5, "12"), "12.0 is no activation"),
        (cell(3, 5, "0"), "0.0 is no activation"),
        (cell(3, 5, "5.5"), "5.5 is no activation"),
        (cell(3, 5, "nan"), "nan is no activation"),
        (cell(3, 5, "-5"), "-5.0 is no activation"),
        (b"\x80\x04\x95pickle", "no plain text"),
        ("٣".encode(), "no plain text"),
        (b"0,\x00,1", "it holds '\\\\x00'"),
    ],
)
def test_impossible_files_are_refused_in_one_line(tmp_path, text, said):
    with pytest.raises(MatrixError, match=said) as refused:
        read_matrix(written(tmp_path, text))
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 400
    assert "network.out" in str(refused.value)


def test_files_too_large_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(matrix_file, "LARGEST_FILE", 100)
    with pytest.raises(MatrixError, match="larger than 100 bytes"):
        read_matrix(written(tmp_path, SMALL))
    with pytest.raises(MatrixError, match="larger than 100 bytes"):
        read_tuned(written(tmp_path, "[" + "1," * 60 + "1]"), 61)


def test_tuned_weights(tmp_path):
    for said in ([[0.5, -1, 2.25]], [[0.5, -1, 2.25], 932], [[0.5, -1, 2.25], 932.0, 6.1]):
        assert read_tuned(written(tmp_path, json.dumps(said)), 3) == [0.5, -1.0, 2.25]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[1, 2]]", "has 2 weights, the matrix file 3"),
        ("[]", "expected a list whose first item"),
        ("{}", "expected a list whose first item"),
        ("[1, 2, 3]", "expected a list whose first item"),
        ("[[1, 2, true]]", "expected a list whose first item"),
        ('[[1, 2, "3"]]', "expected a list whose first item"),
        ("[[1, 2, NaN]]", "expected a list whose first item"),
        ("[[1, 2, 1e999]]", "expected a list whose first item"),
        ("[[1, 2, 1" + "0" * 400 + "]]", "expected a list whose first item"),
        ("[[1, 2, 1" + "0" * 5000 + "]]", "not a file of tuned weights"),
        ("[" * 100_000, "not a file of tuned weights"),
        ("[[1, 2,", "not a file of tuned weights"),
        (b"\xff\xfe\x00", "not a file of tuned weights"),
    ],
)
def test_impossible_tuned_weights_are_refused_in_one_line(tmp_path, text, said):
    with pytest.raises(MatrixError, match=said) as refused:
        read_tuned(written(tmp_path, text, "tuned.json"), 3)
    assert "\n" not in str(refused.value)
