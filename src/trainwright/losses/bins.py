"""Where the bins of a distribution lie."""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor

from trainwright.data.types import TensorSpec


def places(spec: TensorSpec, output: Tensor) -> Tensor:
    """Edges of the bins, the first moved to 0 and the last to 1: float32 `[K + 1]`."""
    return _places(spec.edges, output.device)


def widths(edges: Tensor) -> Tensor:
    """Widths of the bins `[K]`."""
    return edges[1:] - edges[:-1]


@lru_cache(maxsize=8)
def _places(edges: tuple[float, ...], device: torch.device) -> Tensor:
    exact = torch.tensor(edges, dtype=torch.float64)
    # A plain tensor even when first asked for in inference mode, where autograd could not save it.
    with torch.inference_mode(False):
        return ((exact - exact[0]) / (exact[-1] - exact[0])).to(device, torch.float32)
