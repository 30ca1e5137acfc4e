"""What a traced forward does not show of a network: layers that it never calls, weights that are used elsewhere.

A layer that forward never calls may be called by another method, and may read units there; whose weights are used
outside the layer that holds them is read, or made, by more than the graph's calls show.
"""

from __future__ import annotations

import torch
from torch import fx, nn
from torch.nn.modules.conv import _ConvNd

from evo.learning.attached.functions import LOOKS, function_name
from evo.learning.attached.units import is_layer, is_plain


def used_elsewhere(network: nn.Module, graph: fx.Graph) -> dict[str, str]:
    """Return why, by module name, of those whose weights forward uses without calling the module."""
    read = [node for node in graph.nodes if node.op == "get_attr" and _is_read(node)]
    used = [_attribute(network, str(node.target)) for node in read]
    reasons = {}
    for name, module in network.named_modules():
        if any(one is own for own in module._parameters.values() if own is not None for one in used):
            kind = type(module).__name__
            own = is_layer(module) and not is_plain(module)
            reasons[name] = (
                f"{kind} {name!r} has a forward of its own, which may use its weights in any way"
                if own
                else f"the weights of {name!r} are also used without calling it"
            )
    return reasons


def uncalled(network: nn.Module, graph: fx.Graph, used: dict[str, str]) -> dict[str, nn.Module]:
    """Return the modules with weights of their own that forward neither calls nor uses otherwise, by name."""
    called = [str(node.target) for node in graph.nodes if node.op == "call_module"]
    return {
        name: module
        for name, module in network.named_modules()
        if name not in used
        and any(isinstance(own, nn.Parameter) and _has_rows(own) for own in module._parameters.values())
        and not any(name == one or name.startswith(one + ".") for one in called)
    }


def could_read(module: nn.Module, units: int, spatial: int) -> bool:
    """Return whether a module could be a reader of so many units, with so many dimensions behind them."""
    if isinstance(module, nn.Linear):
        sizes = [module.in_features]
    elif isinstance(module, _ConvNd):
        sizes = [module.in_channels]
    else:
        sizes = [size for own in module._parameters.values() if own is not None for size in own.shape]
    return any(size == units or (spatial > 0 and size % units == 0) for size in sizes)


def _has_rows(parameter: nn.Parameter) -> bool:
    return not isinstance(parameter, nn.UninitializedParameter) and parameter.dim() > 1


def _is_read(node: fx.Node) -> bool:
    """Return whether more is wanted of a value than its shape, kind or place."""
    return not all(function_name(user).replace("_", "") in LOOKS for user in node.users)


def _attribute(network: nn.Module, path: str) -> torch.Tensor | None:
    """Return what stands at a path of the network; None for a constant that was there while it was traced."""
    owner, _, name = path.rpartition(".")
    found = getattr(network.get_submodule(owner), name, None)
    return found if isinstance(found, torch.Tensor) else None
