"""Episodes of a control problem with a whole population: one fused kernel on the CPU, torch on any device."""

from __future__ import annotations

import numpy as np
import torch

from evo.control import ControlProblem
from evo.evaluation.dead_ends import without_dead_ends
from evo.evaluation.stepping import Stepper
from evo.evaluation.threads import share
from evo.networks import Networks

LANES = 64
"""Compiled blocks hold a multiple of this many lanes, four 512-bit vectors, the width that ran fastest per lane ..."""
NARROW = (16, 32)
"""... or so few where no more are wanted."""
CHECK_EVERY = 50
"""Steps between looks, on the CPU, at whether any episode still runs."""


def play(
    problem: ControlProblem, networks: Networks, start: torch.Tensor, scale: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return total rewards and lengths in steps, both `[n, lanes]` float32, of one episode per network and lane.

    Args:
        problem: the physics.
        networks: n controllers.
        start: `[states, lanes]` float32, where each lane's episode starts.
        scale: `[lanes]` what each lane's weighted sums are multiplied with: its shared weight, or 1.
    """
    if networks.execution.engine == "compiled" and networks.device.type == "cpu":
        return _compiled(problem, networks, start, scale)
    return _TorchEpisodes(problem, networks, start, scale).play()


def _compiled(
    problem: ControlProblem, networks: Networks, start: torch.Tensor, scale: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    from evo.evaluation.compiled import arrays, episode_kernel_for

    wanted = start.shape[1]
    lanes = block_of(wanted)
    kernel = episode_kernel_for(
        problem.observe, problem.advance, lanes, len(problem.states), networks.inputs, networks.outputs
    )
    repeat = torch.arange(lanes) % wanted  # spare lanes replay the first ones
    starts = np.ascontiguousarray(start[:, repeat].numpy())
    scales = scale[repeat].to(torch.float32).numpy()
    rewards = np.empty((len(networks), lanes), np.float32)
    lengths = np.empty((len(networks), lanes), np.float32)
    networks = without_dead_ends(networks)
    packed = arrays(networks)

    def work(first: int, last: int) -> None:
        values = np.empty((networks.largest, lanes), np.float32)
        kernel(*packed, scales, starts, problem.steps, first, last, values, rewards, lengths)

    share(work, len(networks), networks.execution.threads)
    return torch.from_numpy(rewards[:, :wanted].copy()), torch.from_numpy(lengths[:, :wanted].copy())


def block_of(wanted: int) -> int:
    """Return how many lanes a compiled block for so many episodes has."""
    return next((width for width in NARROW if wanted <= width), -(-wanted // LANES) * LANES)


class _TorchEpisodes:
    """The torch path: everything stays on the device, and no step waits for it; on CUDA, steps are a captured graph."""

    def __init__(self, problem: ControlProblem, networks: Networks, start: torch.Tensor, scale: torch.Tensor) -> None:
        self.problem = problem
        self.stepper = Stepper(networks, scale)
        shape = (len(networks), start.shape[1])
        self.state = [row.to(networks.device).expand(shape).clone() for row in start]
        self.alive = torch.ones(shape, dtype=torch.bool, device=networks.device)
        self.rewards = torch.zeros(shape, device=networks.device)
        self.lengths = torch.zeros(shape, device=networks.device)

    def play(self) -> tuple[torch.Tensor, torch.Tensor]:
        if self.alive.device.type == "cuda":
            self._replay()
        else:
            for number in range(self.problem.steps):
                self._step()
                if number % CHECK_EVERY == 0 and not self.alive.any():
                    break
        return self.rewards, self.lengths

    def _step(self) -> None:
        plan, values = self.stepper.plan, self.stepper.values
        for number, seen in enumerate(self.problem.observe(tuple(self.state))):
            values[plan.inputs[:, number]] = seen
        self.stepper.advance()
        actions = self.stepper.outputs().unbind(1)
        state, reward, done = self.problem.advance(tuple(self.state), tuple(actions))
        for held, new in zip(self.state, state, strict=True):
            held.copy_(new)
        self.rewards += torch.where(self.alive, reward, 0.0)
        self.lengths += self.alive
        self.alive &= ~done

    def _tensors(self) -> list[torch.Tensor]:
        return [*self.state, self.alive, self.rewards, self.lengths, self.stepper.values]

    def _replay(self) -> None:
        """Capture one step as a CUDA graph and replay it: one launch per step, no synchronisation inside an episode."""
        saved = [tensor.clone() for tensor in self._tensors()]
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # capture wants every kernel to have run once
            self._step()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._step()
        for tensor, value in zip(self._tensors(), saved, strict=True):
            tensor.copy_(value)
        for _ in range(self.problem.steps):
            graph.replay()
