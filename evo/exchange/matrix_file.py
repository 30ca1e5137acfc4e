"""The matrix files (`.out`) of the published weight agnostic networks and prettyNEAT, read and written.

Source: Gaier & Ha 2019 (arXiv:1906.04358), released code, `neat_src/ind.py`: text without a header, a line per node
in the order bias, inputs, hidden (in order of computation), outputs. The first columns are the connections' weights,
row = source, column = target, 0 where there is none, `nan` where one is disabled; the last column is the activation's
id. How many nodes are inputs and outputs the file does not say: the task knows. Tuned weights come in a JSON file of
their own: a list whose first item has a number per enabled connection, row by row.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evo.activations import IDS, NAMES

LARGEST_FILE = 160 * 2**20
"""Bytes; a file beyond is neither read nor written."""
LARGEST_NETWORK = 4096
"""Nodes; they fit in a file as long as most cells have three digits."""
LARGEST_WEIGHT = float(np.finfo(np.float32).max)
TINY = 1e-99
"""Written for an enabled connection whose weight is 0, which would say that there is none."""
LETTERS = re.compile(r"[-+0-9.eEna,\s]*", re.ASCII)


class MatrixError(ValueError):
    """A matrix file, or one of tuned weights, that cannot be understood; the text says why in one line."""


@dataclass(frozen=True)
class Matrix:
    """What a matrix file says.

    Attributes:
        weights: `[nodes, nodes]` float64, row = source, column = target; 0: no connection, NaN: a disabled one.
        activations: a name per node.
    """

    weights: np.ndarray
    activations: tuple[str, ...]

    @property
    def enabled(self) -> np.ndarray:
        """The ends `[connections, 2]` of all enabled connections, row by row, as tuned weights are ordered."""
        return np.argwhere((self.weights != 0) & ~np.isnan(self.weights))

    @property
    def disabled(self) -> np.ndarray:
        """The ends `[connections, 2]` of all disabled connections, row by row."""
        return np.argwhere(np.isnan(self.weights))


def read_matrix(path: Path) -> Matrix:
    """Return what a matrix file says.

    Raises:
        MatrixError: not such a file, or one that no feed-forward network can have.
        FileNotFoundError: there is none.
    """
    lines = _text(path).splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    nodes = len(lines)
    if not 1 <= nodes <= LARGEST_NETWORK:
        raise MatrixError(f"{path}: expected 1 to {LARGEST_NETWORK} lines, one per node, got {nodes}")
    cells = np.empty((nodes, nodes + 1))
    for number, line in enumerate(lines):
        row = line.split(",", nodes + 1)
        if len(row) != nodes + 1:
            found = line.count(",") + 1
            raise MatrixError(f"{path}: line {number + 1} has {found} columns, expected {nodes + 1} for {nodes} lines")
        try:
            cells[number] = [float(cell) for cell in row]
        except ValueError as error:
            raise MatrixError(f"{path}: line {number + 1}: {str(error)[:80]}") from None
    return _checked(path, cells[:, :-1], cells[:, -1])


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST_FILE:
        raise MatrixError(f"{path}: larger than {LARGEST_FILE} bytes, which no matrix file is")
    try:
        text = path.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise MatrixError(f"{path}: not a matrix file: it holds bytes that are no plain text") from None
    letters = LETTERS.match(text)
    if letters is None or letters.end() < len(text):
        wrong = text[letters.end() if letters else 0]
        raise MatrixError(f"{path}: not a matrix file: it holds {wrong!r}, not only numbers, 'nan' and commas")
    return text


def _checked(path: Path, weights: np.ndarray, kinds: np.ndarray) -> Matrix:
    """Return the matrix, if a feed-forward network can have it."""
    wrong = np.argwhere(np.abs(weights) > LARGEST_WEIGHT)
    if len(wrong):
        raise MatrixError(f"{path}: line {wrong[0][0] + 1}, column {wrong[0][1] + 1} is beyond what a weight can be")
    wrong = np.argwhere(np.tril(weights) != 0)
    if len(wrong):
        source, target = wrong[0].tolist()
        raise MatrixError(
            f"{path}: line {source + 1}, column {target + 1}: a connection leads backward, from node {source} to node "
            f"{target}; the format holds feed-forward networks only, nodes in order of computation"
        )
    unknown = [kind for kind in kinds.tolist() if kind not in NAMES]
    if unknown:
        raise MatrixError(
            f"{path}: last column: {unknown[0]} is no activation; ids are whole numbers 1 to {len(NAMES)}"
        )
    return Matrix(weights, tuple(NAMES[int(kind)] for kind in kinds))


def read_tuned(path: Path, connections: int) -> list[float]:
    """Return the tuned weights of a matrix file's enabled connections, in the order of `Matrix.enabled`.

    Args:
        path: a JSON file: a list, its first item a list of numbers; scores may follow.
        connections: how many are enabled in the matrix file.

    Raises:
        MatrixError: not such a file, or of another network.
        FileNotFoundError: there is none.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise MatrixError(f"{path}: larger than {LARGEST_FILE} bytes, which no file of tuned weights is")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise MatrixError(f"{path}: not a file of tuned weights: {str(error)[:120]}") from None
    tuned = said[0] if isinstance(said, list) and said else None
    if not isinstance(tuned, list) or not all(_is_weight(number) for number in tuned):
        raise MatrixError(f"{path}: expected a list whose first item is a list of finite numbers")
    if len(tuned) != connections:
        raise MatrixError(
            f"{path}: has {len(tuned)} weights, the matrix file {connections} enabled connections; is it another's?"
        )
    return [float(number) for number in tuned]


def _is_weight(number: Any) -> bool:
    return type(number) in (int, float) and abs(number) <= LARGEST_WEIGHT


def matrix_text(matrix: Matrix) -> str:
    """Return the matrix as such a file has it: numbers with three digits where those say all, else with more."""
    lines = []
    for row, activation in zip(matrix.weights.tolist(), matrix.activations, strict=True):
        lines.append(",".join([*(_cell(weight) for weight in row), _cell(float(IDS[activation]))]))
    return "\n".join(lines) + "\n"


def _cell(number: float) -> str:
    """Return a number as text that gives it back: nine digits give any float32 back, and no other number surely."""
    short, longer = f"{number:.2e}", f"{number:.8e}"
    if float(short) == number or number != number:
        return short
    single = abs(number) <= LARGEST_WEIGHT and float(np.float32(number)) == number == float(np.float32(float(longer)))
    return longer if single or float(longer) == number else repr(number)
