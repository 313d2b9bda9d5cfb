"""Losses: plain functions `(output, target, class_weights, spec) -> [B]`, one loss value per sample.

| Target       | `output`         | `target`                                                     |
|--------------|------------------|--------------------------------------------------------------|
| category     | logits `[B, C]`  | class ids int64 `[B]`, or probabilities `[B, C]` of soft labels |
| categories   | logits `[B, C]`  | 0 or 1 per class `[B, C]`                                    |
| number       | floats `[B, K]`  | floats `[B, K]`                                              |
| distribution | logits `[B, K]`  | probabilities of the bins `[B, K]`                           |
| mask         | logits `[B, C, H, W]` | class ids `[B, H, W]`, `reduction.VOID` where a pixel has none |
| image        | normalised pixels `[B, C, H, W]` | the same                                     |

`class_weights` is a tensor `[C]` or None and weighs each sample, or pixel, by its true class. `spec`, the
target's `TensorSpec`, is given where the signature asks for it. Nothing is averaged over the batch: the
task does that, so that per-sample histories and uneven last batches come out right.

Every module says in `TARGETS` which column types its loss suits.
"""

from __future__ import annotations

from typing import Any

DEFAULTS = {
    "category": "cross_entropy",
    "categories": "bce",
    "number": "mse",
    "distribution": "cross_entropy",
    "mask": "cross_entropy",
    "image": "mae",
}

RAW_SCORES = ("cross_entropy", "focal", "crps", "expected_value")
"""Losses with a softmax of their own, which a model should not end in."""

LEAST_TARGET = {"poisson": 0.0}
"""Losses that make no sense of targets below a number, of the values that the loss is given."""


def default_loss(type: str) -> dict[str, Any]:
    """The loss of a target column when the recipe names none.

    Args:
        type: The column's type, one of `DEFAULTS`.

    Returns:
        A component mapping, to be validated like one from a recipe.

    Raises:
        KeyError: The type has no loss of its own.
    """
    return {"name": DEFAULTS[type]}
