"""What a generation's genomes took over from their lifetimes, as text for the run's journal.

Learned rows are recorded as the bits in which they differ from the rows that were evaluated, which replay makes again:
nearly all are zero, so they compress well, and rows of any genome come back to the last bit.
"""

from __future__ import annotations

import base64
import zlib

import numpy as np
import torch


def changes(rows: torch.Tensor, learned: torch.Tensor) -> str:
    """Return how `learned` differs from `rows`, both `[n, L]` of one type: base64 of zlib of the differing bits."""
    different = np.bitwise_xor(_bits(rows), _bits(learned))
    return base64.b64encode(zlib.compress(different.tobytes(), 6)).decode("ascii")


def changed(rows: torch.Tensor, text: str) -> torch.Tensor:
    """Return the `learned` rows `[n, L]` of `changes(rows, learned)`, on the rows' device."""
    bits = _bits(rows)
    different = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(bits.shape)
    return torch.from_numpy(np.bitwise_xor(bits, different)).view(rows.dtype).to(rows.device)


def _bits(rows: torch.Tensor) -> np.ndarray:
    """Return the rows' bytes `[n, L * bytes per number]`."""
    return rows.detach().cpu().contiguous().view(torch.uint8).numpy()
