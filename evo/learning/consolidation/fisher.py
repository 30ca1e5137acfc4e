"""The diagonal of the Fisher information of a classifier's weights: how much its answers depend on each of them.

F_i = mean over cases x of E_y [(d log p(y | x) / d theta_i)^2]. What y is drawn from is what estimates differ in (van
de Ven 2025, "On the computation of the Fisher information in continual learning"):

- "exact": from the network's own probabilities, all classes weighed by them. A few hundred cases do.
- "sampled": one y per case drawn from them: unbiased, noisier, as quick as one gradient.
- "empirical": the true class. Near a good fit like the exact one where the network is right; not a Fisher information.
- "batched": the square of the mean gradient of batches with true classes. Common, and too small by about the batch: the
  gradients of cases cancel before they are squared.

A strength that suits one does not suit another. Answers y may be anything that has logits: classes, or a policy's
actions on states it met (Kirkpatrick et al. 2017, section 2.2).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from evo import seeds
from evo.learning.consolidation.importance import Importance

Logits = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From parameters `[parameters]` and cases `[cases, ...]` to logits `[cases, classes]`, differentiable."""

KINDS = ("exact", "sampled", "empirical", "batched")
NUMBERS = 2**24
"""How many gradient entries may be made at a time: 64 MB of float32."""


def diagonal_fisher(
    logits: Logits,
    parameters: torch.Tensor,
    cases: torch.Tensor,
    kind: str = "exact",
    *,
    classes: torch.Tensor | None = None,
    batch: int = 128,
    seed: int | None = None,
) -> torch.Tensor:
    """Return the diagonal `[parameters]` of the Fisher information.

    Args:
        logits: the network, as a function that treats each case by itself.
        parameters: `[parameters]`, where the information is taken.
        cases: `[cases, ...]`.
        kind: "exact", "sampled", "empirical" or "batched"; see above.
        classes: `[cases]` int64, the true ones; for "empirical" and "batched".
        batch: cases per gradient, for "batched"; of what fills no batch, a smaller one is made.
        seed: the root of the draws of "sampled".

    Raises:
        ValueError: the kind is unknown, there are no cases, or what the kind needs is missing.
    """
    _check(parameters, cases, kind, classes, batch, seed)
    parameters = parameters.detach()
    if kind == "exact":
        return _exact(logits, parameters, cases)
    if kind == "sampled":
        classes = _drawn(logits(parameters, cases).detach(), int(seed or 0))
    if classes is None:
        raise ValueError(f"diagonal_fisher: {kind} needs classes")
    return _of_classes(logits, parameters, cases, classes, batch if kind == "batched" else 1)


