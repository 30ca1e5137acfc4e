"""Updates per second of learners that see one case at a time: the compiled engine beside the usual loop.

    python tests/benchmarks/learners.py [--steps 100000] [--learners 8]

Backpropagation and continual backpropagation, 20-5-1 on squared errors (slowly-changing regression) and
784-100-100-100-10 on cross-entropy (permuted MNIST), batch 1, ReLU, stochastic gradient descent. The loop is
`nn.Sequential`, `torch.optim.SGD`, and the generate-and-test step of Dohare et al. 2024 in Python, with its defaults.
Prints updates per second of processor time and of wall time, all in one run, and asserts nothing about time.
"""

import argparse
import itertools
import math
import time

import torch
from torch import nn

from evo.learners import ACTIVATIONS, NAMES, SETTINGS, UTILITIES, Architecture, Learners, Rules
from evo.learning.online import learn_online
from evo.networks import Execution
from evo.stream import Segment

REGRESSION, DIGITS = Architecture((20,), (5,), 1), Architecture((784,), (100, 100, 100), 10)
KINDS = {
    "backpropagation": {},
    "continual, contribution": {"replacement_rate": 1e-4, "utility": "contribution"},
    "continual, adaptable": {"replacement_rate": 1e-4, "utility": "adaptable_contribution"},
}
OTHERS = {
    "weight decay": {"weight_decay": 1e-4},
    "momentum": {"momentum": 0.9},
    "L2 Init": {"initial_decay": 1e-4},
    "Adam": {"optimizer": "adam"},
    "noise": {"noise": 1e-5},
    "tanh": {"activation": "tanh"},
}


