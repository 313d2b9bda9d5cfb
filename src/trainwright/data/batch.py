"""One micro-batch, ready for the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(slots=True)
class Batch:
    """One micro-batch on the device of the model.

    Attributes:
        inputs: Column -> tensor `[B, ...]`, ready for the model.
        targets: Column -> tensor `[B, ...]`.
        ids: Row numbers, int64 `[B]`; the address of each sample.
        epoch: Epoch the batch belongs to.
        weights: Weight of each sample in the loss, float32 `[B]`; None where all are 1.
    """

    inputs: dict[str, Tensor]
    targets: dict[str, Tensor]
    ids: np.ndarray
    epoch: int = 0
    weights: Tensor | None = None

    def __len__(self) -> int:
        return len(self.ids)


def laid_out(images: Tensor, *, channels_last: bool) -> Tensor:
    """Images `[B, C, H, W]` in a memory format, with the very strides of that format.

    The strides of an axis of size 1 are open, and both formats of a grey image are the same memory. But
    kernels are chosen by strides, and two kernels may differ in the last bit: so the strides are settled.
    """
    format = torch.channels_last if channels_last else torch.contiguous_format
    _, channels, height, width = images.shape
    size = channels * height * width
    strides = (size, 1, width * channels, channels) if channels_last else (size, height * width, width, 1)
    moved = images.contiguous(memory_format=format)
    return moved if moved.stride() == strides else moved.as_strided(moved.shape, strides)
