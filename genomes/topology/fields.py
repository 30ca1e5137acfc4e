"""The fields of a topology's row, as shaped views: what operators read and write."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from evo.layout import Field, Layout


def topology_layout(interface: int, hidden: int, connections: int) -> Layout:
    """Return the layout of rows with room for so many hidden nodes and connections; empty slots hold NaN.

    `interface` is the number of inputs and outputs together. float64, because identities are told apart exactly.
    """
    return Layout(
        Field("interface_activation", (interface,), "activation ids of the inputs, then the outputs"),
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

    interface_activation: torch.Tensor
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

    def trimmed(self) -> Fields:
        """Return the views without the slots at the end that no genome uses, but for one: less to go through."""
        nodes, edges = (max(1, int(count.max())) if len(count) else 1 for count in (self.nodes(), self.edges()))
        return Fields(
            self.interface_activation,
            *(view[:, :nodes] for view in (self.node, self.node_activation)),
            *(view[:, :edges] for view in (self.edge_source, self.edge_target, self.edge_weight, self.edge_enabled)),
        )

    def connect(
        self, row: torch.Tensor, slot: torch.Tensor, source: torch.Tensor, target: torch.Tensor, weight: torch.Tensor
    ) -> None:
        """Write an enabled connection to slots `[k]` of rows `[k]`."""
        self.edge_source[row, slot] = source
        self.edge_target[row, slot] = target
        self.edge_weight[row, slot] = weight
        self.edge_enabled[row, slot] = 1.0

    def keep(self, nodes: torch.Tensor, edges: torch.Tensor) -> None:
        """Remove all hidden nodes and connections but those marked `[n, hidden]` and `[n, connections]`, in place.

        What is left keeps its order and moves to the first slots.
        """
        for marked, first, others, empty in (
            (nodes & ~self.node.isnan(), self.node, (self.node_activation,), 1.0),
            (edges & ~self.edge_source.isnan(), self.edge_source, (self.edge_target, self.edge_enabled), torch.nan),
            (edges & ~self.edge_source.isnan(), None, (self.edge_weight,), 0.0),
        ):
            order = torch.argsort((~marked).to(torch.int8), dim=1, stable=True)
            filled = torch.arange(marked.shape[1], device=marked.device) < marked.sum(1, keepdim=True)
            for column in others:
                column[...] = torch.where(filled, column.gather(1, order), empty)
            if first is not None:
                first[...] = torch.where(filled, first.gather(1, order), torch.nan)
