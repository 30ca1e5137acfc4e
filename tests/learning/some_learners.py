"""Learners and segments for tests: everything at random, so that nothing is right by luck."""

import torch

from evo.learners import ACTIVATIONS, SETTINGS, UTILITIES, Architecture, Convolution, Learners, Rules
from evo.stream import Segment

DENSE = Architecture((6,), (5, 4), 3)
LINEAR = Architecture((6,), (), 3)
MAPS = Architecture((2, 14, 14), (7,), 3, (Convolution(4, 5, 2), Convolution(5, 3, 2)))
"""A 5x5 convolution, pooling, a 3x3 convolution, pooling to 1x1."""
WIDE_MAPS = Architecture((2, 12, 11), (6, 5), 3, (Convolution(4, 5, 1), Convolution(3, 3, 2)))
"""Maps that are not square, one layer without pooling, and 3x2 places left before the dense layers."""


def some_learners(architecture=DENSE, count=3, rules=None, seed=0, activation="relu", utility="contribution", **chosen):
    """Return learners in the middle of nothing: random weights and biases, other initial ones, no state yet.

    `activation`, `utility` and settings may be given once for all, or for each learner.
    """
    draw = torch.Generator().manual_seed(seed)
    rules = rules or Rules()
    scales = torch.cat([torch.full((layer.end - layer.begin,), layer.fan_in**-0.5) for layer in architecture.layers])
    weights, initial = (scales * torch.randn((2, count, architecture.parameters), generator=draw)).unbind(0)
    unknown = set(chosen) - {setting.name for setting in SETTINGS}
    assert not unknown, unknown
    settings = {
        setting.name: torch.tensor(chosen.get(setting.name, setting.default), dtype=torch.float32).expand(count).clone()
        for setting in SETTINGS
    }

    def zeros(columns):
        return torch.zeros(count, columns)

    def places(names, choice):
        return torch.tensor([names.index(name) for name in ([choice] * count if isinstance(choice, str) else choice)])

    units, layers = architecture.units, len(architecture.layers) - 1
    state = [zeros(architecture.parameters if rules.optimizer == "adam" else 0) for _ in range(3)]
    if bool(settings["momentum"].any()):
        state[0] = zeros(architecture.parameters)
    return Learners(
        architecture,
        rules,
        settings,
        places(ACTIVATIONS, activation),
        places(UTILITIES, utility),
        torch.randint(-(2**62), 2**62, (count,), generator=draw),
        torch.arange(count) % 2 * 3,
        torch.full((count,), 4),
        weights,
        initial,
        *state,
        *(zeros(units) for _ in range(4)),
        zeros(layers),
    )


def some_segment(architecture=DENSE, steps=20, batch=1, loss="squared", seed=1, cases=30, **more):
    """Return a segment of streams 0 and 3, with tables of their own."""
    draw = torch.Generator().manual_seed(seed)
    inputs = torch.randn((2, cases, *architecture.inputs), generator=draw)
    classes = more.get("classes") or architecture.outputs
    targets = (
        torch.randn((2, cases, architecture.outputs), generator=draw)
        if loss == "squared"
        else torch.randint(classes, (2, cases), generator=draw)
    )
    order = torch.randint(cases, (2, steps, batch), generator=draw)
    return Segment(torch.tensor([0, 3]), inputs, targets, torch.tensor([1, 0]), order, loss, **more)
