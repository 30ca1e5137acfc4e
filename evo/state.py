"""What a run's genomes have learned by now, where it is too much for the journal: the last rows, as files.

The journal holds a digest of each; a file that does not fit its digest is as good as none. Files are numpy's `.npy`,
read without pickle.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from evo.files import write_bytes

KEPT = 2
"""Files; of the last generations."""


class StateFiles:
    """The learned rows of a run's last generations.

    Args:
        folder: the run's.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, generation: int, rows: torch.Tensor) -> str:
        """Keep the rows `[n, L]` of a generation, let go of those long past, and return the digest of what is kept."""
        stream = io.BytesIO()
        np.save(stream, rows.detach().cpu().contiguous().numpy(), allow_pickle=False)
        content = stream.getvalue()
        write_bytes(self._path(generation), content)
        kept = {self._path(generation - before) for before in range(KEPT)}
        for other in set(self.folder.glob("state-*.npy")) - kept:  # those of later ones too, which are to come again
            other.unlink(missing_ok=True)
        return hashlib.sha256(content).hexdigest()[:16]

    def load(self, generation: int, digest: str) -> torch.Tensor | None:
        """Return the rows `[n, L]` of a generation, or None where they are not at hand, or are not those recorded.

        Raises:
            ValueError: they are those recorded, but no rows.
        """
        path = self._path(generation)
        if not path.is_file():
            return None
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest()[:16] != digest:
            return None
        try:
            return torch.from_numpy(np.load(io.BytesIO(content), allow_pickle=False))
        except (ValueError, TypeError, EOFError, MemoryError) as error:  # as recorded, and yet no run wrote it
            raise ValueError(f"{path}: holds no rows: {' '.join(str(error).split())}") from None

    def latest(self, digests: Sequence[str]) -> tuple[int, torch.Tensor] | None:
        """Return the last generation whose rows are at hand as recorded, and those `[n, L]`; None without any.

        Args:
            digests: as `save` returned them, a generation each.
        """
        for generation in reversed(range(len(digests))):
            rows = self.load(generation, digests[generation])
            if rows is not None:
                return generation, rows
        return None

    def expected(self, generations: int) -> str:
        """Return, in words, the files that should be there after so many generations, and what is wrong with them."""
        paths = [self._path(number) for number in range(max(0, generations - KEPT), generations)]
        return ", ".join(f"{path.name} ({'not as recorded' if path.is_file() else 'missing'})" for path in paths)

    def _path(self, generation: int) -> Path:
        return self.folder / f"state-{generation:09d}.npy"
