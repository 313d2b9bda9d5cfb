"""Boundary F score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trainwright.metrics.arrays import ids
from trainwright.metrics.class_maps import averaged

GREATER_IS_BETTER = {"boundary_f": True}
TARGETS = ("mask",)


def boundary_f(
    output: Any, target: Any, classes: Sequence[str] | None = None, *, per_class: bool = False
) -> dict[str, float]:
    """How well the outlines of each class's regions are met, within the tolerance in pixels of the head.

    Csurka et al., BMVC 2013, with precision and recall over the whole split instead of picture by picture:
    precision is the share of the predicted boundary pixels that have a true one of their class within the
    tolerance (`boundary_tolerance` of the head `dense`), recall the share of the true ones that have a
    predicted one.

    Args:
        output: `boundary` `[N, C, 4]`: predicted pixels that are met, predicted, true that are met, true.
        target: Not used.
        classes: Names of the classes; their ids when absent.
        per_class: Adds the value of each class.

    Returns:
        `boundary_f` in 0..1, the mean over the classes that have a boundary in truth or prediction, NaN
        without any; `boundary_f.<class>`.
    """
    met, predicted, found, true = np.moveaxis(ids(output["boundary"]).sum(axis=0), 1, 0)
    precision, recall = (met / np.maximum(predicted, 1), found / np.maximum(true, 1))
    both = precision + recall
    values = np.divide(2 * precision * recall, both, out=np.zeros_like(both), where=both > 0)
    values = np.where(predicted + true > 0, values, np.nan)
    return averaged("boundary_f", "boundary_f", values, classes, per_class)
