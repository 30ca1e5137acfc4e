"""Who descends from whom: lineage columns of rows, and the genealogy they add up to.

An identity is a whole number. It is kept in two columns (high and low part, base 2^24), because a float32
column alone tells only 16.7 million numbers apart. -1 stands for "nobody".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from evo.layout import LINEAGE_FIELDS, Layout

if TYPE_CHECKING:
    import networkx

BASE = 2**24


def identities(layout: Layout, rows: torch.Tensor, field: str = "uid") -> torch.Tensor:
    """Return the identities `[n]` (int64) in the lineage field `uid`, `first_parent` or `second_parent`."""
    high, low = layout.view(rows, field).to(torch.int64).unbind(1)
    return torch.where(high < 0, -1, high * BASE + low)


def births(layout: Layout, rows: torch.Tensor) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return each row's identity and its parents', `[n, 3]`."""
    layout.check(rows)
    parts = rows[:, layout.genes :].cpu().numpy().reshape(len(rows), len(LINEAGE_FIELDS), 2).astype(np.int64)
    return np.where(parts[..., 0] < 0, -1, parts[..., 0] * BASE + parts[..., 1])


def _write(layout: Layout, rows: torch.Tensor, field: str, numbers: torch.Tensor) -> None:
    parts = torch.stack((numbers // BASE, numbers % BASE), dim=1)
    layout.view(rows, field)[...] = torch.where(numbers[:, None] < 0, -1, parts).to(rows)


def stamp(
    layout: Layout,
    rows: torch.Tensor,
    first_uid: int,
    first: torch.Tensor | None = None,
    second: torch.Tensor | None = None,
) -> torch.Tensor:
    """Give `rows` new identities, counted up from `first_uid`, and the parents' identities.

    Args:
        layout: the layout of all rows given.
        rows: the children `[n, L]`, changed in place.
        first_uid: the identity of the first child.
        first: each child's first parent `[n, L]`; None where there is none.
        second: each child's second parent `[n, L]`; None where there is none. A child of one parent twice has one.

    Returns:
        `rows`.
    """
    nobody = torch.full((len(rows),), -1, dtype=torch.int64, device=rows.device)
    parents = [nobody if parent is None else identities(layout, parent) for parent in (first, second)]
    _write(layout, rows, "uid", torch.arange(first_uid, first_uid + len(rows), device=rows.device))
    parents[1] = torch.where(parents[1] == parents[0], -1, parents[1])
    for field, numbers in zip(("first_parent", "second_parent"), parents, strict=True):
        _write(layout, rows, field, numbers)
    return rows


def genealogy(births: Iterable[tuple[int, int, int, int]]) -> networkx.DiGraph[int]:
    """Return the graph of births: an edge from each parent to each child.

    Args:
        births: (generation, identity, first parent, second parent) of every individual; -1 is nobody.
    """
    import networkx

    graph: networkx.DiGraph[int] = networkx.DiGraph()
    for generation, uid, *parents in births:
        graph.add_node(uid, generation=generation)
        graph.add_edges_from((parent, uid) for parent in parents if parent >= 0)
    return graph
