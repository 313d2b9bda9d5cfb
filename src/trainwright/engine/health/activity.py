"""Which units of a network never become active."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

_RECTIFIERS = (nn.ReLU, nn.ReLU6)
# Of fewer samples, units that only some classes need look dead.
_LEAST = 16


class Activity:
    """Looks at the outputs of rectifiers in one batch of a scoring, and computes none of them anew.

    Args:
        model: The model.
    """

    def __init__(self, model: nn.Module) -> None:
        self._layers = {name: part for name, part in model.named_modules() if isinstance(part, _RECTIFIERS)}
        self._dead: dict[str, Tensor] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Within it, the first batch is looked at."""
        self._dead.clear()
        handles = [
            part.register_forward_hook(partial(self._look, name)) for name, part in self._layers.items()
        ]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def shares(self) -> dict[str, float]:
        """Share of units (channels of maps) that gave nothing for any sample, by layer; once."""
        found = {name: float(dead) for name, dead in self._dead.items()}
        self._dead.clear()
        return found

    @torch.no_grad()
    def _look(self, name: str, part: nn.Module, inputs: Any, output: Any) -> None:
        if name in self._dead or not isinstance(output, Tensor) or output.dim() < 2 or len(output) < _LEAST:
            return
        # A rectifier that is called several times counts as a layer once, by its first call.
        others = [axis for axis in range(output.dim()) if axis != 1]
        self._dead[name] = (output.amax(dim=others) <= 0).float().mean()
