"""The cases of one task: rows of a table of pictures, which several tasks may share."""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class TaskData:
    """The cases of one task.

    Attributes:
        inputs: `[rows, *shape]` float32, a table that training cases are rows of.
        targets: classes of the training cases, `[cases]` int64, from 0.
        test_inputs: `[rows, *shape]` float32, the same for test cases.
        test_targets: `[cases]` int64.
        places: the rows of `inputs` that are training cases, `[cases]`; None for all in their order.
        test_places: the same for test cases.
        columns: which number of a row (laid flat) stands where, `[features]`; None for their own order.
    """

    inputs: torch.Tensor
    targets: torch.Tensor
    test_inputs: torch.Tensor
    test_targets: torch.Tensor
    places: torch.Tensor | None = None
    test_places: torch.Tensor | None = None
    columns: torch.Tensor | None = None

    def __len__(self) -> int:
        """How many training cases there are."""
        return len(self.targets)

    def cases(self, chosen: torch.Tensor, out: torch.Tensor | None = None) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs `[n, features]` and classes `[n]` of training cases, by number; inputs in `out`, if given."""
        rows = chosen if self.places is None else self.places[chosen]
        return self._shown(self.inputs, rows, out), self.targets[chosen]

    def test_cases(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return inputs `[cases, features]` and classes `[cases]` of all test cases."""
        rows = torch.arange(len(self.test_targets)) if self.test_places is None else self.test_places
        return self._shown(self.test_inputs, rows, None), self.test_targets

    def _shown(self, table: torch.Tensor, rows: torch.Tensor, out: torch.Tensor | None) -> torch.Tensor:
        flat = table.flatten(1)
        if self.columns is None:
            return torch.index_select(flat, 0, rows, out=out)
        return torch.index_select(flat.index_select(0, rows), 1, self.columns, out=out)
