"""The default random generators, set to an address before every forward pass.

Layers such as dropout read torch's default generator. Setting it from (seed, step, phase,
micro-batch, rank) makes what they draw a function of that address, so nothing has to be saved.
"""

from __future__ import annotations

import random

import numpy as np
import torch

_MASK = (1 << 64) - 1
# Odd constants of 64 bits, one per part of an address, so that no two nearby addresses meet.
_WEIGHTS = (
    0x9E3779B97F4A7C15,
    0xD1B54A32D192ED03,
    0x8CB92BA72F3D8DD7,
    0xABC98388FB8FAC03,
    0x99BCF6822B23CA35,
)


def mix(*parts: int) -> int:
    """A 63-bit number from up to five whole numbers: SplitMix64 (Steele et al., 2014) of their sum.

    Parts that are left out count as 0.
    """
    if len(parts) > len(_WEIGHTS):
        raise ValueError(f"an address has at most {len(_WEIGHTS)} parts, not {len(parts)}")
    state = sum(part * weight for part, weight in zip(parts, _WEIGHTS, strict=False)) & _MASK
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return (state ^ (state >> 31)) >> 1


def seed_generators(*address: int) -> None:
    """Sets torch's (CPU and current CUDA device), NumPy's and Python's default generators."""
    number = mix(*address)
    torch.default_generator.manual_seed(number)
    np.random.seed(number & 0xFFFFFFFF)
    random.seed(number)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed(number)