def module_importance(module: torch.nn.Module, cases: torch.Tensor, kind: str = "exact", **settings: Any) -> Importance:
    """Return how much each parameter of a classifier matters, as it is now, for its answers to some cases.

    It is taken as the module is when it is used: dropout and the like are off. The module is left as it was.

    Args:
        module: from cases `[cases, ...]` to logits `[cases, classes]`; parameters that need no gradient are left out.
        cases: `[cases, ...]`.
        kind, settings: see `diagonal_fisher`.
    """
    learned = {name: values.detach() for name, values in module.named_parameters() if values.requires_grad}
    if not learned:
        raise ValueError("module_importance: the module has no parameters that need gradients, so none can matter")
    parts = tuple((name, tuple(values.shape)) for name, values in learned.items())
    sizes = [values.numel() for values in learned.values()]

    def logits(flat: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
        pieces = torch.split(flat, sizes)
        named = {name: piece.view(shape) for (name, shape), piece in zip(parts, pieces, strict=True)}
        answers: torch.Tensor = torch.func.functional_call(module, named, (some,))
        return answers

    anchor = torch.cat([values.reshape(-1) for values in learned.values()])
    modes = [(one, one.training) for one in module.modules()]
    module.eval()
    try:
        precision = diagonal_fisher(logits, anchor, cases, kind, **settings)
    finally:
        for one, training in modes:
            one.training = training
    return Importance(precision, anchor.clone(), parts)


def network_importance(
    network: dict[str, Any], cases: torch.Tensor, kind: str = "exact", **settings: Any
) -> Importance:
    """Return how much each connection's weight of a network matters, in the order of the network's `edges`.

    That is the order of the weights in `evo.networks.Networks` too, and so in the rows of `genomes.perceptron` and
    `genomes.fixed_network`, where the network comes from there.

    Args:
        network: as in a champion file: `inputs`, `outputs`, `activations`, `edges` as [source, target, weight].
        cases: `[cases, inputs]`.
        kind, settings: see `diagonal_fisher`.

    Raises:
        evo.champion.ChampionError: the network is described wrongly.
    """
    from evo.exchange.torch_module import NetworkModule

    return module_importance(NetworkModule(network), cases, kind, **settings)


def _exact(logits: Logits, parameters: torch.Tensor, cases: torch.Tensor) -> torch.Tensor:
    """Return the mean over cases of sum_y p(y | x) (d log p(y | x) / d theta)^2."""

    def of_case(case: torch.Tensor) -> torch.Tensor:
        def logarithms(theta: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            found = logits(theta, case[None])[0].log_softmax(-1)
            return found, found

        slopes, found = torch.func.jacrev(logarithms, has_aux=True)(parameters)  # [classes, parameters]
        return torch.sum(found.exp()[:, None] * slopes.square(), 0)

    answers = logits(parameters, cases[:1]).shape[-1]
    return _mean_over(of_case, cases, answers * len(parameters))


def _of_classes(
    logits: Logits, parameters: torch.Tensor, cases: torch.Tensor, classes: torch.Tensor, batch: int
) -> torch.Tensor:
    """Return the mean over batches of the square of their mean gradient; with a batch of 1, over cases."""

    def loss(theta: torch.Tensor, some: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.cross_entropy(logits(theta, some), known)

    if batch == 1:
        gradients = torch.func.vmap(
            lambda case, known: torch.func.grad(loss)(parameters, case[None], known[None]).square(),
            chunk_size=max(1, NUMBERS // len(parameters)),
        )
        return torch.as_tensor(gradients(cases, classes).mean(0))
    starts = range(0, len(cases), batch)
    squares = [
        torch.func.grad(loss)(parameters, cases[start : start + batch], classes[start : start + batch]).square()
        for start in starts
    ]
    return torch.stack(squares).mean(0)


def _mean_over(of_case: Callable[[torch.Tensor], torch.Tensor], cases: torch.Tensor, numbers: int) -> torch.Tensor:
    """Return the mean `[parameters]` over cases of a function of one, so many at a time that memory does."""
    size = max(1, NUMBERS // numbers)
    sums = [torch.func.vmap(of_case)(cases[start : start + size]).sum(0) for start in range(0, len(cases), size)]
    return torch.stack(sums).sum(0) / len(cases)


def _drawn(logits: torch.Tensor, seed: int) -> torch.Tensor:
    """Return a class for each case `[cases]`, drawn from the network's probabilities."""
    draws = torch.from_numpy(seeds.rng(seed, "sampled Fisher").random((len(logits), 1)))
    cumulative = logits.double().softmax(-1).cumsum(-1)
    return (draws.to(cumulative) >= cumulative[:, :-1]).sum(-1)


def _check(
    parameters: torch.Tensor, cases: torch.Tensor, kind: str, classes: torch.Tensor | None, batch: int, seed: int | None
) -> None:
    if kind not in KINDS:
        raise ValueError(f"diagonal_fisher: kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    if parameters.dim() != 1 or len(cases) == 0:
        raise ValueError(
            f"diagonal_fisher: expected parameters [parameters] and at least one case, got {list(parameters.shape)} "
            f"and {len(cases)} cases"
        )
    if kind in ("empirical", "batched") and (classes is None or classes.shape != cases.shape[:1]):
        got = "none" if classes is None else list(classes.shape)
        raise ValueError(f"diagonal_fisher: {kind} needs the true classes [{len(cases)}], one per case, got {got}")
    if kind == "sampled" and seed is None:
        raise ValueError("diagonal_fisher: sampled draws classes: give a seed")
    if batch < 1:
        raise ValueError(f"diagonal_fisher: batch: expected a number of cases from 1 up, got {batch}")
