"""Outcomes as a journal's record holds them: plain numbers, null for what is not finite."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import torch

from evo.outcome import Outcome, Outcomes


def outcomes_in(record: dict[str, Any], learned: torch.Tensor | None) -> Outcomes:
    """Return the outcomes that a journal record holds, with the rows `[n, L]` as they were learned, if they were."""
    scores = [[math.nan if score is None else score for score in row] for row in record["scores"]]
    failed = record["failed"]
    kinds = tuple(Outcome[failed[str(i)][0]] if str(i) in failed else Outcome.OK for i in range(len(scores)))
    messages = {int(index): text for index, (_, text) in failed.items() if text}
    return Outcomes(torch.tensor(scores, dtype=torch.float64), kinds, messages, rows=learned)


def finite(scores: torch.Tensor) -> list[list[float | None]]:
    """Return scores `[n, objectives]` as a record holds them."""
    numbers = scores.cpu().numpy()
    rows: list[list[float | None]] = numbers.tolist()
    if np.isfinite(numbers).all():
        return rows
    return [[score if score is not None and math.isfinite(score) else None for score in row] for row in rows]


def plain(measured: torch.Tensor) -> Any:
    """Return what was measured, `[n, ...]`, as nested lists with 6 significant digits; None for what is not finite."""
    if measured.dim() > 1:
        return [plain(part) for part in measured]
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in measured.tolist()]


def rows_digest(rows: torch.Tensor) -> str:
    """Return what tells rows `[n, L]` from others."""
    return hashlib.sha256(rows.detach().cpu().contiguous().numpy().data).hexdigest()[:16]
