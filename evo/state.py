"""What a run's genomes have learned by now, where it is too much for the journal: the last rows, as files.

The journal holds a digest of each; a file that does not fit its digest is as good as none. Files are numpy's `.npy`,
read without pickle.
"""

from __future__ import annotations

import hashlib
import io
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
        for old in sorted(self.folder.glob("state-*.npy"))[:-KEPT]:
            old.unlink(missing_ok=True)
        return hashlib.sha256(content).hexdigest()[:16]

    def load(self, generation: int, digest: str) -> torch.Tensor | None:
        """Return the rows `[n, L]` of a generation, or None where they are not at hand, or are not those recorded."""
        path = self._path(generation)
        if not path.is_file():
            return None
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest()[:16] != digest:
            return None
        return torch.from_numpy(np.load(io.BytesIO(content), allow_pickle=False))

    def _path(self, generation: int) -> Path:
        return self.folder / f"state-{generation:09d}.npy"
