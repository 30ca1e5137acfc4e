"""What functions do with values that units made: whether each channel is still of one unit, and where it stands.

Modules, functions and methods of one name do the same in torch, so names are what is looked at: `nn.MaxPool2d`,
`functional.max_pool2d` and `torch.max_pool2d` are all "maxpool2d" here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import fx, nn

ACTIVATIONS = {
    **dict.fromkeys(("relu", "relu6", "gelu", "mish", "softplus", "hardswish", "prelu", "rrelu", "threshold"), "relu"),
    **dict.fromkeys(("silu", "swish"), "swish"),
    **dict.fromkeys(("elu", "celu"), "elu"),
    **dict.fromkeys(("tanh", "hardtanh", "softsign"), "tanh"),
    **dict.fromkeys(("sigmoid", "hardsigmoid", "logsigmoid"), "sigmoid"),
    **dict.fromkeys(("selu", "tanhshrink", "softshrink", "hardshrink", "sin", "cos", "square", "abs"), "linear"),
    "leakyrelu": "leaky_relu",
}
"""Functions of each value by itself, by name, and the one of ours whose initial weights fit them."""

HARMLESS = frozenset(
    (
        *("identity", "clone", "contiguous", "float", "double", "half", "to", "typeas", "clamp", "neg", "exp", "sqrt"),
        *("add", "iadd", "sub", "isub", "mul", "imul", "truediv", "itruediv", "div", "pow"),
        *("dropout", "alphadropout", "featuredropout", "dropout1d", "dropout2d", "dropout3d"),
    )
)
"""More such functions, that are no activation; of several values where all come from the same units."""

SPATIAL = re.compile(
    r"(adaptive)?(max|avg|lp)pool[123]d|upsample|upsampling.*|interpolate|(zero|reflection|replication)pad.*"
)
"""What works on each channel of an image by itself."""

LOOKS = frozenset(("size", "dim", "shape", "ndim", "device", "dtype", "numel"))
"""What reads nothing of the values."""


@dataclass(frozen=True)
class Value:
    """A value of which each channel is made by one unit.

    Attributes:
        maker: the name of the layer whose units they are.
        spatial: how many dimensions stand behind that of the units.
        dropout: the name of the Dropout that it last went through, if by nothing but a change of shape since.
    """

    maker: str
    spatial: int
    dropout: str | None = None


def function_name(node: fx.Node) -> str:
    """Return the name of the function, method or attribute that a node asks for."""
    target = node.target
    name = target if isinstance(target, str) else getattr(target, "__name__", str(target))
    return str(node.args[1]) if name == "getattr" else name


def sizes(node: fx.Node) -> int:
    """Return how many of the inputs of a `view` or `reshape` are sizes."""
    return len(node.all_input_nodes) - 1 if node.target in ("view", "reshape") or node.target is torch.reshape else 0


def passed(node: fx.Node, short: str, value: Value, network: nn.Module) -> Value | None:
    """Return the value after a function; None after one that is not known to treat each unit by itself."""
    if short in ACTIVATIONS or short in HARMLESS or (value.spatial and SPATIAL.fullmatch(short)):
        return replace(value, dropout=None)
    return _flattened(node, short, value, network)


def _flattened(node: fx.Node, short: str, value: Value, network: nn.Module) -> Value | None:
    """Return the value after a function that leaves each unit's places in one row; None after any other."""
    flat = replace(value, spatial=0)
    given = (*node.args[1:], *node.kwargs.values())
    if short in ("mean", "amax"):
        dims, *keep = given or (None,)
        wanted = _pixels(value)
        found = {dim - value.spatial - 2 if dim > 0 else dim for dim in _numbers(dims)}
        if not wanted or found != wanted:
            return None
        return replace(value if True in keep else flat, dropout=None)
    if node.op == "call_module":
        module: Any = network.get_submodule(str(node.target))
        given = (getattr(module, "start_dim", None), getattr(module, "end_dim", None))
    ends = short == "flatten" and given in ((1,), (1, -1))
    if short == "squeeze":
        return _squeezed(given, value)
    units = len(network.get_submodule(value.maker).get_parameter("weight"))
    halves = short in ("view", "reshape") and _one_row_each(_flat(given), units, value.spatial)
    return flat if ends or halves else None


def _squeezed(given: tuple[Any, ...], value: Value) -> Value | None:
    """Return the value after `squeeze`; None unless it names dimensions of pixels alone."""
    found = {dim - value.spatial - 2 if dim > 0 else dim for dim in _numbers(given[0])} if given else set()
    return replace(value, spatial=value.spatial - len(found)) if found and found <= _pixels(value) else None


def _one_row_each(sizes: list[Any], units: int, spatial: int) -> bool:
    """Return whether sizes keep the first dimension, the cases, and join all others."""
    if len(sizes) != 2:
        return False
    first, last = sizes
    if first == -1:
        # as many features as units may as well be each pixel's channels: rows of pixels
        whole = isinstance(last, int) and last % units == 0
        return whole and (last > units if spatial else last == units)
    computed = isinstance(first, fx.Node)
    return not computed or first.target == "size" or getattr(first.target, "__name__", "") == "getitem"


def _pixels(value: Value) -> set[int]:
    """Return the dimensions behind that of the units, counted from the last."""
    return set(range(-value.spatial, 0))


def _flat(given: Any) -> list[Any]:
    """Return sizes that were given one by one, or as one tuple."""
    return list(given[0]) if len(given) == 1 and isinstance(given[0], tuple | list) else list(given)


def _numbers(dims: Any) -> list[int]:
    """Return the dimensions among what was given."""
    found = dims if isinstance(dims, tuple | list) else [dims]
    return [dim for dim in found if isinstance(dim, int) and not isinstance(dim, bool)]
