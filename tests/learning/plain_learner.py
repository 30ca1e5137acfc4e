"""One learner at a time, in a plain loop over torch's own layers, gradients and optimisers: what engines are held to.

Dense layers, one case per step, float32. Of the package it uses the contracts and `evo.learning.draws`, for the same
chance; everything else is written out as the definitions read. Settings are Python numbers, fractions of a unit that is
due are counted in float64.
"""

import math

import torch
from torch import nn

from evo.learners import ACTIVATIONS, UTILITIES
from evo.learning import draws
from evo.learning.training import Record

MODULES = (nn.ReLU, nn.LeakyReLU, nn.Tanh, nn.Sigmoid, nn.ELU, nn.SiLU, nn.Identity)
GAINS = (math.sqrt(2), math.sqrt(2 / (1 + 0.01**2)), 5 / 3, 1.0, math.sqrt(2), math.sqrt(2), 1.0)
SMALLEST = 1e-12
"""Mean incoming weights below it count as this when something is divided by them."""


def learn_plainly(learners, segment, bins=1):
    """Return the learners after the segment and the Record, as `evo.learning.training.learn` is to."""
    lone = [PlainLearner(learners, number, segment) for number in range(len(learners))]
    for learner in lone:
        learner.live(bins)
    after = learners.clone()
    for number, learner in enumerate(lone):
        learner.write(after, number)
    record = Record(
        torch.tensor([learner.losses for learner in lone], dtype=torch.float64).view(len(lone), bins),
        torch.tensor([learner.hits for learner in lone], dtype=torch.float64).view(len(lone), bins),
        torch.tensor([learner.replaced for learner in lone], dtype=torch.int64).view(len(lone), -1),
        torch.tensor([learner.norm for learner in lone], dtype=torch.float64),
    )
    return after, record


