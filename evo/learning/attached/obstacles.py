"""Why some units of a user's network may not be replaced, and which may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase
from torch.nn.modules.conv import _ConvNd

from evo.learning.attached.tracing import find_units
from evo.learning.attached.units import CLOSED, Units, dimensions, is_layer


def usable_units(
    network: nn.Module, optimizer: torch.optim.Optimizer, named: Sequence[Units] | None
) -> tuple[list[Units], dict[str, str]]:
    """Return the units to replace, and why others are left alone.

    Raises:
        ValueError: none can be replaced, or named ones cannot.
    """
    found, skipped = find_units(network) if named is None else (list(named), {})
    usable: list[Units] = []
    for units in found:
        again = any(units.incoming == other.incoming for other in usable)
        reason = "they are named twice" if again else obstacle(network, optimizer, units)
        if reason is None:
            usable.append(units)
        elif named is not None:
            raise ValueError(f"units: those of {units.incoming!r} cannot be replaced: {reason}")
        skipped |= {} if reason is None else {units.incoming: reason}
    if not usable:
        reasons = "".join(f"\n  {name}: {reason}" for name, reason in skipped.items())
        raise ValueError(
            f"network: {type(network).__name__} has no hidden units that can be replaced; they must be made by a "
            f"Linear or a convolution, and read by others; where you know more than was found, name them: "
            f'units=[Units(incoming="fc1", outgoing=["fc2"])], with Units from evo.learning.attached.units.{reasons}'
        )
    return usable, skipped


def obstacle(network: nn.Module, optimizer: torch.optim.Optimizer, units: Units) -> str | None:
    """Return why units cannot be replaced, or None where they can."""
    modules = dict(network.named_modules())
    more = (*units.norm, *units.after.values(), *((units.dropout,) if units.dropout else ()))
    names = (units.incoming, *units.outgoing, *more)
    for name in names:
        if name not in modules:
            return f"the network has no module {name!r}; see the names in network.named_modules()"
        parents = [modules[name[:end]] for end, letter in enumerate(name) if letter == "."]
        closed = next((parent for parent in parents if isinstance(parent, CLOSED)), None)
        if closed is not None:
            return f"{name} is inside a {type(closed).__name__}, which uses its weights without calling it"
    if not units.outgoing:
        return "nothing reads them"
    devices = {str(own.device) for name in names for own in modules[name].parameters(recurse=False)}
    if len(devices) > 1:
        return f"their weights are on several devices ({', '.join(sorted(devices))}), which is not supported"
    for name in (units.incoming, *units.outgoing):
        if found := _untrained(network, optimizer, name, modules[name]):
            return found
    incoming: Any = modules[units.incoming]
    count = len(incoming.weight)
    for name in units.outgoing:
        if found := _misfit(name, modules[name], incoming, count):
            return found
    return _misfit_norm(modules, units, count)


def _untrained(network: nn.Module, optimizer: torch.optim.Optimizer, name: str, module: nn.Module) -> str | None:
    """Return why the weights of a layer are not for replacement to write, or None."""
    if not is_layer(module):
        return f"{name} is a {type(module).__name__}; expected a Linear or a convolution"
    weight = module._parameters.get("weight")
    if weight is None:
        return f"the weights of {name} are computed from others (a parametrization, such as weight_norm)"
    if isinstance(weight, nn.UninitializedParameter):
        return f"{name} has no weights yet: run the network once before attaching"
    if sum(weight is other for one in network.modules() for other in one._parameters.values()) > 1:
        return f"the weights of {name} are also those of another module"
    trained = any(weight is other for group in optimizer.param_groups for other in group["params"])
    return None if trained and weight.requires_grad else f"the weights of {name} are not trained by this optimizer"


def _misfit_norm(modules: dict[str, nn.Module], units: Units, count: int) -> str | None:
    """Return why a normalization of units, or one after their readers, is not for replacement to write, or None."""
    for name in units.norm:
        weight: Any = getattr(modules[name], "weight", None)
        if weight is not None and len(weight) % count:
            return f"{name} has weights for {len(weight)} values, which is no multiple of the {count} units"
        if isinstance(modules[name], _NormBase) and getattr(modules[name], "momentum", 1) is None:
            return f"{name} has momentum=None, a mean over all time, which cannot start anew for one unit"
    for reader, name in units.after.items():
        mean: Any = getattr(modules[name], "running_mean", None)
        if reader not in units.outgoing or mean is None or len(mean) != len(modules[reader].get_parameter("weight")):
            return f"{name} has no running mean of what {reader}, which is to be a reader, gives"
    return None


def _misfit(name: str, reader: nn.Module, incoming: nn.Module, count: int) -> str | None:
    """Return why a module cannot be a reader of `count` units, or None."""
    if isinstance(reader, nn.Linear):
        fits = reader.in_features % count == 0 and (dimensions(incoming) > 0 or reader.in_features == count)
        return None if fits else f"{name} reads {reader.in_features} features, which are not the {count} units in order"
    if not isinstance(reader, _ConvNd) or dimensions(reader) != dimensions(incoming) or reader.in_channels != count:
        return f"{name} does not read {count} channels of {dimensions(incoming)} dimensions"
    return f"{name} is a convolution in groups" if reader.groups != 1 else None
