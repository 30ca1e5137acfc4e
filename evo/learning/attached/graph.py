"""The graph of a user's forward: traced once by `torch.fx`, with optional arguments at their defaults."""

from __future__ import annotations

import inspect
import warnings
from typing import Any, final

from torch import fx, nn

from evo.learning.attached.units import is_layer, is_plain

NAME_THEM = (
    'name its units yourself: units=[Units(incoming="fc1", outgoing=["fc2"])], with Units from '
    "evo.learning.attached.units"
)


def traced(network: nn.Module) -> fx.Graph:
    """Return what a network's forward does, as a graph.

    Raises:
        ValueError: it has no forward, or one that cannot be traced.
    """
    if getattr(network.forward, "__func__", None) is nn.Module.forward:
        raise ValueError(
            f"network: {type(network).__name__} has no forward method to find its units by; give it one, or {NAME_THEM}"
        )
    before = set(vars(network))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that calls with other arguments would not be noticed: rows are counted
            return _LayerTracer().trace(network, concrete_args=_defaults(network))
    except Exception as error:  # whatever the user's forward raises when it is run on proxies
        raise ValueError(
            f"network: torch.fx cannot trace {type(network).__name__} ({type(error).__name__}: {error}), probably "
            f"because its forward looks at values or at len(); {NAME_THEM}"
        ) from error
    finally:
        for name in set(vars(network)) - before:
            delattr(network, name)  # constants that a tracer leaves behind


def _defaults(network: nn.Module) -> dict[str, Any]:
    parameters = inspect.signature(network.forward).parameters.values()
    return {one.name: one.default for one in parameters if one.default is not one.empty}


@final
class _LayerTracer(fx.Tracer):
    """A tracer that sees a layer of a user's own class as one call, unless it computes something of its own."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return is_plain(m) if is_layer(m) else super().is_leaf_module(m, module_qualified_name)
