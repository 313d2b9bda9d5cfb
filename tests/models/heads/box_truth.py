"""Targets that the tests of all heads for boxes share."""

from __future__ import annotations

import math

import torch

SIZE, STRIDES = (64, 96), (8, 16, 32)


def features(batch=2, seed=0, width=16):
    """Maps of random numbers."""
    draw = torch.Generator().manual_seed(seed)
    return [torch.randn(batch, width, SIZE[0] // s, SIZE[1] // s, generator=draw) for s in STRIDES]


def truth():
    """Two images of two boxes each, and a row of padding."""
    boxes = torch.tensor([[[4.0, 4, 30, 28], [50, 10, 90, 60], [0, 0, 0, 0]]] * 2)
    boxes[1, 1] = torch.tensor([20.0, 20, 34, 40])
    return {"boxes": boxes, "labels": torch.tensor([[0, 2, -1], [1, 1, -1]])}


BAD = {
    "no rows": (torch.zeros(2, 0, 4), torch.zeros(2, 0, dtype=torch.long)),
    "only padding": (torch.zeros(2, 3, 4), torch.full((2, 3), -1)),
    "no area": (torch.full((2, 3, 4), 12.0), torch.zeros(2, 3, dtype=torch.long)),
    "inside out": (torch.tensor([40.0, 40, 8, 8]).expand(2, 3, 4), torch.zeros(2, 3, dtype=torch.long)),
    "huge": (torch.tensor([-1e30, -1e30, 1e30, 1e30]).expand(2, 3, 4), torch.zeros(2, 3, dtype=torch.long)),
    "not a number": (torch.full((2, 3, 4), math.nan), torch.zeros(2, 3, dtype=torch.long)),
    "outside": (torch.tensor([-90.0, -90, -50, -50]).expand(2, 3, 4), torch.ones(2, 3, dtype=torch.long)),
    "unknown class": (torch.tensor([4.0, 4, 40, 40]).expand(2, 3, 4), torch.full((2, 3), 7)),
}
