"""Any environment of gymnasium, by its id: `gymnasium-v1`.

Inputs: the observation, flattened as `gymnasium.spaces.flatten` does, unscaled: Box in row order, Discrete one-hot,
MultiDiscrete one-hot in blocks, MultiBinary as it is, Tuple and Dict one part behind the other.
Outputs, by the action space: Discrete: one output per action, the largest acts; MultiDiscrete: so in each block;
MultiBinary: 1 where the output is above 0; Box: the outputs themselves, clipped to the box, as in the published code
of weight agnostic networks (no squashing and no scaling: a pendulum's torque of 2 is an output of 2 or more).
Reward: the environment's own, summed over an episode; the score is the mean over shared weights and episodes.
Start: `episodes` seeds are drawn per evaluation; every network meets the same ones with every shared weight.
End: the environment's own, or its own step limit, or `steps` where given. Nothing after the end counts.
Version: 1 of this mapping; an environment's id carries its own version.

Source: Towers et al. 2024 (gymnasium, arXiv:2407.17032).

Environments are stepped one by one and finished ones not at all. Gymnasium's vector environments aren't used: their
finished slots play on after an automatic reset until the last network is done, and those written as vectors (CartPole)
take one seed for all slots, so networks could not meet the same starts.
"""

from __future__ import annotations

import difflib
import functools
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch

from evo.networks import Networks
from evo.outcome import Outcome, Outcomes, outcomes_of
from evo.problem import NetworkProblem, Objective

if TYPE_CHECKING:
    import gymnasium
    from gymnasium.envs.registration import EnvSpec

SLOTS = 1024
"""How many environments there are at most at a time (at least one network's: shared weights times episodes)."""
EXTRAS = ("box2d", "mujoco")
"""Groups of environments that need more packages, called as our extras are."""


