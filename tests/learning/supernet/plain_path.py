"""One path, trained as anyone would: a loop over modules, autograd, torch.optim.SGD."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional


def trained(layers, head, inputs, targets, step_size, aggregation, frozen=()):
    """Train a path of dense modules in place, and return logits before each update.

    Args:
        layers: for each layer the distinct active modules, `nn.Linear` by number.
        head: `nn.Linear`.
        inputs, targets: `[batches, batch, ...]`.
        frozen: (layer, number) of modules that do not learn.
    """
    learning = [
        parameter
        for number, layer in enumerate(layers)
        for key, module in layer.items()
        if (number, key) not in frozen
        for parameter in module.parameters()
    ]
    optimizer = torch.optim.SGD([*learning, *head.parameters()], lr=step_size)
    seen = []
    for x, y in zip(inputs, targets, strict=True):
        for number, layer in enumerate(layers):
            x = sum(torch.relu(module(x)) for module in layer.values())
            if aggregation == "mean" or (aggregation == "mean_last" and number == len(layers) - 1):
                x = x / len(layer)
        logits = head(x)
        optimizer.zero_grad()
        functional.cross_entropy(logits, y).backward()
        optimizer.step()
        seen.append(logits.detach())
    return torch.stack(seen)


def linear(weight, bias):
    made = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(bias)
    return made
