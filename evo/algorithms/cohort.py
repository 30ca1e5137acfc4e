"""A cohort: individuals with given settings live side by side, and nobody is selected.

It is how settings are compared: every setting on the same streams, from the same weights and with the same chance
(common random numbers: Law 2015, Simulation Modeling and Analysis, section 11.2), so that the difference between two
settings is not drowned by that between streams. Compare stream by stream.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from evo.algorithm import Algorithm
from evo.continual import first_stream

if TYPE_CHECKING:
    from evo.search import Search

FORMAT = "evo.cohort/1"


@dataclass(frozen=True)
class Cohort(Algorithm):
    """Compares given settings on the same streams, generation by generation, without any selection.

    The genome must have a `cohort`, as `genomes.learner.Learner` has. Its rows are `[settings * streams, L]`, setting
    by setting: individual `i` has setting `i // streams` and stream `i % streams`, and keeps its place for ever. The
    run leaves who is who in its folder, as cohort.json.

    Attributes:
        settings: for each kind of individual what differs from the genome's own settings, by name; `({},)` for one
            kind, the genome as it is.
        streams: how many streams each kind lives on; their numbers are drawn. The first are the same for any number.

    Raises:
        ValueError: there are no settings, or no streams.
    """

    name: ClassVar[str] = "cohort"
    state_in_rows: ClassVar[bool] = True

    settings: Sequence[Mapping[str, Any]] = ({},)
    streams: int = 30

    def __post_init__(self) -> None:
        if isinstance(self.settings, Mapping) or not all(isinstance(one, Mapping) for one in self.settings):
            raise TypeError(
                f"Cohort: settings is a series of settings by name, such as ({{'step_size': 0.01}}, "
                f"{{'step_size': 0.001}}), got {self.settings!r}; for a single one, is the comma missing?"
            )
        if not self.settings or self.streams < 1:
            raise ValueError(
                f"Cohort: expected 1 setting or more and 1 stream or more, got {len(self.settings)} and {self.streams}"
            )
        object.__setattr__(self, "settings", tuple(dict(one) for one in self.settings))

    def run(self, search: Search) -> None:
        """Live through `search.generations` generations."""
        make: Any = getattr(search.genome, "cohort", None)
        if make is None:
            raise TypeError(
                f"Cohort: {type(search.genome).__name__} cannot be made with given settings on given streams: it has "
                f"no `cohort`; use a genome that has, such as genomes.learner.Learner"
            )
        rng = search.rng("sample")
        first = first_stream(rng)
        streams = list(range(first, first + self.streams))
        genome, rows = make(self.settings, streams, rng)
        rows = search.identify(genome, rows.to(search.device))
        search.leave("cohort", lambda: self.describe(streams))
        while search.generation < search.generations:
            rows = search.evaluate(genome, rows).inherited(rows)

    def describe(self, streams: Sequence[int]) -> dict[str, Any]:
        """Return who is who as plain JSON data, in the format of cohort.json."""
        settings = [dict(one) for one in self.settings]
        return {"format": FORMAT, "settings": settings, "labels": self.labels(), "streams": list(streams)}

    def labels(self) -> list[str]:
        """Return each setting in words, such as "step_size 0.01, replacement_rate 0.0001"."""
        return [
            ", ".join(f"{name} {_short(value)}" for name, value in one.items()) or "as it is" for one in self.settings
        ]


def _short(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