@dataclass(frozen=True)
class GymnasiumProblem(NetworkProblem):
    """Control any environment of gymnasium, such as CartPole-v1 (environment=..., or gymnasium:CartPole-v1).

    Attributes:
        shared_weights: the values that all edges' weights take in turn; empty for the networks' own weights.
        environment: the id of a registered environment. Ids with a module ("module:Name-v0") are refused, because a
            file that names one could run code: import the module yourself.
        episodes: how many starts every network (and shared weight) is measured from.
        steps: the longest an episode lasts; 0 for the environment's own limit.
        options: what else `gymnasium.make` is given: (name, value) pairs, or a dict.

    Raises:
        ValueError: no such environment is registered, or it has no limit and `steps` gives none.
        TypeError: the spaces of its observations or actions are none of those above.
        ImportError: the environment needs packages that are not installed.
    """

    name: ClassVar[str] = "gymnasium-v1"
    environment: str = field(kw_only=True)
    episodes: int = 3
    steps: int = 0
    options: tuple[tuple[str, Any], ...] = ()

    def __post_init__(self) -> None:
        if self.episodes < 1 or self.steps < 0:
            raise ValueError(
                f"episodes: expected 1 or more, steps: 0 (the environment's own limit) or more, "
                f"got {self.episodes} and {self.steps}"
            )
        object.__setattr__(self, "options", _frozen_options(self.options))
        specification(self.environment)

    @property
    def stochastic(self) -> bool:
        """True: starts are drawn anew for every evaluation."""
        return True

    @property
    def inputs(self) -> tuple[str, ...]:
        """Numbered parts of the flattened observation."""
        return tuple(f"obs{number}" for number in range(self._interface.inputs))

    @property
    def outputs(self) -> tuple[str, ...]:
        """Numbered outputs, what they do depends on the action space."""
        return tuple(f"action{number}" for number in range(self._interface.outputs))

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The mean total reward, and with shared weights the mean with the weight that suits a network best."""
        return (Objective("reward"), Objective("best_weight_reward")) if self.shared_weights else (Objective("reward"),)

    @property
    def _interface(self) -> Interface:
        return interface(self.environment, self.steps, self.options)

    def evaluate(self, phenotypes: Networks, rng: np.random.Generator) -> Outcomes:
        """Play the same episodes with every network and every shared weight; see `Problem.evaluate`."""
        expected = (self._interface.inputs, self._interface.outputs)
        if (phenotypes.inputs, phenotypes.outputs) != expected:
            raise ValueError(
                f"phenotypes: {self.environment} is for networks with {expected[0]} inputs and {expected[1]} outputs, "
                f"got {phenotypes.inputs} and {phenotypes.outputs}; make the genome with its for_problem"
            )
        networks = self.networks(phenotypes)
        seeds = [int(seed) for seed in rng.integers(2**31, size=self.episodes)] * len(self.scale())
        rewards = torch.zeros(len(networks), len(seeds), dtype=torch.float64)
        messages: dict[int, str] = {}
        size = max(1, SLOTS // len(seeds))
        for first in range(0, len(networks), size):
            part, failed = self.play(networks[first : first + size], seeds)
            rewards[first : first + size] = part
            messages |= {first + number: text for number, text in failed.items()}
        return self.scored(rewards.view(len(networks), len(self.scale()), self.episodes), messages)

    def play(self, networks: Networks, seeds: Sequence[int]) -> tuple[torch.Tensor, dict[int, str]]:
        """Play one episode in every lane of every network, all side by side.

        Args:
            networks: n networks.
            seeds: `[lanes]` what each lane's environment is reset with; lanes go through shared weights, then episodes.

        Returns:
            The total rewards `[n, lanes]`, float64, and the tracebacks of networks whose environment raised.
        """
        from evo.evaluation.guard import explain
        from evo.evaluation.stepping import Stepper

        face = self._interface
        kept = environments(self.environment, self.steps, self.options)
        slots = kept.take(len(networks) * len(seeds))
        stepper = Stepper(networks, torch.tensor(self.scale()).repeat_interleave(self.episodes))
        # An environment that cannot be reset is no network's fault, so that error is not caught.
        observed = np.stack(
            [face.observe(slot.reset(seed=seeds[number % len(seeds)])[0]) for number, slot in enumerate(slots)]
        )
        rewards = np.zeros(len(slots))
        messages: dict[int, str] = {}
        playing = list(range(len(slots)))
        while playing:
            outputs = stepper.step(torch.from_numpy(observed).view(len(networks), len(seeds), -1))
            actions = face.decode(outputs.reshape(len(slots), -1).cpu().numpy()[playing])
            still = []
            for number, action in zip(playing, actions, strict=True):
                try:
                    observation, reward, terminated, truncated, _ = slots[number].step(action)
                except Exception as error:
                    messages.setdefault(number // len(seeds), explain(error))
                    kept.renew(number)
                    continue
                rewards[number] += float(reward)
                if not (terminated or truncated):
                    observed[number] = face.observe(observation)
                    still.append(number)
            playing = still
        return torch.from_numpy(rewards).view(len(networks), len(seeds)), messages

    def scored(self, trials: torch.Tensor, messages: dict[int, str]) -> Outcomes:
        """Return the outcomes of total rewards `[n, shared weights, episodes]`; networks with a message have failed."""
        per_weight = trials.mean(2)
        scores = torch.stack([per_weight.mean(1), per_weight.amax(1)][: len(self.objectives)], 1)
        scores[list(messages)] = torch.nan
        outcomes = outcomes_of(scores, {"reward": trials})
        kinds = tuple(Outcome.RAISED if number in messages else kind for number, kind in enumerate(outcomes.kinds))
        return replace(outcomes, kinds=kinds, messages=outcomes.messages | messages)


Decode = Callable[[np.ndarray], np.ndarray]
"""Makes actions `[k, *shape]` of outputs `[k, outputs]`."""


@dataclass(frozen=True)
class Interface:
    """Between a network and an environment: numbers of inputs and outputs, and what they mean."""

    inputs: int
    outputs: int
    observe: Callable[[Any], np.ndarray]
    decode: Decode


@functools.lru_cache(maxsize=16)
def interface(environment: str, steps: int, options: tuple[tuple[str, Any], ...]) -> Interface:
    """Return how networks see an environment and act in it; raises TypeError for spaces it knows no way for."""
    from gymnasium import spaces

    made = make_environment(environment, steps, options)
    seen, action = made.observation_space, made.action_space
    made.close()
    if not seen.is_np_flattenable:
        raise TypeError(
            f"{environment}: observations are of the space {seen}, which has no fixed number of values; networks see "
            f"Box, Discrete, MultiDiscrete, MultiBinary, and Tuple and Dict of them: wrap the environment"
        )

    def observe(observation: Any) -> np.ndarray:
        return np.asarray(spaces.flatten(seen, observation), dtype=np.float32)

    outputs, decode = actions(action, environment)
    return Interface(spaces.flatdim(seen), outputs, observe, decode)


def actions(space: gymnasium.Space[Any], environment: str) -> tuple[int, Decode]:
    """Return how many outputs act in a space, and what makes actions of them."""
    from gymnasium import spaces

    if isinstance(space, spaces.Discrete):
        return int(space.n), lambda outputs: outputs.argmax(1) + space.start
    if isinstance(space, spaces.MultiDiscrete):
        return int(space.nvec.sum()), functools.partial(_multi_discrete, space)
    if isinstance(space, spaces.MultiBinary):
        return int(np.prod(space.shape)), lambda outputs: (outputs > 0).astype(space.dtype).reshape(-1, *space.shape)
    if isinstance(space, spaces.Box) and np.issubdtype(space.dtype, np.floating):
        return int(np.prod(space.shape)), functools.partial(_box, space)
    raise TypeError(
        f"{environment}: actions are of the space {space}; networks act in Discrete, MultiDiscrete, MultiBinary and "
        f"Box of floats: wrap the environment"
    )


def _multi_discrete(space: gymnasium.spaces.MultiDiscrete, outputs: np.ndarray) -> np.ndarray:
    blocks = np.split(outputs, space.nvec.flatten().cumsum()[:-1], axis=1)
    chosen = np.stack([block.argmax(1) for block in blocks], axis=1).reshape(-1, *space.shape)
    return (chosen + space.start).astype(space.dtype)


def _box(space: gymnasium.spaces.Box, outputs: np.ndarray) -> np.ndarray:
    return outputs.reshape(-1, *space.shape).clip(space.low, space.high).astype(space.dtype)


class Environments:
    """Environments of one kind, kept between evaluations because some take long to make.

    Args:
        make: returns a new one.
    """

    def __init__(self, make: Callable[[], gymnasium.Env[Any, Any]]) -> None:
        self._make = make
        self._kept: list[gymnasium.Env[Any, Any]] = []

    def take(self, count: int) -> list[gymnasium.Env[Any, Any]]:
        """Return the first `count` environments, making those that are not there yet."""
        while len(self._kept) < count:
            self._kept.append(self._make())
        return self._kept[:count]

    def renew(self, number: int) -> None:
        """Put a new environment in place of one that raised."""
        self._kept[number] = self._make()


@functools.lru_cache(maxsize=1)
def environments(environment: str, steps: int, options: tuple[tuple[str, Any], ...]) -> Environments:
    """Return this process's environments of the kind used last."""
    return Environments(functools.partial(make_environment, environment, steps, options))


