"""The centre that a search comes to, where it moves one: `center.json` in a run's folder, written and read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from evo.files import read_format

if TYPE_CHECKING:
    import torch

    from evo.run import Run
    from evo.search import Search

FORMAT = "evo.center/1"


def described(search: Search, row: torch.Tensor) -> dict[str, Any]:
    """Return what the file says: the row `[1, L]` that a search has come to, with genes as a champion's, and when."""
    return {
        "format": FORMAT,
        "generation": search.generation,
        "over": search.generation >= search.generations,  # there are fewer once a target is reached
        "genes": search.genome.describe(row[0].cpu()),
    }


def center(run: Run, campaign: Path) -> torch.Tensor | None:
    """Return the row `[1, L]` that a run came to; None where it is not over, or left none.

    Args:
        run: one of a campaign whose algorithm leaves a centre, as evolution strategies do.
        campaign: the campaign's folder.

    Raises:
        ValueError: the file is damaged, or of another format.
    """
    file = run.folder(campaign) / "center.json"
    if not file.is_file():
        return None
    left = read_format(file, FORMAT)
    return run.genome.restore(left["genes"]) if left["over"] else None
