"""What layers want of the loop besides a loss: penalties on weights, and projections of them."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn

from trainwright.models.graph.network import GraphNetwork


def penalties(model: nn.Module) -> list[Callable[[], Tensor | None]]:
    """Functions whose results, scalars or None, are added to the loss of every step.

    They are the `regularization` methods of all modules that have one; to be asked for once, since
    walking a large model at every step would cost more than the penalties.
    """
    return _methods(model, "regularization", "regularizers")


def projections(model: nn.Module) -> list[Callable[[], None]]:
    """Functions to call after every optimizer step: the `apply_constraints` methods of all modules."""
    return _methods(model, "apply_constraints", "constraints")


def _methods(model: nn.Module, name: str, needs: str) -> list[Callable[[], None]]:
    found = []
    for module in model.modules():
        idle = isinstance(module, GraphNetwork) and not getattr(module, needs)
        method = getattr(module, name, None)
        if callable(method) and not idle:
            found.append(method)
    return found
