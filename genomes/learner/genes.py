"""How a single setting of learners is drawn and moved: on a scale of its own, within its bounds.

A step multiplies by a log-normal factor where a setting counts by orders of magnitude; with a deviation of 0.2 two
thirds of the factors lie between 0.82 and 1.22, close to the 0.8 and 1.2 of population based training (Jaderberg et
al. 2017, arXiv:1711.09846, section 4.1.1).
"""

from __future__ import annotations

import numpy as np
import torch

from evo import seeds
from evo.learners import Setting


def switches(setting: Setting) -> bool:
    """Return whether the setting is an operator's strength, which is off at 0, outside its range."""
    return setting.scale == "log" and setting.default == 0.0


def drawn(setting: Setting, like: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return values drawn uniformly over the setting's range on its scale, `[n]` float64, for `like` `[n]`."""
    low, high = _ends(setting, like)
    return _value(setting, low + (high - low) * seeds.uniform(rng, (len(like),), low))


def mutated(
    setting: Setting, values: torch.Tensor, rng: np.random.Generator, rate: float, deviation: float, toggle_rate: float
) -> torch.Tensor:
    """Return the values `[n]` of children, float64.

    With probability `rate` a value makes a normal step of standard deviation `deviation` on its scale ("linear":
    a share of the range), and stays within the bounds. What is off stays off, unless it is switched: an operator's
    strength goes from off to anywhere in its range, or from on to off, with probability `toggle_rate`.
    """
    values = values.to(torch.float64)
    shape = (len(values),)
    moves = seeds.uniform(rng, shape, values) < rate
    stepped = _value(setting, _scaled(setting, values) + deviation * seeds.normal(rng, shape, values))
    off = (values == 0.0) & (setting.scale == "log")
    children = torch.where(moves & ~off, stepped, values)
    if not switches(setting):
        return children
    toggled = seeds.uniform(rng, shape, values) < toggle_rate
    return torch.where(toggled, torch.where(off, drawn(setting, values, rng), 0.0), children)


def place(setting: Setting, values: torch.Tensor) -> torch.Tensor:
    """Return where in the setting's range the values `[n]` lie on its scale, from 0 to 1, float64; -1 where off."""
    values = values.to(torch.float64)
    low, high = _ends(setting, values)
    places = (_scaled(setting, values) - low) / (high - low)
    return torch.where((values == 0.0) & (setting.scale == "log"), -1.0, places)


def _ends(setting: Setting, like: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the scaled bounds, on the device of `like`."""
    bounds = torch.tensor([setting.low, setting.high], dtype=torch.float64, device=like.device)
    low, high = _scaled(setting, bounds)
    return low, high


def _scaled(setting: Setting, values: torch.Tensor) -> torch.Tensor:
    """Return values on the scale where steps are as long everywhere."""
    match setting.scale:
        case "log":
            return values.log()
        case "share":
            return (1.0 - values).log()
        case _:
            return values / (setting.high - setting.low)


def _value(setting: Setting, scaled: torch.Tensor) -> torch.Tensor:
    """Return what the scaled values stand for, within the setting's bounds."""
    match setting.scale:
        case "log":
            values = scaled.exp()
        case "share":
            values = 1.0 - scaled.exp()
        case _:
            values = scaled * (setting.high - setting.low)
    return values.clamp(setting.low, setting.high)
