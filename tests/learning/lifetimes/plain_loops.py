"""Lifetimes as plain loops over individuals and tasks, with torch's own layers: what batched ones must equal."""

from collections.abc import Sequence

import torch
from torch.nn import functional

from evo.parametrised import LayeredNetwork, Parametrised
from evo.tasks import FewShot

DENSE = LayeredNetwork((2,), 1, (7, 5))
BENT = LayeredNetwork((2,), 3, (6,), activation="tanh")
PICTURES = LayeredNetwork((1, 9, 9), 3, (4,), (3, 2), normalized=True)
PLAIN_PICTURES = LayeredNetwork((1, 9, 9), 3, (), (3, 2))


def some_individuals(network: LayeredNetwork, count: int, steps: str = "", seed: int = 0) -> Parametrised:
    draws = torch.Generator().manual_seed(seed)
    widths = {"": 0, "tensor": len(network.tensors), "weight": network.parameters}
    sizes = 0.05 + 0.1 * torch.rand(count, widths[steps], generator=draws)
    return Parametrised(
        network, 0.5 * torch.randn(count, network.parameters, generator=draws), sizes if steps else None
    )


def some_tasks(network: LayeredNetwork, count: int, shots: int = 6, queries: int = 9, seed: int = 1) -> FewShot:
    draws = torch.Generator().manual_seed(seed)
    x = torch.randn(count, shots + queries, *network.inputs, generator=draws)
    if network.outputs == 1:
        y = torch.randn(count, shots + queries, 1, generator=draws)
        return FewShot(x[:, :shots], y[:, :shots], x[:, shots:], y[:, shots:])
    classes = torch.arange(shots + queries).remainder(3).expand(count, -1).contiguous()
    return FewShot(x[:, :shots], classes[:, :shots], x[:, shots:], classes[:, shots:], "cross_entropy", 3)


def tensors_of(network: LayeredNetwork, flat: torch.Tensor) -> list[torch.Tensor]:
    return [flat[one.begin : one.end].view(one.shape).clone() for one in network.tensors]


def plain_answers(network: LayeredNetwork, tensors: Sequence[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    activate = {"relu": functional.relu, "tanh": torch.tanh}[network.activation]
    left = list(tensors)
    for _ in network.filters:
        kernel = left.pop(0)
        if network.normalized:
            gain, shift = left.pop(0), left.pop(0)
            x = functional.conv2d(x, kernel, stride=2, padding=1)
            x = activate(functional.batch_norm(x, None, None, gain, shift, training=True))
        else:
            x = activate(functional.conv2d(x, kernel, left.pop(0), stride=2, padding=1))
    x = x.flatten(1)
    while left:
        x = functional.linear(x, left.pop(0), left.pop(0))
        x = activate(x) if left or not network.outputs else x
    return x


def plain_loss(answers: torch.Tensor, targets: torch.Tensor, kind: str) -> torch.Tensor:
    return functional.mse_loss(answers, targets) if kind == "squared" else functional.cross_entropy(answers, targets)


def sizes_of(individuals: Parametrised, number: int, otherwise: float) -> list[torch.Tensor | float]:
    network = individuals.network
    if individuals.step_sizes is None:
        return [otherwise] * len(network.tensors)
    one = individuals.step_sizes[number]
    return list(one) if len(one) == len(network.tensors) else list(tensors_of(network, one))


def plain_gradient_steps(
    individuals: Parametrised,
    tasks: FewShot,
    steps: int,
    step_size: float,
    batch: int = 0,
    create_graph: bool = False,
    detached: bool = False,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return losses `[n, tasks, steps + 1]`, hits alike, and learned parameters `[n, tasks, parameters]`."""
    network, losses, shares, learned = individuals.network, [], [], []
    for number in range(len(individuals)):
        for task in range(len(tasks)):
            tensors = tensors_of(network, individuals.parameters[number])
            tensors = [each if each.requires_grad else each.requires_grad_() for each in tensors]
            sizes = sizes_of(individuals, number, step_size)
            query = tasks.query_inputs[task], tasks.query_targets[task]
            for step in range(steps + 1):
                answers = plain_answers(network, tensors, query[0])
                losses.append(plain_loss(answers, query[1], tasks.loss))
                shares.append((answers.argmax(1) == query[1].flatten()).float().mean())
                if step == steps:
                    break
                x, y = tasks.support_inputs[task], tasks.support_targets[task]
                if batch:
                    whole = len(x) // batch
                    x, y = x.split(batch)[step % whole], y.split(batch)[step % whole]
                support = plain_loss(plain_answers(network, tensors, x), y, tasks.loss)
                slopes = torch.autograd.grad(support, tensors, create_graph=create_graph)
                if detached:
                    slopes = tuple(slope.detach() for slope in slopes)
                tensors = [one - size * slope for one, size, slope in zip(tensors, sizes, slopes, strict=True)]
                if not create_graph and not detached:
                    tensors = [one.detach().requires_grad_() for one in tensors]
            learned.append(torch.cat([one.flatten() for one in tensors]))
    shape = (len(individuals), len(tasks), -1)
    return (
        torch.stack(losses).view(shape),
        torch.stack(shares).view(shape),
        torch.stack(learned).view(shape),
    )