class PlainLearner:
    def __init__(self, learners, number, segment):
        one = learners[number : number + 1].clone()
        self.key, self.segments, self.segment = one.key, one.segments, segment
        self.rules, self.layers = one.rules, one.architecture.layers
        self.settings = {name: float(value) for name, value in one.settings.items()}
        self.activation, self.utility = int(one.activation), UTILITIES[int(one.utility)]
        self.place = int(segment.places(one.stream))
        self.network = nn.Sequential()
        for layer in self.layers:
            self.network.append(nn.Linear(layer.fan_in, layer.outputs))
            self.network.append(MODULES[self.activation]())
        del self.network[-1]
        self.linears = list(self.network[::2])
        self.parameters = list(self.network.parameters())
        with torch.no_grad():
            for parameter, values in zip(self.parameters, self.split(one.weights), strict=True):
                parameter.copy_(values)
        self.start = self.split(one.initial_weights)
        self.m, self.v, self.s = (
            self.split(state) if state.numel() else [torch.zeros_like(p) for p in self.parameters]
            for state in (one.first_moment, one.second_moment, one.moment_steps)
        )
        self.optimizer = self.torch_optimizer()
        widths = [layer.outputs for layer in self.layers[:-1]]
        self.ages, self.utilities, self.means, self.magnitudes = (
            list(state[0].split(widths))
            for state in (one.ages, one.utilities, one.mean_activations, one.mean_magnitudes)
        )
        self.due = one.due[0].tolist()
        self.replaced = [0] * len(widths)

    # flat numbers <-> torch's parameters

    def split(self, flat):
        """Return flat `[1, parameters]` as weights and biases in the shapes of nn.Linear."""
        parts = []
        for layer in self.layers:
            weights = flat[0, layer.begin : layer.bias_begin].view(layer.fan_in, layer.outputs)
            parts += [weights.T.clone(), flat[0, layer.bias_begin : layer.end].clone()]
        return parts

    def join(self, parts):
        """Return weights and biases in the shapes of nn.Linear as flat `[parameters]`."""
        return torch.cat([(part.T if part.dim() == 2 else part).detach().reshape(-1) for part in parts])

    def write(self, learners, number):
        """Write what the learner has become to a place among others."""
        learners.weights[number] = self.join(self.parameters)
        for state, parts in (
            (learners.first_moment, self.m),
            (learners.second_moment, self.v),
            (learners.moment_steps, self.s),
        ):
            if state.shape[1]:
                state[number] = self.join(parts)
        if self.replaced:
            learners.ages[number] = torch.cat(self.ages)
            learners.utilities[number] = torch.cat(self.utilities)
            learners.mean_activations[number] = torch.cat(self.means)
            learners.mean_magnitudes[number] = torch.cat(self.magnitudes)
            learners.due[number] = torch.tensor(self.due)
        learners.segments[number] += 1

    # the loop

    def live(self, bins):
        if self.segment.reset_head:
            nn.init.zeros_(self.linears[-1].weight)
            nn.init.zeros_(self.linears[-1].bias)
        steps = self.segment.steps
        losses, hits, norms = [], [], []
        for step in range(steps):
            loss, hit, norm = self.update(step)
            if not math.isfinite(loss):
                break
            losses.append(loss)
            hits.append(hit)
            norms.append(norm)
        missing = [math.nan] * (steps - len(losses))
        counts = [sum(step * bins // steps == bin_ for step in range(steps)) for bin_ in range(bins)]
        self.losses = [sum(part) / len(part) for part in cut(losses + missing, counts)]
        self.hits = [sum(part) / len(part) for part in cut(hits + missing, counts)]
        self.norm = sum(norms + missing) / steps

    def case(self, step):
        segment = self.segment
        table, case = int(segment.table[self.place]), int(segment.order[self.place, step, 0])
        inputs = segment.inputs[table, case]
        if segment.columns is not None:
            inputs = inputs[segment.columns[self.place]]
        return inputs.reshape(-1), segment.targets[table, case]

    def update(self, step):
        """One update; returns the loss before it, whether the class was right, and the length of the gradient."""
        inputs, target = self.case(step)
        features, outputs = self.forward(inputs, step)
        if self.segment.loss == "squared":
            loss, hit = nn.functional.mse_loss(outputs, target), math.nan
        else:
            used = outputs[: self.segment.classes or len(outputs)]
            loss, hit = nn.functional.cross_entropy(used[None], target[None]), float(used.argmax() == target)
        if not math.isfinite(loss.item()):
            return loss.item(), hit, math.nan
        self.network.zero_grad()
        loss.backward()
        norm = math.sqrt(sum(float(p.grad.double().pow(2).sum()) for p in self.parameters))
        with torch.no_grad():
            self.add_decay()
            self.optimize()
            self.add_noise(step)
            self.replace(features, step)
            self.renew_dormant(step)
        return loss.item(), hit, norm

    def forward(self, inputs, step):
        features, x = [], inputs
        for module in self.network:
            x = module(x)
            if not isinstance(module, nn.Linear):
                features.append(x.detach())
                x = self.drop(x, len(features) - 1, step)
        return features, x

    def drop(self, x, depth, step):
        share = self.settings["dropout"]
        if not share:
            return x
        drawn = draws.uniform(self.moment(step, draws.DROPOUT), self.units(depth))[0]
        return x * (drawn >= share) / (1 - share)

    # gradients to weights

    def add_decay(self):
        for parameter, start in zip(self.parameters, self.start, strict=True):
            parameter.grad += self.settings["weight_decay"] * parameter
            parameter.grad += 2 * self.settings["initial_decay"] * (parameter - start)

    def torch_optimizer(self):
        """Return torch's optimiser, working on this learner's own moments; None where torch has none that fits."""
        if self.rules.optimizer == "sgd":
            rate, momentum = self.settings["step_size"], self.settings["momentum"]
            optimizer = torch.optim.SGD(self.parameters, lr=rate, momentum=momentum)
            for parameter, m in zip(self.parameters, self.m, strict=True):
                optimizer.state[parameter]["momentum_buffer"] = m
            return optimizer
        steps = torch.cat([s.reshape(-1) for s in self.s])
        if self.rules.released_adam or bool((steps != steps[0]).any()):
            return None
        optimizer = torch.optim.AdamW(
            self.parameters,
            lr=self.settings["step_size"],
            betas=(self.settings["first_moment_decay"], self.settings["second_moment_decay"]),
            weight_decay=self.settings["decoupled_decay"],
        )
        for parameter, m, v in zip(self.parameters, self.m, self.v, strict=True):
            optimizer.state[parameter] = {"step": steps[0].clone(), "exp_avg": m, "exp_avg_sq": v}
        return optimizer

    def optimize(self):
        if self.rules.optimizer == "sgd":
            for parameter in self.parameters:
                parameter *= 1 - self.settings["step_size"] * self.settings["decoupled_decay"]
            self.optimizer.step()
            return
        for s in self.s:
            s += 1
        if self.optimizer is not None:
            self.optimizer.step()
        else:
            self.adam_weight_by_weight()

    def adam_weight_by_weight(self):
        rate, first, second = (
            self.settings[name] for name in ("step_size", "first_moment_decay", "second_moment_decay")
        )
        for w, m, v, s in zip(self.parameters, self.m, self.v, self.s, strict=True):
            w *= 1 - rate * self.settings["decoupled_decay"]
            m.copy_(first * m + (1 - first) * w.grad)
            v.copy_(second * v + (1 - second) * w.grad**2)
            if self.rules.released_adam:
                w -= (rate * (1 - second ** s.double()) * m / (v.sqrt() + 1e-8)).float()
            else:
                corrected = m / (1 - first ** s.double())
                w -= (rate * corrected / ((v / (1 - second ** s.double())).sqrt() + 1e-8)).float()

    def add_noise(self, step):
        if not self.settings["noise"]:
            return
        flat = torch.zeros(self.layers[-1].end)
        for layer in self.layers:
            for row in range(layer.fan_in + 1):  # the last one's are the biases
                places = layer.begin + row // 2 * layer.outputs + torch.arange(layer.outputs)
                drawn = draws.normals(self.moment(step, draws.NOISE), places)[row % 2]
                begin = layer.begin + row * layer.outputs
                flat[begin : begin + layer.outputs] = drawn
        for parameter, noise in zip(self.parameters, self.split(flat[None]), strict=True):
            parameter += self.settings["noise"] * noise

    # replacement

    def replace(self, features, step):
        if not (self.settings["replacement_rate"] or self.settings["dormancy_period"]):
            return
        for depth, h in enumerate(features):
            ranking = self.advance(depth, h, step)
            eligible = (self.ages[depth] > self.settings["maturity_threshold"]).nonzero()[:, 0].tolist()
            count = self.count(depth, len(eligible), step)
            for unit in sorted(eligible, key=lambda unit: (float(ranking[unit]), unit))[:count]:
                self.renew(depth, unit, step, draws.REPLACED_WEIGHTS, self.rules.bias_transfer)

    def advance(self, depth, h, step):
        """Move a layer's running means on by one step, and return what its units are ranked by."""
        decay = self.settings["utility_decay"]
        self.ages[depth] += 1
        correction = self.correction(depth)
        self.means[depth].copy_(decay * self.means[depth] + (1 - decay) * h)
        self.magnitudes[depth].copy_(decay * self.magnitudes[depth] + (1 - decay) * h.abs())
        outgoing = self.linears[depth + 1].weight.abs().mean(0)
        incoming = self.linears[depth].weight.abs().mean(1).clamp(min=SMALLEST)
        apart = (h - self.means[depth] / correction).abs()
        worth = {
            "contribution": outgoing * h.abs(),
            "zero_contribution": outgoing * apart,
            "adaptable_contribution": outgoing * apart / incoming,
            "adaptation": 1 / incoming,
            "weight": outgoing,
            "feature_by_input": apart / incoming,
            "random": torch.zeros_like(h),
        }
        self.utilities[depth].copy_(decay * self.utilities[depth] + (1 - decay) * worth[self.utility])
        if self.utility == "random":
            return draws.uniform(self.moment(step, draws.UTILITY), self.units(depth))[0]
        return self.utilities[depth] / correction

    def correction(self, depth):
        if not self.rules.corrected:
            return torch.ones_like(self.ages[depth])
        return (1 - self.settings["utility_decay"] ** self.ages[depth].double()).float()

    def count(self, depth, eligible, step):
        """Return how many units of a layer are replaced at this step."""
        if not eligible:
            return 0
        units = len(self.ages[depth]) if self.rules.count_all else eligible
        expected = self.settings["replacement_rate"] * units
        if self.rules.accumulate:
            self.due[depth] += expected
            count = min(math.floor(self.due[depth]), eligible)
            self.due[depth] -= count
            return count
        if expected < 1:
            start = self.moment(step, draws.BERNOULLI)
            return int(float(draws.uniform(start, torch.tensor([depth]))) < expected)
        return min(math.floor(expected), eligible)

    def renew(self, depth, unit, step, purpose, transfer):
        into, out_of = self.linears[depth], self.linears[depth + 1]
        if transfer:
            mean = self.means[depth][unit] / self.correction(depth)[unit]
            out_of.bias += out_of.weight[:, unit] * mean
        layer = self.layers[depth]
        places = layer.begin + torch.arange(layer.fan_in) * layer.outputs + unit
        bound = self.bound(layer)
        into.weight[unit] = bound * (2 * draws.uniform(self.moment(step, purpose), places)[0] - 1)
        into.bias[unit] = 0
        out_of.weight[:, unit] = 0
        for state in (self.ages, self.utilities, self.means, self.magnitudes):
            state[depth][unit] = 0
        if self.rules.reset_optimizer:
            for state in (self.m, self.v, self.s):
                state[2 * depth][unit] = 0
                state[2 * depth + 1][unit] = 0
                state[2 * depth + 2][:, unit] = 0
            if self.rules.optimizer == "adam":
                self.optimizer = None
        self.replaced[depth] += 1

    def bound(self, layer):
        gain = GAINS[self.activation]
        return {
            "kaiming": gain * math.sqrt(3 / layer.fan_in),
            "xavier": gain * math.sqrt(6 / (layer.fan_in + layer.outputs)),
            "lecun": math.sqrt(3 / layer.fan_in),
            "default": math.sqrt(1 / layer.fan_in),
        }[self.rules.initial]

    def renew_dormant(self, step):
        """ReDo. A unit replaced at this very step has no score yet: it is left alone and no part of the mean."""
        period = int(self.settings["dormancy_period"])
        if not period or (int(self.segments) * self.segment.steps + step + 1) % period:
            return
        for depth, ages in enumerate(self.ages):
            scored = ages > 0
            scores = torch.where(scored, self.magnitudes[depth] / self.correction(depth), 0.0)
            limit = self.settings["dormancy_threshold"] * scores.sum() / scored.sum()
            for unit in (scored & (scores <= limit)).nonzero()[:, 0].tolist():
                self.renew(depth, unit, step, draws.DORMANT_WEIGHTS, transfer=False)

    # chance

    def moment(self, step, purpose):
        return draws.moment(self.key, self.segments, step, purpose)

    def units(self, depth):
        return self.layers[depth].first_unit + torch.arange(self.layers[depth].outputs)


def cut(values, counts):
    """Return a list cut into pieces of the lengths given."""
    ends = [sum(counts[: number + 1]) for number in range(len(counts))]
    return [values[end - count : end] for end, count in zip(ends, counts, strict=True)]


assert len(MODULES) == len(GAINS) == len(ACTIVATIONS)
