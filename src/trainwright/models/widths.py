"""How many numbers a model gives for a target that is one vector per sample."""

from __future__ import annotations

from trainwright.data.types import TensorSpec

VECTORS = ("category", "categories", "number", "distribution")
"""Column types whose answer is one vector per sample; a model answers all of them side by side."""


def output_width(spec: TensorSpec) -> int:
    """Numbers that a model gives for a target: one per class, per bin, or per number."""
    if spec.type == "category":
        return len(spec.classes)
    return max(1, spec.shape[0] if spec.shape else 1)