class FieldLoop:
    """One network taught as the field does it."""

    def __init__(self, architecture, loss, replacement_rate=0.0, utility="", maturity_threshold=100, decay=0.99):
        sizes = [*architecture.inputs, *architecture.hidden, architecture.outputs]
        self.network = nn.Sequential()
        for inputs, outputs in itertools.pairwise(sizes):
            self.network.extend([nn.Linear(inputs, outputs), nn.ReLU()])
        del self.network[-1]
        self.linears = self.network[::2]
        self.optimizer = torch.optim.SGD(self.network.parameters(), lr=0.01)
        self.loss = nn.functional.mse_loss if loss == "squared" else nn.functional.cross_entropy
        self.rate, self.maturity, self.decay, self.adaptable = (
            replacement_rate,
            maturity_threshold,
            decay,
            "ada" in utility,
        )
        self.ages, self.utilities, self.means = ([torch.zeros(size) for size in sizes[1:-1]] for _ in range(3))
        self.due = [0.0] * len(self.ages)

    def step(self, inputs, target):
        features, x = [], inputs
        for module in self.network:
            x = module(x)
            if isinstance(module, nn.ReLU):
                features.append(x)
        loss = self.loss(x, target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        if self.rate:
            with torch.no_grad():
                self.generate_and_test(features)
        return loss.item()

    def generate_and_test(self, features):
        for layer, h in enumerate(features):
            into, out_of = self.linears[layer], self.linears[layer + 1]
            self.ages[layer] += 1
            correction = 1 - self.decay ** self.ages[layer]
            self.means[layer].mul_(self.decay).add_(h[0], alpha=1 - self.decay)
            if self.adaptable:
                usual = self.means[layer] / correction
                worth = out_of.weight.abs().mean(0) * (h[0] - usual).abs() / into.weight.abs().mean(1)
            else:
                worth = out_of.weight.abs().mean(0) * h[0].abs()
            self.utilities[layer].mul_(self.decay).add_(worth, alpha=1 - self.decay)
            eligible = (self.ages[layer] > self.maturity).nonzero()[:, 0]
            if len(eligible):
                self.due[layer] += self.rate * len(eligible)
                if self.due[layer] >= 1:
                    self.due[layer] -= 1
                    ranking = (self.utilities[layer] / correction)[eligible]
                    self.replace(layer, eligible[ranking.argmin()], correction)

    def replace(self, layer, unit, correction):
        into, out_of = self.linears[layer], self.linears[layer + 1]
        out_of.bias += out_of.weight[:, unit] * self.means[layer][unit] / correction[unit]
        bound = math.sqrt(6 / into.in_features)
        into.weight[unit] = torch.empty(into.in_features).uniform_(-bound, bound)
        into.bias[unit] = 0
        out_of.weight[:, unit] = 0
        for state in (self.ages, self.utilities, self.means):
            state[layer][unit] = 0


def learners_for(architecture, count, threads, optimizer="sgd", activation="relu", utility="contribution", **chosen):
    draw = torch.Generator().manual_seed(0)
    weights = torch.zeros(count, architecture.parameters)
    for layer in architecture.layers:
        bound = math.sqrt(6 / layer.fan_in)
        shape = (count, layer.bias_begin - layer.begin)
        weights[:, layer.begin : layer.bias_begin] = bound * (2 * torch.rand(shape, generator=draw) - 1)
    defaults = {setting.name: setting.default for setting in SETTINGS} | chosen
    parameters, units = architecture.parameters, architecture.units
    adam = optimizer == "adam"
    return Learners(
        architecture,
        Rules(optimizer),
        {name: torch.full((count,), float(defaults[name])) for name in NAMES},
        torch.full((count,), ACTIVATIONS.index(activation)),
        torch.full((count,), UTILITIES.index(utility)),
        torch.arange(count),
        torch.zeros(count, dtype=torch.int64),
        torch.zeros(count, dtype=torch.int64),
        weights,
        weights.clone(),
        torch.zeros(count, parameters if adam or "momentum" in chosen else 0),
        torch.zeros(count, parameters if adam else 0),
        torch.zeros(count, parameters if adam else 0),
        *(torch.zeros(count, units) for _ in range(4)),
        torch.zeros(count, len(architecture.hidden)),
        execution=Execution("compiled", threads),
    )


def stream(architecture, steps):
    """Bits and numbers, or 1,000 images of which a fifth is not 0 and their classes."""
    draw = torch.Generator().manual_seed(1)
    if architecture is REGRESSION:
        inputs = torch.randint(2, (1, 32, 20), generator=draw).float()
        targets, loss = torch.randn((1, 32, 1), generator=draw), "squared"
    else:
        inputs = torch.rand((1, 1000, 784), generator=draw)
        inputs *= torch.rand(inputs.shape, generator=draw) < 0.19
        targets, loss = torch.randint(10, (1, 1000), generator=draw), "cross_entropy"
    order = torch.randint(inputs.shape[1], (1, steps, 1), generator=draw)
    return Segment(torch.tensor([0]), inputs, targets, torch.tensor([0]), order, loss)


def rates(work, steps):
    """Return steps per second of processor time and of wall time."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return steps / (time.process_time() - cpu), steps / (time.perf_counter() - wall)


def field_rates(architecture, segment, steps, **kind):
    loop = FieldLoop(architecture, segment.loss, **kind)
    cases = segment.order[0, :, 0].tolist()

    def live():
        for step in range(steps):
            loop.step(segment.inputs[0, cases[step], None], segment.targets[0, cases[step], None])

    return rates(live, steps)


def kernel_rates(architecture, segment, count, threads, **kind):
    learners = learners_for(architecture, count, threads, **kind)
    return rates(lambda: learn_online(learners, segment), count * segment.steps)


def main():
    options = argparse.ArgumentParser()
    options.add_argument(
        "--steps", type=int, default=300_000, help="of each learner, 20-5-1; a thirtieth of them for 784"
    )
    options.add_argument("--learners", type=int, default=8)
    options.add_argument("--others", action="store_true", help="also other operators and optimisers, kernel only")
    chosen = options.parse_args()
    torch.set_num_threads(1)
    learn_online(learners_for(REGRESSION, 1, 1), stream(REGRESSION, 10))  # compiles, or loads
    for architecture, steps in ((REGRESSION, chosen.steps), (DIGITS, chosen.steps // 30)):
        segment = stream(architecture, steps)
        print("-".join(map(str, (*architecture.inputs, *architecture.hidden, architecture.outputs))))
        print(f"{'':<28}{'':>8}{'updates per cpu-s':>20}{'per wall-s':>14}{'beside the loop':>18}")
        for name, kind in KINDS.items():
            field = field_rates(architecture, segment, min(steps, 4000), **kind)
            report(name, "loop", field, field)
            for threads in (1, 2):
                report(
                    name,
                    f"{threads} thr.",
                    kernel_rates(architecture, segment, chosen.learners, threads, **kind),
                    field,
                )
        for name, kind in OTHERS.items() if chosen.others else ():
            slow = stream(architecture, steps // 100) if "noise" in kind else segment
            report(name, "1 thr.", kernel_rates(architecture, slow, 2, 1, **kind), None)


def report(name, how, found, field):
    beside = f"{found[0] / field[0]:17,.1f}x" if field else ""
    print(f"{name:<28}{how:>8}{found[0]:20,.0f}{found[1]:14,.0f}{beside}")


if __name__ == "__main__":
    main()
