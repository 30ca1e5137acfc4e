"""What each weight of each learner meant to a task: the diagonal of the Fisher information, all learners at once.

A weight's Fisher information is the mean, over cases and over the answers that the network itself expects, of the
squared slope of an answer's log-likelihood (Kirkpatrick et al. 2017, section "Elastic weight consolidation"). A dense
weight's slope in a case is x_i delta_j, input times error signal, so the squares of all cases add up to
(x^2)^T delta^2, and no case's gradient is ever written out. A convolution's is a sum over places, and squared case by
case.

By `Rules.fisher` (names and comparison: van de Ven 2025, arXiv:2502.11756):

* "exact": every answer y, weighed by its probability p(y | x);
* "sampled": one answer drawn from p(y | x) for each case, by the learner's key;
* "empirical": the target, whatever the network expects;
* "batched": the square of the gradient of batches as large as the segment's, which is no Fisher information, and
  smaller by about that size; it is here because it is common.

Of squared errors, answers are numbers from a normal distribution around the outputs, whose variance, outputs / 2, makes
the mean squared error its negative log-likelihood: the exact Fisher information then is the diagonal of the loss's
Gauss-Newton matrix. A lambda for one estimate, or loss, is none for another.

Cases are the first `Rules.fisher_cases` that the learner met in the segment, or all of the segment's where it has no
more (`evo.stream.Segment.first`): the same for all learners of a stream. Nobody is left out (no dropout), and nothing
is learned.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch

from evo.evaluation.threads import share
from evo.learners import Learners
from evo.learning import draws
from evo.learning.cases import Cases
from evo.learning.denormals import flushed
from evo.learning.forward import Network
from evo.learning.losses import cross_entropy, squared
from evo.stream import Segment

PIECE = {"cpu": 2**23}
"""Bytes of features and error signals that learners in one piece have together, by the kind of device."""
LARGEST_PIECE = 2**32
"""The same where the kind of device is not named."""


def learner_fisher(learners: Learners, segment: Segment) -> torch.Tensor:
    """Return the diagonal of the Fisher information of a segment's cases, `[n, parameters]`, with the loss's units.

    No bit of a learner's depends on its neighbours, on a CPU with one thread inside torch.

    Args:
        learners: n of them, with weights as they are to be judged.
        segment: with their streams among its own.

    Raises:
        ValueError: a learner's stream is not among the segment's.
    """
    order = learners.activation.argsort(stable=True)
    pieces = torch.split(order, _piece(learners))
    found = [learners.weights[:0]] * len(pieces)

    def estimate(first: int, last: int) -> None:
        with flushed():
            for number in range(first, last):
                some = learners[pieces[number]]
                by_batches = some.rules.fisher == "batched"
                found[number] = (_of_batches if by_batches else _of_cases)(some, segment)

    share(estimate, len(pieces), learners.execution.threads)
    return torch.cat(found)[order.argsort()]


def _piece(learners: Learners) -> int:
    """Return how many learners are looked at together."""
    architecture, kind = learners.architecture, learners.device.type
    if kind == "cpu" and architecture.convolutions:
        return 1
    signals = sum(layer.copies * layer.outputs * layer.places for layer in architecture.layers)
    each = 4 * (learners.rules.fisher_cases * (math.prod(architecture.inputs) + 4 * signals) + architecture.parameters)
    return max(1, PIECE.get(kind, LARGEST_PIECE) // each)


def _of_cases(learners: Learners, segment: Segment) -> torch.Tensor:
    """Return the mean over cases of squared slopes, `[n, parameters]`, for learners in order of activation."""
    inputs, targets = Cases(segment, learners).first(learners.rules.fisher_cases)
    network, sums = Network(learners), list[torch.Tensor]()
    given = [inputs, *network.hidden(inputs, summed=sums)]
    layers = learners.architecture.layers
    read = [values.detach() for values in given]
    found = [torch.zeros_like(learners.weights[:, layer.begin : layer.end]) for layer in layers]
    squares = [torch.zeros_like(values) for values in sums]
    for slope in _slopes(learners, segment, network.outputs.detach(), targets):
        signals = torch.autograd.grad(network.outputs, sums, slope, retain_graph=True)
        for place, (layer, signal) in enumerate(zip(layers, signals, strict=True)):
            if layer.convolution is None:
                squares[place].add_(signal.square())
            else:
                found[place] += _convolved_squares(read[place], signal, layer.convolution.size)
    for place, layer in enumerate(layers):
        if layer.convolution is None:
            found[place] = _dense_squares(read[place], squares[place].detach())
    return torch.cat(found, 1) / inputs.shape[1]


def _of_batches(learners: Learners, segment: Segment) -> torch.Tensor:
    """Return the mean over batches of the squared gradient of the loss, `[n, parameters]`; a last part is left out."""
    inputs, targets = Cases(segment, learners).first(learners.rules.fisher_cases)
    network, found = Network(learners), torch.zeros_like(learners.weights)
    size = min(segment.batch, inputs.shape[1])
    batches = inputs.shape[1] // size
    for first in range(0, batches * size, size):
        network.hidden(inputs[:, first : first + size])
        outputs, wanted = network.outputs.detach(), targets[:, first : first + size]
        slope = _loss_slope(segment, outputs, wanted)
        found += network.gradient(slope).square()
    return found / batches


def _slopes(
    learners: Learners, segment: Segment, outputs: torch.Tensor, targets: torch.Tensor
) -> Iterator[torch.Tensor]:
    """Yield slopes of log-likelihoods by the outputs, `[n, cases, outputs]`; squared ones add up to those expected."""
    kind = learners.rules.fisher
    if kind == "empirical":
        yield _loss_slope(segment, outputs, targets) * outputs.shape[1]  # each case for itself
    elif segment.loss == "squared":
        yield from _number_slopes(learners, outputs)
    else:
        yield from _class_slopes(learners, outputs, segment.classes or outputs.shape[2])


def _loss_slope(segment: Segment, outputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the mean loss by the outputs, `[n, cases, outputs]`."""
    if segment.loss == "squared":
        return squared(outputs, targets)[1]
    return cross_entropy(outputs, targets, segment.classes or outputs.shape[2])[1]