def make_environment(environment: str, steps: int, options: tuple[tuple[str, Any], ...]) -> gymnasium.Env[Any, Any]:
    """Return a new environment; for the errors raised see `GymnasiumProblem`."""
    import gymnasium

    spec = specification(environment)
    if not steps and spec.max_episode_steps is None:
        raise ValueError(f"{environment} has no step limit of its own, so an episode may never end: give steps=...")
    try:
        # The checker only warns, once per environment, of what an environment's author should mend.
        return gymnasium.make(environment, max_episode_steps=steps or None, disable_env_checker=True, **dict(options))
    except (ImportError, gymnasium.error.DependencyNotInstalled) as error:
        raise ImportError(f"{environment} needs packages that are not installed: {_install(spec, error)}") from error


def _install(spec: EnvSpec, error: Exception) -> str:
    extra = next((extra for extra in EXTRAS if f".{extra}." in str(spec.entry_point)), None)
    return f'pip install "evo-genomes[{extra}]"' if extra else str(error)


def specification(environment: str) -> EnvSpec:
    """Return what gymnasium has registered under an id; raises ValueError for unknown ones, with the closest known."""
    import gymnasium

    if ":" in environment:
        raise ValueError(f"environment: expected an id without a module, got {environment!r}: import the module first")
    if environment.startswith("ALE/"):
        try:
            importlib.import_module("ale_py")  # registers the Atari games
        except ImportError as error:
            raise ImportError(f'{environment} needs ale-py: pip install "evo-genomes[atari]"') from error
    if environment not in gymnasium.registry:
        close = difflib.get_close_matches(environment, gymnasium.registry, n=1)
        hint = f"did you mean {close[0]!r}?" if close else "import the package that registers it first"
        raise ValueError(f"environment: gymnasium knows none called {environment!r}; {hint}")
    return gymnasium.registry[environment]


def _frozen_options(options: Any) -> tuple[tuple[str, Any], ...]:
    """Return pairs, or a dict, as sorted pairs that can be hashed: lists, as JSON gives, become tuples."""
    pairs = options.items() if isinstance(options, dict) else options
    try:
        frozen = tuple(sorted((str(name), _frozen(value)) for name, value in pairs))
        hash(frozen)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"options: expected (name, value) pairs, values numbers, words, booleans or lists of them, got {options!r}"
        ) from error
    return frozen


def _frozen(value: Any) -> Any:
    return tuple(_frozen(one) for one in value) if isinstance(value, list | tuple) else value
