"""An optimizer step without what training does not need: 10 to 25 microseconds, and a second at the start.

PyTorch imports its compiler, a second of CPU time, as soon as an optimizer is made, cleared or stepped, and
each of these calls passes through profiling and compiler wrappers. Neither changes a single bit of the
result. Everything here falls back to the ordinary way where PyTorch is built differently.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable

import torch

_MARK = "__dynamo_disable"  # where PyTorch itself keeps the function that calls go to


def spare_compiler_import() -> None:
    """Keeps making, clearing, saving and loading an optimizer from importing torch._dynamo.

    Not to be called by a run that compiles its optimizer step; compiling the model is unaffected.
    """
    for function in vars(torch.optim.Optimizer).values():
        if inspect.isfunction(function) and function.__code__.co_filename.endswith("_compile.py"):
            inner = getattr(function, "__wrapped__", None)
            if inner is not None and not hasattr(inner, _MARK):
                setattr(inner, _MARK, inner)


def lean_step(optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    """A function that updates the parameters exactly as `optimizer.step()` does.

    Args:
        optimizer: Used as it is at every call: its groups and state may change in between. Hooks on it
            that are there already are honoured, later ones are not.
    """
    hooks = (optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks)
    update = inspect.unwrap(type(optimizer).step)
    if any(hooks) or optimizer.defaults.get("differentiable"):
        return lambda: _ignore(optimizer.step())
    bound = functools.partial(update, optimizer)

    @torch.no_grad()
    def step() -> None:
        bound()

    return step


def _ignore(_: object) -> None:
    """Drops a loss that nobody asked for."""


def gradient_cleaner(optimizer: torch.optim.Optimizer) -> Callable[[], None]:
    """A function that does what `optimizer.zero_grad()` does: gradients become None."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def clear() -> None:
        for parameter in parameters:
            parameter.grad = None

    return clear
