"""Full swing-up episodes of the published champion (29 nodes, 52 edges): beside one environment at a time in numpy.

    python tests/benchmarks/episodes.py [--threads 2] [--device cuda]

The loop does one product per node and one environment at a time, as the published code does; neat-python's network
in the same environment is beside it. Prints ratios of wall time per step in one run.
"""

import argparse
import math
import sys
from pathlib import Path

import numpy as np
import torch
from machine import limit, seconds

sys.path.insert(0, str(Path(__file__).parents[1]))

from forward import BY_MATH, BY_NUMPY
from neat.nn import FeedForwardNetwork
from published_champion import ACTIVATIONS, EDGES, published_champion

from evo.evaluation.episodes import play
from evo.networks import Execution, Networks, pack
from problems.control.cartpole_swingup import CartPoleSwingUp

PAIRS = [tuple(int(end) for end in edge.split(",")) for edge in EDGES.split()]
STEPS, COPIES, LANES = 1000, 192, 64


def advance(state, action):
    x, xd, th, thd = state
    force = 10 * max(-1.0, min(1.0, action))
    s, c = math.sin(th), math.cos(th)
    xdd = (-0.6 * thd**2 * s + 14.73 * s * c + 4 * force - 0.4 * xd) / (4 - 1.5 * c**2)
    thdd = (-0.9 * thd**2 * s * c + 58.92 * s + 6 * (force - 0.1 * xd) * c) / (2.4 - 0.9 * c**2)
    x, th, xd, thd = x + xd * 0.01, th + thd * 0.01, xd + xdd * 0.01, thd + thdd * 0.01
    return (x, xd, th, thd), (math.cos(th) + 1) / 2 * math.cos(x / 2.4 * math.pi / 2)


def loop(policy, start):
    total, state = 0.0, start
    for _ in range(STEPS):
        x, xd, th, thd = state
        state, reward = advance(state, policy((x, xd, math.cos(th), math.sin(th), thd)))
        total += reward
    return total


def numpy_policy():
    weights = np.zeros((29, 29))
    for source, target in PAIRS:
        weights[source, target] = 1.0

    def act(observation):
        values = np.zeros((1, 29))
        values[0, 0], values[0, 1:6] = 1.0, observation
        for node in range(6, 29):
            values[0, node] = BY_NUMPY[ACTIVATIONS[node]](np.dot(values, weights[:, node]))[0]
        return values[0, 28]

    return act


def neat_policy():
    evaluations = [
        (node, BY_MATH[ACTIVATIONS[node]], sum, 0.0, 1.0, [(source, 1.0) for source, target in PAIRS if target == node])
        for node in range(6, 29)
    ]
    network = FeedForwardNetwork(list(range(6)), [28], evaluations)
    return lambda observation: network.activate((1.0, *observation))[0]


def copies() -> Networks:
    one = [(ACTIVATIONS, [(source, target, 1.0) for source, target in PAIRS])]
    return pack(5, 1, one * COPIES)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--threads", type=int, default=2)
    options.add_argument("--device", default="cpu")
    chosen = options.parse_args()
    problem = CartPoleSwingUp()
    start = torch.from_numpy(problem.start(LANES, np.random.default_rng(0)).T.astype(np.float32))
    scale = torch.ones(LANES)
    networks = copies().on(Execution("compiled", chosen.threads))

    ours_reward = float(play(problem, published_champion(), start, scale)[0].mean())
    loop_reward = np.mean([loop(numpy_policy(), start[:, lane].tolist()) for lane in range(5)])
    assert abs(ours_reward - loop_reward) < 25, (ours_reward, loop_reward)

    def run():
        play(problem, networks, start, scale)

    print(f"{COPIES} networks x {LANES} episodes x {STEPS} steps; 29 nodes, 52 edges, shared weight 1")
    ours = seconds(run) / (COPIES * LANES * STEPS)
    report("fused kernel", ours, ours)
    report("numpy, one product per node", seconds(lambda: loop(numpy_policy(), start[:, 0].tolist()), 3) / STEPS, ours)
    report("neat-python's network", seconds(lambda: loop(neat_policy(), start[:, 0].tolist()), 3) / STEPS, ours)
    work = COPIES * LANES * STEPS
    least = limit(len(PAIRS) * work, 23 * work, chosen.threads) / work
    print(f"the machine's limit (multiply-add per edge, exp per node): {1e-6 / least:.1f} M steps/s", end="; ")
    print(f"reached {least / ours:.0%}")
    if chosen.device != "cpu":
        on_device(problem, start, scale, chosen.device, ours)


def on_device(problem, start, scale, device, ours):
    moved = copies().to(device)

    def run():
        play(problem, moved, start, scale)
        torch.cuda.synchronize()

    report(f"torch on {torch.cuda.get_device_name()}", seconds(run, 3) / (COPIES * LANES * STEPS), ours)


def report(name, time, ours):
    print(f"{name:<42} {1e-6 / time:12.4f} M steps/s   x{time / ours:.1f}")


if __name__ == "__main__":
    main()
