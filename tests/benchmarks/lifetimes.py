"""Inner steps per second of processor time: batched lifetimes beside the usual loop over individuals and tasks.

    python tests/benchmarks/lifetimes.py [--individuals 64] [--tasks 25] [--steps 1]

Sinusoids of 10 points, a network of 1-40-40-1, plain gradient steps, as in Finn, Abbeel & Levine 2017. The loop is
torch's own layers and autograd, a network and a task at a time, without what batched lifetimes record besides. Both
run in turn, on one thread; the best of several rounds counts. Prints how far results differ, and asserts nothing.
"""

import argparse
import time

import numpy as np
import torch
from torch.nn import functional

from evo.learning.lifetimes.gradient_steps import GradientSteps
from genomes.initial_weights import InitialWeights
from problems.few_shot.sinusoids import FewShotSinusoids, Sinusoids


def plain_loop(phenotypes, tasks, steps):
    losses = torch.empty(len(phenotypes), len(tasks))
    for number, flat in enumerate(phenotypes.parameters):
        for task in range(len(tasks)):
            weights = [one.clone().requires_grad_() for one in phenotypes.network.split(flat)]
            for _ in range(steps):
                error = functional.mse_loss(answers(weights, tasks.support_inputs[task]), tasks.support_targets[task])
                slopes = torch.autograd.grad(error, weights)
                with torch.no_grad():
                    weights = [
                        (one - 0.01 * slope).requires_grad_() for one, slope in zip(weights, slopes, strict=True)
                    ]
            with torch.no_grad():
                found = answers(weights, tasks.query_inputs[task])
                losses[number, task] = functional.mse_loss(found, tasks.query_targets[task])
    return losses


def answers(weights, x):
    first, bias, second, other, third, last = weights
    x = functional.relu(functional.linear(x, first, bias))
    return functional.linear(functional.relu(functional.linear(x, second, other)), third, last)


def timed(work):
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--individuals", type=int, default=64)
    parser.add_argument("--tasks", type=int, default=25)
    parser.add_argument("--steps", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    genome = InitialWeights.for_problem(FewShotSinusoids())
    phenotypes = genome.express(genome.sample(asked.individuals, np.random.default_rng(0)))
    tasks = Sinusoids().sample(asked.tasks, np.random.default_rng(1))
    lifetime = GradientSteps(horizons=(asked.steps,))
    lifetime.live(phenotypes, tasks, seed=0)
    ways = {
        "batched": lambda: lifetime.live(phenotypes, tasks, seed=0).scores[..., 0],
        "plain loop": lambda: plain_loop(phenotypes, tasks, asked.steps),
    }
    rounds = [{name: timed(work) for name, work in ways.items()} for _ in range(asked.rounds)]
    best = {name: min(each[name][0] for each in rounds) for name in ways}
    done = asked.individuals * asked.tasks * asked.steps
    for name, seconds in best.items():
        print(f"{name:12}{1e3 * seconds:10.1f} ms{done / seconds:14.0f} inner steps per CPU-second")
    difference = (rounds[0]["batched"][1] - rounds[0]["plain loop"][1]).abs().max()
    print(f"batched is {best['plain loop'] / best['batched']:.1f} times as fast; largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
