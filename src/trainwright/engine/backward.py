"""Backward from a vector of losses, without importing PyTorch's symbolic shapes.

`loss.backward(gradient)` checks the gradient's shape with code whose import costs a third of a second
before the first step. The gradient given here is made from the loss and needs no check. Where PyTorch is
built differently, the ordinary call does the same.
"""

from __future__ import annotations

import importlib
from typing import Any

from torch import Tensor

_engine: Any = getattr(importlib.import_module("torch.autograd.graph"), "_engine_run_backward", None)


def backward(loss: Tensor, gradient: Tensor) -> None:
    """Adds to every leaf's `grad` what `loss.backward(gradient)` would.

    Args:
        loss: Any shape.
        gradient: Of the same shape, dtype and device.
    """
    if _engine is None:
        loss.backward(gradient)
        return
    _engine((loss,), (gradient,), False, False, (), allow_unreachable=True, accumulate_grad=True)
