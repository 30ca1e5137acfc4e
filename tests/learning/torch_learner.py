"""One learner at a time as a user of torch would write it: nn.Module, autograd, torch.optim; batches, maps, norms.

No replacement: `plain_learner` has that. Of the package it uses `evo.learning.draws`, for the same dropout.
"""

import torch
from torch import nn

from evo.learners import ACTIVATIONS
from evo.learning import draws

FUNCTIONS = {
    "relu": nn.functional.relu,
    "leaky_relu": lambda z: nn.functional.leaky_relu(z, 0.01),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "elu": nn.functional.elu,
    "swish": lambda z: z * torch.sigmoid(z),
    "linear": lambda z: z,
}


class TorchLearner(nn.Module):
    def __init__(self, learners, number):
        super().__init__()
        one = learners[number : number + 1]
        self.one, self.shape = one, one.architecture
        self.activation = FUNCTIONS[ACTIVATIONS[int(one.activation)]]
        self.layers = nn.ModuleList(self.made(layer) for layer in self.shape.layers)
        for parameter, values in zip(self.parameters(), self.split(one.weights), strict=True):
            parameter.data = values

    def made(self, layer):
        if layer.convolution:
            return nn.Conv2d(layer.inputs, layer.outputs, layer.convolution.size)
        return nn.Linear(layer.fan_in, layer.outputs)

    def split(self, flat):
        """Return flat `[1, parameters]` in the shapes of torch's parameters."""
        parts = []
        for layer, module in zip(self.shape.layers, self.layers, strict=True):
            weights = flat[0, layer.begin : layer.bias_begin].view(layer.fan_in, layer.outputs).T
            parts += [weights.reshape(module.weight.shape).clone(), flat[0, layer.bias_begin : layer.end].clone()]
        return parts

    def flat(self, parts):
        """Return tensors in the shapes of torch's parameters as flat `[parameters]`."""
        return torch.cat([p.detach().flatten(1).T.reshape(-1) if p.dim() > 1 else p.detach() for p in parts])

    def forward(self, x, drop=lambda h, layer: h):
        """Return every hidden layer's features and the outputs, of `[batch, *shape]`."""
        given = []
        for layer, module in zip(self.shape.layers, self.layers, strict=True):
            z = module(x if layer.convolution else x.flatten(1))
            if module is self.layers[-1]:
                return given, z
            if self.shape.normalization == "layer":
                z = nn.functional.layer_norm(z, z.shape[1:])
            h = torch.cat([z.relu(), (-z).relu()], 1) if self.shape.concatenated else self.activation(z)
            if layer.convolution and layer.convolution.pool > 1:
                h = nn.functional.max_pool2d(h, layer.convolution.pool)
            given.append(h)
            x = drop(h, layer)
        raise AssertionError("no outputs")

    def learn(self, segment, step_of=None):
        """Live through a segment; returns losses, shares of right answers and gradient lengths, step by step."""
        if segment.reset_head:
            nn.init.zeros_(self.layers[-1].weight)
            nn.init.zeros_(self.layers[-1].bias)
        settings = {name: float(value) for name, value in self.one.settings.items()}
        self.optimizer = self.made_optimizer(settings)
        initial = self.split(self.one.initial_weights)
        seen = []
        for step in range(segment.steps):
            x, y = self.cases(segment, step)
            _, outputs = self(x, lambda h, layer, step=step: self.drop(h, layer, step, settings["dropout"]))
            if segment.loss == "squared":
                loss, right = nn.functional.mse_loss(outputs, y), float("nan")
            else:
                used = outputs[:, : segment.classes or outputs.shape[1]]
                loss, right = nn.functional.cross_entropy(used, y), float((used.argmax(1) == y).float().mean())
            self.optimizer.zero_grad()
            loss.backward()
            seen.append((loss.item(), right, float(sum(p.grad.pow(2).sum() for p in self.parameters()) ** 0.5)))
            for p, start in zip(self.parameters(), initial, strict=True):
                p.grad += 2 * settings["initial_decay"] * (p.detach() - start)
            self.optimizer.step()
        return torch.tensor(seen, dtype=torch.float64)

    def made_optimizer(self, settings):
        if self.one.rules.optimizer == "sgd":
            return torch.optim.SGD(
                self.parameters(), settings["step_size"], settings["momentum"], weight_decay=settings["weight_decay"]
            )
        kind = torch.optim.AdamW if settings["decoupled_decay"] else torch.optim.Adam
        return kind(
            self.parameters(),
            settings["step_size"],
            (settings["first_moment_decay"], settings["second_moment_decay"]),
            weight_decay=settings["decoupled_decay"] or settings["weight_decay"],
        )

    def cases(self, segment, step):
        place = segment.streams.tolist().index(int(self.one.stream))
        table, cases = int(segment.table[place]), segment.order[place, step]
        x = segment.inputs[table, cases]
        return x if segment.columns is None else x[:, segment.columns[place]], segment.targets[table, cases]

    def drop(self, h, layer, step, share):
        if not share:
            return h
        start = draws.moment(self.one.key, self.one.segments, step, draws.DROPOUT)
        masks = []
        for case in range(len(h)):
            units = case * self.shape.units + layer.first_unit + torch.arange(layer.outputs)
            mask = (draws.uniform(start, units)[0] >= share).float() / (1 - share)
            masks.append(torch.cat([mask] * layer.copies))
        return h * torch.stack(masks).view(*h.shape[:2], *[1] * (h.dim() - 2))
