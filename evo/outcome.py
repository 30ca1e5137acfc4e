"""How an evaluation ended. User code fails, and that is data: recorded, explained, never a number for selection."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import torch


class Outcome(enum.Enum):
    """How one evaluation ended; the value is advice for the person who wrote the fitness."""

    OK = "finished with finite scores"
    NAN = "returned NaN: look for 0/0, log of a negative number, or an empty mean"
    INFINITE = "returned an infinite score: look for a division by zero, exp of a large number or log(0)"
    WRONG_TYPE = "returned something else than one finite number per objective: look for a missing return, or a list"
    RAISED = "raised an exception: the traceback is recorded"
    TIMED_OUT = "ran longer than its time limit: raise time_limit, or look for an endless loop"
    OUT_OF_MEMORY = "asked for more memory than its limit: raise memory_limit, or look for a growing list"
    CRASHED = "ended its worker process: a segmentation fault, os._exit, or the system out of memory"


@dataclass(frozen=True)
class Outcomes:
    """What a problem says of a batch of phenotypes.

    Attributes:
        scores: `[n, objectives]` float64, in the problem's own directions; NaN where the evaluation failed.
        kinds: how each evaluation ended, n of them.
        messages: for failed evaluations, what happened: an exception's traceback, the value returned.
        trials: for each objective measured in several trials, `[n, shared weights, episodes]`; the score is their mean.
        measured: what else was seen, by name, `[n, ...]`: recorded in the journal, and no part of selection.
        learned: n phenotypes as a lifetime left them, where their genomes are to take over what they learned.
        rows: `[n, L]`, the genomes that have taken it over, where there was anything; see `inherited`.
    """

    scores: torch.Tensor
    kinds: tuple[Outcome, ...]
    messages: dict[int, str] = field(default_factory=dict)
    trials: dict[str, torch.Tensor] = field(default_factory=dict)
    measured: dict[str, torch.Tensor] = field(default_factory=dict)
    learned: Any | None = None
    rows: torch.Tensor | None = None

    @cached_property
    def ok(self) -> torch.Tensor:
        """Which evaluations finished with finite scores: booleans `[n]` on the scores' device."""
        return torch.tensor([kind is Outcome.OK for kind in self.kinds], device=self.scores.device)

    def __len__(self) -> int:
        return len(self.kinds)

    def to(self, device: torch.device) -> Outcomes:
        """Return the same outcomes with their scores, and rows, on another device."""
        rows = None if self.rows is None else self.rows.to(device)
        return replace(self, scores=self.scores.to(device), rows=rows)

    def inherited(self, rows: torch.Tensor) -> torch.Tensor:
        """Return the rows `[n, L]` to go on with: those evaluated, or what they became in their lifetimes (Lamarck).

        Algorithms that select and breed what it returns serve both kinds of inheritance.
        """
        return rows if self.rows is None else self.rows

    def failures(self) -> dict[Outcome, int]:
        """Return how many evaluations ended in each way other than OK."""
        return {kind: count for kind, count in Counter(self.kinds).items() if kind is not Outcome.OK}

    def explain(self) -> str:
        """Return a sentence or two about the failures, with the first message; empty when there are none."""
        failures = self.failures()
        if not failures:
            return ""
        counts = "; ".join(f"{count} of {len(self)} evaluations {kind.value}" for kind, count in failures.items())
        first = next((f"\nfirst: individual {index}: {text}" for index, text in sorted(self.messages.items())), "")
        return counts + first


def outcomes_of(scores: torch.Tensor, trials: dict[str, torch.Tensor] | None = None) -> Outcomes:
    """Return outcomes for scores `[n, objectives]`: NaN and infinite ones become failures, told by name."""
    scores = scores.detach().to(torch.float64)
    nan, infinite = scores.isnan().any(1).tolist(), scores.isinf().any(1).tolist()
    kinds = tuple(
        Outcome.NAN if is_nan else Outcome.INFINITE if is_infinite else Outcome.OK
        for is_nan, is_infinite in zip(nan, infinite, strict=True)
    )
    failed = {index: f"scores {scores[index].tolist()}" for index, kind in enumerate(kinds) if kind is not Outcome.OK}
    if failed:
        scores = scores.clone()
        scores[list(failed)] = torch.nan
    return Outcomes(scores, kinds, failed, trials or {})


def join(parts: list[Outcomes]) -> Outcomes:
    """Return the outcomes of several batches, in order, as those of one.

    What not all of them have is dropped: trials and measurements of a name, rows. So are learned phenotypes.
    """
    messages: dict[int, str] = {}
    start = 0
    for part in parts:
        messages |= {start + index: text for index, text in part.messages.items()}
        start += len(part)
    rows = [part.rows for part in parts if part.rows is not None]
    return Outcomes(
        scores=torch.cat([part.scores for part in parts]),
        kinds=tuple(kind for part in parts for kind in part.kinds),
        messages=messages,
        trials=_joined([part.trials for part in parts]),
        measured=_joined([part.measured for part in parts]),
        rows=torch.cat(rows) if len(rows) == len(parts) else None,
    )


def _joined(parts: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    names = set.intersection(*(set(part) for part in parts))
    return {name: torch.cat([part[name] for part in parts]) for name in sorted(names)}
