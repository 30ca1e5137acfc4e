import pytest
import torch
from learning.lifetimes.plain_loops import DENSE, plain_answers, some_individuals, some_tasks, tensors_of

from evo.learning.lifetimes.comparison import Comparison
from evo.parametrised import LayeredNetwork

EMBEDDING = LayeredNetwork((2,), 0, (6, 4), activation="tanh")
CLASSES = LayeredNetwork((2,), 3)


def likelihoods(kind: str, known: torch.Tensor, classes: torch.Tensor, new: torch.Tensor) -> torch.Tensor:
    rows = []
    for case in new:
        if kind == "prototypical":
            means = [known[classes == number].mean(0) for number in range(3)]
            rows.append(torch.stack([-((case - mean) ** 2).sum() for mean in means]).softmax(0))
        else:
            attention = torch.stack([torch.cosine_similarity(case, one, dim=0) for one in known]).softmax(0)
            rows.append(torch.stack([attention[classes == number].sum() for number in range(3)]))
    return torch.stack(rows)


@pytest.mark.parametrize("kind", ["prototypical", "matching"])
def test_equals_a_plain_loop(kind: str) -> None:
    individuals, tasks = some_individuals(EMBEDDING, 3), some_tasks(CLASSES, 2, shots=6)
    lives = Comparison(kind=kind).live(individuals, tasks, seed=0)
    for number in range(3):
        tensors = tensors_of(EMBEDDING, individuals.parameters[number])
        for task in range(2):
            known, new = (
                plain_answers(EMBEDDING, tensors, x[task]) for x in (tasks.support_inputs, tasks.query_inputs)
            )
            found = likelihoods(kind, known, tasks.support_targets[task], new)
            right = tasks.query_targets[task]
            loss = -found[torch.arange(len(right)), right].log().mean()
            assert float(lives.scores[number, task, 0]) == pytest.approx(float(loss), rel=1e-4, abs=1e-5)
            share = (found.argmax(1) == right).float().mean()
            assert float(lives.measured["accuracy"][number, task, 0]) == pytest.approx(float(share))


def test_any_chunking_gives_the_same_bits() -> None:
    individuals, tasks = some_individuals(EMBEDDING, 5), some_tasks(CLASSES, 2)
    whole = Comparison().live(individuals, tasks, seed=0)
    for chunk in (1, 2, 3, 4):
        assert torch.equal(Comparison(chunk=chunk).live(individuals, tasks, seed=0).scores, whole.scores)


def test_regression_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="classes"):
        Comparison().live(some_individuals(DENSE, 2), some_tasks(DENSE, 2), seed=0)
    with pytest.raises(ValueError, match="kind"):
        Comparison(kind="nearest")
