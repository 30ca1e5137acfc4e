"""The fields of a topology's row, as shaped views: what operators read and write."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evo.layout import Field, Layout


def topology_layout(hidden: int, connections: int) -> Layout:
    """Return the layout of rows with room for so many hidden nodes and connections; empty slots hold NaN.

    float64, because identities are told apart exactly.
    """
    return Layout(
        Field("node", (hidden,), "identity of a hidden node, between 0 and 1; NaN where a slot is empty"),
        Field("node_activation", (hidden,), "activation id of a hidden node"),
        Field("edge_source", (connections,), "identity of the node a connection comes from"),
        Field("edge_target", (connections,), "identity of the node it leads to"),
        Field("edge_weight", (connections,), "its weight"),
        Field("edge_enabled", (connections,), "1 where it is expressed, 0 where it is not"),
        dtype=torch.float64,
    )


@dataclass(frozen=True)
class Fields:
    """Views `[n, hidden]` and `[n, connections]` of rows; writing to them writes to the rows. See `topology_layout`."""

    node: torch.Tensor
    node_activation: torch.Tensor
    edge_source: torch.Tensor
    edge_target: torch.Tensor
    edge_weight: torch.Tensor
    edge_enabled: torch.Tensor

    @classmethod
    def of(cls, layout: Layout, rows: torch.Tensor) -> Fields:
        """Return the views of `rows`."""
        return cls(*(layout.view(rows, field.name) for field in layout.fields))

    def nodes(self) -> torch.Tensor:
        """Return how many hidden nodes each genome has `[n]`, which is its first empty slot."""
        return (~self.node.isnan()).sum(1)

    def edges(self) -> torch.Tensor:
        """Return how many connections each genome has `[n]`, enabled or not, which is its first empty slot."""
        return (~self.edge_source.isnan()).sum(1)

    def connect(
        self, row: torch.Tensor, slot: torch.Tensor, source: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
    ) -> None:
        """Write an enabled connection to slots `[k]` of rows `[k]`."""
        self.edge_source[row, slot] = source
        self.edge_target[row, slot] = target
        self.edge_weight[row, slot] = weight
        self.edge_enabled[row, slot] = 1.0
