"""What a network makes of a sinusoid: its answers over all inputs, at birth and after some steps on ten points.

The picture of Finn, Abbeel & Levine 2017 (arXiv:1703.03400), figure 2.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from evo.inspect.chart import Chart
from evo.inspect.curves import Line
from evo.learning.lifetimes.base import Lifetime
from evo.learning.lifetimes.few_shot import FewShotLifetime
from evo.parametrised import Parametrised
from evo.tasks import FewShot, TaskDistribution
from problems.few_shot.sinusoids import Sinusoids

SHOWN = 2
"""Test tasks that are drawn."""
LONGEST = 10
"""Steps after which the last fit is drawn, or the last horizon where that is later."""
POINTS = 121


def fits(tasks: TaskDistribution, lifetime: Lifetime, networks: Parametrised) -> list[Chart]:
    """Return a chart for each of the first test tasks: the sinusoid, its points, and the first network's fits."""
    if not isinstance(tasks, Sinusoids) or not isinstance(lifetime, FewShotLifetime):
        return []
    some = replace(tasks, split="test").sample(SHOWN, np.random.default_rng(0)).to(networks.device)
    horizons = tuple(sorted({1, *lifetime.horizons, max(LONGEST, lifetime.steps)} - {0}))
    answers = answered(replace(lifetime, horizons=horizons), networks[:1], some)
    named = [("at birth", 0), *((f"after {steps} step{'s' * (steps > 1)}", steps) for steps in (1, horizons[-1]))]
    return [_chart(some[number : number + 1], {name: answers[at][number] for name, at in named}, number)
            for number in range(SHOWN)]  # fmt: skip


def answered(lifetime: FewShotLifetime, network: Parametrised, tasks: FewShot) -> list[torch.Tensor]:
    """Return what one network answers to evenly spaced inputs, `[tasks, points]`, at birth and after each step."""
    inputs = torch.linspace(-5.0, 5.0, POINTS, device=network.device)[:, None].expand(len(tasks), -1, -1)
    with torch.no_grad():
        path = lifetime.lived(network, tasks, seed=0)
        return [network.network.answers(weights, inputs)[0, ..., 0] for weights in path]


def _chart(task: FewShot, answers: dict[str, torch.Tensor], number: int) -> Chart:
    x = torch.linspace(-5.0, 5.0, POINTS).tolist()
    amplitude, phase = curve(task)
    seen = sorted(zip(task.support_inputs.flatten().tolist(), task.support_targets.flatten().tolist(), strict=True))
    lines = [Line("sinusoid", x, [amplitude * float(np.sin(at - phase)) for at in x], colour=5, kind="strong")]
    lines += [
        Line(name, x, values.tolist(), colour=colour, kind="dashed" if not place else "line")
        for place, ((name, values), colour) in enumerate(zip(answers.items(), (1, 2, 0), strict=True))
    ]
    at, there = ([point[place] for point in seen] for place in (0, 1))
    lines.append(Line("points to learn from", at, there, colour=3, kind="dots", marked=True))
    said = f"Test task {number + 1}: what the champion answers at birth and after steps on {len(seen)} points."
    return Chart(f"One sinusoid: task {number + 1}", said, "x", "y", tuple(lines))


def curve(task: FewShot) -> tuple[float, float]:
    """Return amplitude and phase of one sinusoid, from its points: y = a sin x + b cos x, solved by least squares."""
    x, y = (
        torch.cat([one.flatten(), other.flatten()]).double().cpu().numpy()
        for one, other in ((task.support_inputs, task.query_inputs), (task.support_targets, task.query_targets))
    )
    (a, b), *_ = np.linalg.lstsq(np.stack([np.sin(x), np.cos(x)], 1), y, rcond=None)
    return float(np.hypot(a, b)), float(np.arctan2(-b, a))
