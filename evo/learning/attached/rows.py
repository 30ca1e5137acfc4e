"""How many cases a layer gave and its readers were given: whether units were read by those who are known alone.

A forward is traced once; a network may be run in other ways later: by another method, or with other arguments. What was
read there is not known, but it shows: the layer gave more cases than a reader was given.
"""

from __future__ import annotations

import contextlib
import weakref
from typing import Any, final

import torch
from torch import nn

from evo.learning.attached.units import Units, dimensions


@final
class Tally:
    """How many cases one module gave or was given since the last step, in passes in training mode and with gradients.

    With checkpointing a pass is made again while gradients are computed: of the counts outside and inside of that, the
    larger one holds.

    Args:
        name: of the module.
        incoming: the layer that makes the units; whether it is in training mode is what counts.
    """

    def __init__(self, name: str, incoming: nn.Module) -> None:
        self.name, self.incoming = name, incoming
        self.clear()

    def clear(self) -> None:
        """Forget all passes."""
        self.first, self.again = 0, 0

    @property
    def cases(self) -> int:
        """How many cases there were."""
        return max(self.first, self.again)

    def add(self, cases: int) -> None:
        """Count cases, if this is a pass that counts."""
        if not self.incoming.training or not torch.is_grad_enabled():
            return
        if not torch.compiler.is_compiling() and torch._C._current_graph_task_id() != -1:
            self.again += cases
        else:
            self.first += cases


@final
class Rows:
    """The cases of a layer and of all its readers.

    Args:
        network: with the modules that `units` names.
        units: whose cases are counted.
    """

    def __init__(self, network: nn.Module, units: Units) -> None:
        incoming = network.get_submodule(units.incoming)
        self.made = Tally(units.incoming, incoming)
        self.read = [Tally(name, incoming) for name in units.outgoing]
        self.handles = [incoming.register_forward_hook(Count(self.made, after=True), with_kwargs=True)]
        for tally in self.read:
            hook = Count(tally, after=False)
            self.handles.append(network.get_submodule(tally.name).register_forward_pre_hook(hook, with_kwargs=True))

    def detach(self) -> None:
        """Remove all hooks."""
        for handle in self.handles:
            handle.remove()
        self.handles.clear()

    def clear(self) -> None:
        """Forget all passes."""
        for tally in (self.made, *self.read):
            tally.clear()

    def check(self) -> None:
        """Make sure that every reader was given all cases.

        Raises:
            RuntimeError: one was not.
        """
        for read in self.read:
            if read.cases != self.made.cases:
                raise RuntimeError(
                    f"NeuronReplacement.step: {self.made.name!r} gave {self.made.cases} cases since the last step, but "
                    f"{read.name!r}, which reads it where the forward was traced, was given {read.cases}: the network "
                    f"was run in another way (another method, an optional argument, a pass that was broken off), so "
                    f"who reads its units is not known. Nothing was replaced. Name all that read them: "
                    f"units=[Units(incoming={self.made.name!r}, outgoing=[{read.name!r}, ...])], with Units from "
                    f"evo.learning.attached.units"
                )


@final
class Count:
    """A forward hook, or pre-hook, that keeps a `Tally`; a copy's does nothing, and needs nothing of this package."""

    def __init__(self, tally: Tally, after: bool) -> None:
        self.tally, self.after = weakref.ref(tally), after

    def __call__(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any = None) -> None:
        """Count the cases in what the module gave or is given, if that is still wanted."""
        tally = self.tally()
        if tally is not None:
            tally.add(_cases(module, output if self.after else args[0] if args else next(iter(kwargs.values()))))

    def __reduce__(self) -> tuple[Any, ...]:
        # a function of Python's own that takes anything and returns None
        return getattr, (contextlib.nullcontext(), "__exit__")


def _cases(module: nn.Module, values: torch.Tensor) -> int:
    """Return how many cases there are in what a layer gives or is given: of maps, how many; else rows."""
    spatial = dimensions(module)
    if spatial:
        return len(values) if values.dim() == spatial + 2 else 1
    return values.numel() // max(1, values.shape[-1])
