"""Columns of the table of predictions for targets that are one vector per sample. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def category_columns(
    name: str,
    classes: Sequence[str],
    probabilities: np.ndarray,
    *,
    true: np.ndarray | None = None,
    loss: np.ndarray | None = None,
) -> dict[str, Any]:
    """The columns of one category target.

    Args:
        name: The target.
        classes: Names of its classes, in the order of their ids.
        probabilities: `[N, C]`.
        true: Class ids `[N]`, -1 where unknown; None leaves the column out, as for new files.
        loss: Loss per sample `[N]`.
    """
    names = np.array([*classes, None], dtype=object)
    # A NaN row's argmax would name some class; -1 picks the None at the end.
    best = np.where(np.isnan(probabilities).any(axis=1), -1, probabilities.argmax(axis=1))
    columns: dict[str, Any] = {} if true is None else {name: names[true].tolist()}
    columns[f"{name}_predicted"] = names[best].tolist()
    columns[f"{name}_probability"] = probabilities[np.arange(len(best)), np.maximum(best, 0)]
    columns[f"{name}_probabilities"] = probabilities
    if loss is not None:
        columns[f"{name}_loss"] = loss
    return columns


def categories_columns(
    name: str,
    classes: Sequence[str],
    probabilities: np.ndarray,
    *,
    true: np.ndarray | None = None,
    loss: np.ndarray | None = None,
) -> dict[str, Any]:
    """The columns of one target of any number of classes per sample.

    Args:
        name: The target.
        classes: Names of its classes, in the order of their ids.
        probabilities: `[N, C]`, each class for itself; above one half it is predicted.
        true: Memberships `[N, C]`, 0 or 1; None leaves the column out.
        loss: Loss per sample `[N]`.
    """
    names = np.array(classes, dtype=object)
    known = ~np.isnan(probabilities).any(axis=1)
    columns: dict[str, Any] = {} if true is None else {name: [names[row > 0.5].tolist() for row in true]}
    columns[f"{name}_predicted"] = [
        names[row > 0.5].tolist() if there else None for row, there in zip(probabilities, known, strict=True)
    ]
    columns[f"{name}_probabilities"] = probabilities
    if loss is not None:
        columns[f"{name}_loss"] = loss
    return columns


def number_columns(
    name: str, predicted: np.ndarray, *, true: np.ndarray | None = None, loss: np.ndarray | None = None
) -> dict[str, Any]:
    """The columns of one number target.

    Args:
        name: The target.
        predicted: In the target's own unit `[N]` or `[N, K]`; one value a sample is stored plainly.
        true: The same, NaN where unknown; None leaves the column out.
        loss: Loss per sample `[N]`.
    """
    columns: dict[str, Any] = {} if true is None else {name: _plain(true)}
    columns[f"{name}_predicted"] = _plain(predicted)
    if loss is not None:
        columns[f"{name}_loss"] = loss
    return columns


def distribution_columns(
    name: str,
    predicted: np.ndarray,
    probabilities: np.ndarray,
    *,
    true: np.ndarray | None = None,
    below: np.ndarray | None = None,
    crps: np.ndarray | None = None,
    loss: np.ndarray | None = None,
) -> dict[str, Any]:
    """The columns of one target that is a distribution over bins.

    Args:
        name: The target.
        predicted: Expectation, or median, in the number's own unit `[N]`.
        probabilities: Of the bins `[N, K]`.
        true: The number `[N]`, NaN where unknown; None leaves the column out.
        below: Probability that was given to numbers below the true one `[N]`, likewise.
        crps: Continuous ranked probability score in the number's own unit `[N]`, likewise.
        loss: Loss per sample `[N]`.
    """
    columns = number_columns(name, predicted, true=true)
    if below is not None:
        columns[f"{name}_below"] = below
    if crps is not None:
        columns[f"{name}_crps"] = crps
    columns[f"{name}_distribution"] = probabilities
    if loss is not None:
        columns[f"{name}_loss"] = loss
    return columns


def _plain(values: np.ndarray) -> np.ndarray:
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values
