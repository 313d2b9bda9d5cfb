"""What the augmentations of signals share."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Augment


class SignalAugment(Augment):
    """Varies stored signals, float32 `[B, C, T]` or `[B, C, bands, T]`: time is the last axis."""

    types: ClassVar[frozenset[str]] = frozenset({"series", "audio"})


def per_sample(values: np.ndarray, like: Tensor) -> Tensor:
    """A number per sample, `[B]`, that broadcasts over `like`."""
    shape = (-1, *(1 for _ in range(like.dim() - 1)))
    return torch.from_numpy(values.astype(np.float32)).to(like.device).view(shape)


def masked(signals: Tensor, axis: int, starts: np.ndarray, widths: np.ndarray) -> Tensor:
    """Signals with a band along an axis set to their own mean, as SpecAugment does.

    Args:
        signals: `[B, ...]`.
        axis: The axis, counted from the end.
        starts: First place of the band per sample, `[B]`.
        widths: Its length, `[B]`; 0 changes nothing.
    """
    shape = [1] * signals.dim()
    shape[axis] = -1
    places = torch.arange(signals.shape[axis], device=signals.device).view(shape)
    begin, end = per_sample(starts, signals), per_sample(starts + widths, signals)
    mean = signals.mean(dim=tuple(range(1, signals.dim())), keepdim=True)
    return torch.where((places >= begin) & (places < end), mean, signals)


def bands(draws: np.ndarray, longest: float, length: int) -> tuple[np.ndarray, np.ndarray]:
    """First places and lengths of random bands: lengths evenly from 0 to `longest * length`.

    Args:
        draws: Numbers in [0, 1), `[B, 2]`.
        longest: Largest share of the axis.
        length: Of the axis.
    """
    widths = np.floor(draws[:, 0] * (np.floor(longest * length) + 1))
    starts = np.floor(draws[:, 1] * (length - widths + 1))
    return starts, widths
