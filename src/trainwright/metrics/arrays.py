"""Tensors or arrays in, NumPy arrays out; logits in, probabilities out. No torch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.int64]


def floats(values: Any) -> Floats:
    """A float array, sharing memory with a float32 or float64 CPU tensor."""
    if hasattr(values, "detach"):
        values = values.detach()
        # NumPy has no bfloat16, and half floats would lose digits in sums.
        values = values if values.element_size() >= 4 and values.is_floating_point() else values.float()
    array = np.asarray(values)
    return array if array.dtype in (np.float32, np.float64) else array.astype(np.float32)


def ids(values: Any) -> Ints:
    """An int64 array of class ids."""
    return np.asarray(values.detach() if hasattr(values, "detach") else values).astype(np.int64, copy=False)


def log_softmax(logits: Floats) -> Floats:
    """Logarithms of the class probabilities `[N, C]`.

    The logarithm ranks samples further than the probability does: float32 probabilities run into 1.0.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def softmax(logits: Floats) -> Floats:
    """Class probabilities `[N, C]`."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers


def predicted_ids(output: Floats) -> Ints:
    """The class with the highest output per sample `[N]`, -1 (never right) where an output is NaN."""
    predicted = output.argmax(axis=1)
    # argmax returns a NaN's place, so that only rows whose maximum is NaN need a look.
    broken = np.isnan(output[np.arange(len(output)), predicted])
    if broken.any():
        predicted = np.where(broken, -1, predicted)
    return predicted


def finite_mean(values: Floats) -> float:
    """The mean of the values that are not NaN, or NaN where there are none."""
    kept = values[~np.isnan(values)]
    return float(kept.mean()) if kept.size else float("nan")
