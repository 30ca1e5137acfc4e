"""The file of an importance: numpy's `.npz` with plain arrays, read without pickle and believed only when checked."""

from __future__ import annotations

import io
import json
import math
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evo.files import write_bytes

FORMAT = "evo.importance/1"
LARGEST_FILE = 2**30
"""Bytes; a file beyond, or one that unpacks to more, is refused unread."""
ARRAYS = ("precision", "anchor", "header")
TYPES = (np.dtype(np.float32), np.dtype(np.float64))


class ImportanceFileError(ValueError):
    """A file that holds no importance, or a damaged one; the text says why in one line."""


def write(path: Path, precision: torch.Tensor, anchor: torch.Tensor, parts: Any) -> None:
    """Write the arrays and, as JSON in bytes, the format and the names and shapes of the parts."""
    header = json.dumps({"format": FORMAT, "parts": parts}).encode()
    stream = io.BytesIO()
    arrays = {"precision": precision.cpu().numpy(), "anchor": anchor.cpu().numpy()}
    np.savez(stream, header=np.frombuffer(header, np.uint8), **arrays)  # type: ignore[arg-type]  # savez takes arrays
    write_bytes(path, stream.getvalue())


def read(path: Path) -> tuple[torch.Tensor, torch.Tensor, tuple[tuple[str, tuple[int, ...]], ...]]:
    """Return precision and anchor `[..., parameters]`, and the parts.

    Raises:
        ImportanceFileError: the file holds something else.
        FileNotFoundError: there is none.
    """
    if path.stat().st_size > LARGEST_FILE:
        raise ImportanceFileError(f"{path}: larger than {LARGEST_FILE} bytes, which no importance is")
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > LARGEST_FILE:
                raise ImportanceFileError(f"{path}: unpacks to {unpacked} bytes, which no importance has")
        with np.load(path, allow_pickle=False) as loaded:
            if sorted(loaded.files) != sorted(ARRAYS):
                raise ImportanceFileError(f"{path}: expected the arrays {', '.join(ARRAYS)}, got {loaded.files}")
            precision, anchor, header = (loaded[name] for name in ARRAYS)
        parts = _parts(json.loads(header.tobytes()))
    except ImportanceFileError:
        raise
    except (OSError, ValueError, TypeError, EOFError, KeyError, zipfile.BadZipFile, RecursionError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ImportanceFileError(f"{path}: not an importance: {' '.join(str(error).split())}") from None
    _check(path, precision, anchor, parts)
    return torch.from_numpy(precision), torch.from_numpy(anchor), parts


def _parts(header: Any) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the parts that a header names; ValueError or TypeError where it is none."""
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise ValueError(f"it is not of the format {FORMAT}; was it written by a later version?")
    parts = tuple((name, tuple(shape)) for name, shape in header["parts"])
    if not all(
        isinstance(name, str) and all(type(size) is int and size >= 0 for size in shape) for name, shape in parts
    ):
        raise ValueError("its parts are not names and whole numbers")
    return parts


def _check(path: Path, precision: np.ndarray, anchor: np.ndarray, parts: Any) -> None:
    """Raise ImportanceFileError unless the arrays can be an importance."""
    if precision.dtype not in TYPES or precision.dtype != anchor.dtype:
        raise ImportanceFileError(f"{path}: expected real numbers of one type, got {precision.dtype}, {anchor.dtype}")
    if precision.shape != anchor.shape or precision.ndim < 1:
        raise ImportanceFileError(
            f"{path}: expected precision and anchor of one shape, got {list(precision.shape)} and {list(anchor.shape)}"
        )
    if not (np.isfinite(precision).all() and np.isfinite(anchor).all()) or (precision < 0).any():
        raise ImportanceFileError(f"{path}: it holds numbers that are not finite, or negative precisions")
    if parts and sum(math.prod(shape) for _, shape in parts) != precision.shape[-1]:
        raise ImportanceFileError(f"{path}: its parts do not add up to its {precision.shape[-1]} parameters")
