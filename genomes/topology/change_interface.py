"""Give an input or an output another activation: an extension of Gaier & Ha 2019, whose search changes hidden nodes."""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from genomes.topology.fields import Fields
from genomes.topology.indexing import choose


def change_interface(
    fields: Fields, first: int, last: int, activations: torch.Tensor, rng: np.random.Generator
) -> None:
    """Change one input or output of each genome, chosen uniformly, to an activation it does not have.

    Args:
        fields: views of the genomes' rows, changed in place.
        first, last: which may change, as places among the inputs and behind them the outputs, `first` to `last - 1`.
        activations: `[k]` activation ids to draw from, uniformly but for the place's own.
        rng: where all draws come from.
    """
    draws = seeds.uniform(rng, (2, len(fields.node)), fields.node)
    place = first + (draws[0] * (last - first)).long()
    kinds = fields.interface_activation
    own = kinds.gather(1, place[:, None])
    chosen, changed = choose(activations != own.to(activations), draws[1])
    kinds.scatter_(1, place[:, None], torch.where(changed[:, None], activations[chosen][:, None].to(own), own))
