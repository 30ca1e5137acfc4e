"""How a lifetime changed a population, generation by generation, as journals have it: before it, and at each horizon.

The gap between the two is the Baldwin effect's measure: what learning is worth (Hinton & Nowlan 1987). It closes where
evolution has put into the genome what used to be learned, and opens where evolution finds genomes that learn.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np

from evo.study_parts import BegunRun, begun_runs, part_of


@final
@dataclass(frozen=True)
class Adaptation:
    """One run's lifetimes.

    Attributes:
        variant, seed: which run.
        objective: what was scored.
        maximize: whether more of it is better.
        horizons: `[horizons]`, steps after which individuals were scored, or 1 and up where steps have no numbers.
        before: `[generations]`, the population's median at birth.
        after: `[generations, horizons]`, its median at each horizon; NaN where none was finite.
    """

    variant: str
    seed: int
    objective: str
    maximize: bool
    horizons: tuple[int, ...]
    before: np.ndarray
    after: np.ndarray

    @property
    def gap(self) -> np.ndarray:
        """What a whole lifetime is worth, `[generations]`: how much better the last score is than that at birth."""
        sign = 1.0 if self.maximize else -1.0
        return np.asarray(sign * (self.after[:, -1] - self.before))


def adaptations(folder: Path) -> list[Adaptation]:
    """Return the lifetimes that a campaign's folder, or a run's, holds; none where nobody was scored at birth.

    Raises:
        CampaignError: the folder holds no campaign and no run, or files that do not fit one another.
    """
    campaign, runs = begun_runs(folder)
    objective = str(next(iter(campaign.get("objectives", ())), "score"))
    maximize = bool(campaign.get("maximize", True))
    found = [_adaptation(run, objective, maximize) for run in runs if "lifetime" in _settings(run)]
    return [one for one in found if one is not None]


def _settings(run: BegunRun) -> dict[str, Any]:
    settings = run.described.get("problem", {}).get("settings", {})
    return settings if isinstance(settings, dict) else {}


def _adaptation(run: BegunRun, objective: str, maximize: bool) -> Adaptation | None:
    part = part_of(run)
    if part is None or not {"before", "after"} <= part.values.keys():
        return None
    before, after = (_medians(part.values[name][:, 0]) for name in ("before", "after"))
    return Adaptation(run.variant, run.seed, objective, maximize, _horizons(run, after.shape[1]), before, after)


def _medians(values: np.ndarray) -> np.ndarray:
    """Return the medians over individuals of `[generations, individuals, ...]`, of those that are finite."""
    flat = np.where(np.isfinite(values), values, np.nan)
    medians = np.full((len(values), *values.shape[2:]), np.nan)
    some = np.isfinite(flat).any(1)
    medians[some] = np.nanmedian(np.moveaxis(flat, 1, -1)[some], axis=-1)
    return medians


def _horizons(run: BegunRun, count: int) -> tuple[int, ...]:
    """Return the numbers of steps as campaign.json has them."""
    lifetime = _settings(run)["lifetime"]
    settings = lifetime.get("settings", {}) if isinstance(lifetime, dict) else {}
    steps = settings.get("horizons") if isinstance(settings, dict) else None
    if isinstance(steps, list) and len(steps) == count and all(isinstance(step, int) for step in steps):
        return tuple(steps)
    return tuple(range(1, count + 1))
