"""One micro-batch, ready for the model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(slots=True)
class Batch:
    """One micro-batch on the device of the model.

    Attributes:
        inputs: Column -> tensor `[B, ...]`, ready for the model.
        targets: Column -> tensor `[B, ...]`.
        ids: Row numbers, int64 `[B]`; the address of each sample.
        epoch: Epoch the batch belongs to.
    """

    inputs: dict[str, Tensor]
    targets: dict[str, Tensor]
    ids: np.ndarray
    epoch: int = 0

    def __len__(self) -> int:
        return len(self.ids)
