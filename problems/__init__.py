"""What genomes are measured on, one problem per file, by versioned names.

problems.make("cartpole-swingup-v1", episodes=5)
problems.make("gymnasium:Pendulum-v1")      # any environment of gymnasium
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from evo.catalogue import Catalogue, did_you_mean

if TYPE_CHECKING:
    from evo.problem import Problem

CATALOGUE = Catalogue(
    "problem",
    {
        "addition-facts-v1": "problems.continual.add_one:AdditionFacts",
        "bernoulli-bandits-v1": "problems.meta.bandits:Bandits",
        "binary-digits-v1": "problems.transfer.binary_digits:BinaryDigits",
        "binary-images-v1": "problems.continual.binary_images:BinaryImages",
        "black-box-v1": "problems.meta.black_box:SearchFunctions",
        "cartpole-swingup-hidden-velocities-v1": "problems.control.cartpole_swingup:CartPoleSwingUpHiddenVelocities",
        "cartpole-swingup-v1": "problems.control.cartpole_swingup:CartPoleSwingUp",
        "cartpole-v1": "problems.control.cartpole:CartPole",
        "class-incremental-images-v1": "problems.continual.class_incremental:ClassIncrementalImages",
        "classification-tasks-v1": "problems.transfer.classification_tasks:ClassificationTasks",
        "digits-v1": "problems.digits:Digits",
        "double-pole-hidden-velocities-undamped-v1": "problems.control.double_pole:DoublePoleHiddenVelocitiesUndamped",
        "double-pole-hidden-velocities-v1": "problems.control.double_pole:DoublePoleHiddenVelocities",
        "double-pole-v1": "problems.control.double_pole:DoublePole",
        "few-shot-digit-pairs-v1": "problems.few_shot.digit_pairs:FewShotDigitPairs",
        "few-shot-omniglot-v1": "problems.few_shot.omniglot:FewShotOmniglot",
        "few-shot-permuted-digits-v1": "problems.few_shot.permuted_digits:FewShotPermutedDigits",
        "few-shot-sinusoids-v1": "problems.few_shot.sinusoids:FewShotSinusoids",
        "growing-tasks-v1": "problems.transfer.growing:Growing",
        "four-corners-v1": "problems.meta.four_corners:FourCorners",
        "gymnasium-v1": "problems.control.gymnasium_problem:GymnasiumProblem",
        "image-tasks-v1": "problems.transfer.image_tasks:ImageTasks",
        "mnist-v1": "problems.mnist:Mnist",
        "mnist-256-v1": "problems.mnist:Mnist256",
        "navigation-v1": "problems.meta.navigation:Navigation",
        "permuted-digits-v1": "problems.transfer.permuted_digits:PermutedDigits",
        "permuted-images-v1": "problems.continual.permuted_images:PermutedImages",
        "permuted-tasks-v1": "problems.continual.permuted_tasks:PermutedTasks",
        "quadratics-v1": "problems.meta.quadratics:DescendQuadratics",
        "slowly-changing-regression-v1": "problems.continual.slowly_changing_regression:SlowlyChangingRegression",
        "small-network-v1": "problems.meta.small_network:TrainSmallNetworks",
        "tabular-mdps-v1": "problems.meta.tabular_mdps:TabularMdps",
        "xor-v1": "problems.xor:Xor",
    },
)

GYMNASIUM = "gymnasium:"
"""Names that begin so go on with the id of a gymnasium environment."""


def make(name: str, **settings: Any) -> Problem:
    """Return the problem called `name`, with its settings changed as given.

    Args:
        name: one of the catalogue's, or "gymnasium:" and the id of one of gymnasium's environments.
        settings: the problem's fields, such as `shared_weights` or `episodes`.

    Raises:
        ValueError: no problem is called so, it has no such setting, or a setting it needs is missing.
    """
    if name.startswith(GYMNASIUM):
        settings = {"environment": name.removeprefix(GYMNASIUM), **settings}
        name = "gymnasium-v1"
    made = CATALOGUE.find(name)
    fields = {field.name: field for field in dataclasses.fields(made)}
    for unknown in settings.keys() - fields.keys():
        raise ValueError(f"{name} has no setting {unknown!r}, only {', '.join(fields)}{did_you_mean(unknown, fields)}")
    without = {
        key
        for key, field in fields.items()
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    needed = [key for key in fields if key in without and key not in settings]
    if needed:
        raise ValueError(f"{name} needs {', '.join(needed)}: give it, such as environment='CartPole-v1'")
    problem: Problem = made(**settings)
    return problem
