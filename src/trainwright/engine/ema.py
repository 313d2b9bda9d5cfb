"""Exponential moving average of the weights (Polyak and Juditsky, 1992)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn


class Ema:
    """Averages every floating-point parameter; buffers are taken as they are.

    Args:
        model: The model whose parameters are averaged.
        decay: Share of the old average that is kept in each step.
        warmup: Use `min(decay, (1 + step) / (10 + step))`, so that the start is forgotten sooner.
    """

    def __init__(self, model: nn.Module, *, decay: float, warmup: bool) -> None:
        self.decay, self.warmup, self.step = decay, warmup, 0
        self.names = [name for name, p in model.named_parameters() if p.is_floating_point()]
        self._parameters = [p for p in model.parameters() if p.is_floating_point()]
        self.averages = [p.detach().clone() for p in self._parameters]

    @torch.no_grad()
    def update(self) -> None:
        """Moves the averages towards the present weights."""
        keep = min(self.decay, (1 + self.step) / (10 + self.step)) if self.warmup else self.decay
        self.step += 1
        present: list[Tensor] = [p.detach() for p in self._parameters]
        torch._foreach_lerp_(self.averages, present, 1.0 - keep)

    @torch.no_grad()
    def restart(self) -> None:
        """Begins anew from the model's present weights."""
        self.step = 0
        for average, parameter in zip(self.averages, self._parameters, strict=True):
            average.copy_(parameter)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights inside this context."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    @torch.no_grad()
    def _swap(self) -> None:
        for parameter, average in zip(self._parameters, self.averages, strict=True):
            held = parameter.detach().clone()
            parameter.copy_(average)
            average.copy_(held)

    def state_dict(self) -> dict[str, Any]:
        """The averages by parameter name, and the step count of the warm-up."""
        return {"step": self.step, "averages": dict(zip(self.names, self.averages, strict=True))}

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts the averages back."""
        self.step = state["step"]
        for name, average in zip(self.names, self.averages, strict=True):
            average.copy_(state["averages"][name])
