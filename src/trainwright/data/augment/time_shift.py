"""Move signals in time."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Address, to_index
from trainwright.data.augment.signals import SignalAugment
from trainwright.fields import Fraction


class TimeShift(SignalAugment):
    """Moves each signal earlier or later by a random number of steps.

    Args:
        largest: Greatest shift as a share of the length.
        fill: What comes in at the end: the end's own value repeated, or what left at the other end.
    """

    def __init__(self, *, largest: Fraction = 0.1, fill: Literal["edge", "wrap"] = "edge") -> None:
        self.largest, self.fill = largest, fill

    def __call__(self, signals: Tensor, address: Address) -> Tensor:
        """Signals of the same shape."""
        length = signals.shape[-1]
        most = int(self.largest * length)
        shift = to_index(np.floor(address.uniform(1)[:, 0] * (2 * most + 1)) - most, signals.device)
        places = torch.arange(length, device=signals.device)[None, :] - shift[:, None]
        places = places.remainder(length) if self.fill == "wrap" else places.clamp(0, length - 1)
        index = places.view(len(signals), *([1] * (signals.dim() - 2)), length).expand(signals.shape)
        return signals.gather(-1, index)