def _class_slopes(learners: Learners, outputs: torch.Tensor, classes: int) -> Iterator[torch.Tensor]:
    """Yield slopes for classes: p - e_y, times sqrt(p_y) where every y takes part."""
    expected = torch.zeros_like(outputs)
    expected[..., :classes] = outputs[..., :classes].softmax(2)
    answers: Iterator[torch.Tensor]
    if learners.rules.fisher == "sampled":
        reached = expected[..., :classes].cumsum(2)
        drawn = draws.uniform(_start(learners), torch.arange(outputs.shape[1], device=outputs.device))
        answers = iter([(drawn[..., None] >= reached).sum(2).clamp(max=classes - 1)])
    else:
        answers = (torch.full(outputs.shape[:2], answer, device=outputs.device) for answer in range(classes))
    for answer in answers:
        slope = expected.scatter_add(2, answer[..., None], -torch.ones_like(outputs[..., :1]))
        if learners.rules.fisher == "exact":
            slope *= expected.gather(2, answer[..., None]).sqrt()
        yield slope


def _number_slopes(learners: Learners, outputs: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield slopes for numbers of variance outputs / 2: z sqrt(2 / outputs), z normal, or of expected square 1."""
    size = math.sqrt(2 / outputs.shape[2])
    if learners.rules.fisher == "sampled":
        places = torch.arange(outputs.shape[1:].numel(), device=outputs.device)
        yield size * draws.normals(_start(learners), places)[0].view_as(outputs)
        return
    for number in range(outputs.shape[2]):
        slope = torch.zeros_like(outputs)
        slope[..., number] = size
        yield slope


def _start(learners: Learners) -> torch.Tensor:
    return draws.moment(learners.key, learners.segments, 0, draws.FISHER)


def _dense_squares(read: torch.Tensor, squares: torch.Tensor) -> torch.Tensor:
    """Return (x^2)^T delta^2 and, for biases, the sums of delta^2, `[n, fan_in * units + units]`.

    Args:
        read: `[n, cases, ...]`, what the layer reads.
        squares: `[n, cases, units]`, of its error signals.
    """
    inputs = read.flatten(2).square()
    if 1 in (*inputs.shape[1:], squares.shape[2]):  # see evo.learning.layer_sums
        weights = (inputs[..., None] * squares[:, :, None]).sum(1)
    else:
        weights = inputs.transpose(1, 2) @ squares
    return torch.cat((weights.flatten(1), squares.sum(1)), 1)


def _convolved_squares(read: torch.Tensor, signal: torch.Tensor, size: int) -> torch.Tensor:
    """Return squares of cases' gradients of a convolution, summed over cases, `[n, fan_in * units + units]`.

    Args:
        read: `[n, cases, channels, height, width]`.
        signal: `[n, cases, units, rows, columns]`, error signals of its sums.
        size: of the kernel, in pixels a side.
    """
    patches = torch.nn.functional.unfold(read.flatten(0, 1), size)  # [n * cases, fan_in, places]
    errors = signal.flatten(0, 1).flatten(2)
    weights = (patches @ errors.transpose(1, 2)).square().view(*read.shape[:2], -1).sum(1)
    return torch.cat((weights, errors.sum(2).square().view(*signal.shape[:2], -1).sum(1)), 1)
