"""Losses: plain functions `(output, target, class_weights, spec) -> [B]`, one loss value per sample.

A category's output holds logits `[B, C]` and its target class ids int64 `[B]` (or, for soft labels,
probabilities `[B, C]`); of several classes at once both are `[B, C]`, the target 0 or 1; a number's output
and target are both floats `[B, K]`. A mask's logits are `[B, C, H, W]`, its class ids `[B, H, W]`,
`reduction.VOID` where a pixel has no class. `class_weights` is a tensor `[C]` or None and weighs each sample,
or pixel, by its true class. `spec`, the target's `TensorSpec`, is given where the signature asks for it.
Nothing is averaged over the batch: the task does that, so that per-sample histories and uneven last batches
come out right.

Every module says in `TARGETS` which column types its loss suits.
"""

from __future__ import annotations

from typing import Any

DEFAULTS = {"category": "cross_entropy", "categories": "bce", "number": "mse", "mask": "cross_entropy"}

RAW_SCORES = ("cross_entropy", "focal")
"""Losses with a softmax of their own, which a model should not end in."""


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
