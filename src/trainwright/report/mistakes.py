"""The samples that a model is most wrong about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.metrics.arrays import Ints

SHOWN = 24


@dataclass(frozen=True)
class Mistake:
    """One sample.

    Attributes:
        sample: Its name.
        row: Row of the prepared data, -1 where it is not known.
        true: True class, or true value.
        predicted: Predicted class, or value.
        loss: Its loss, NaN where it was not kept.
        probability: Stated probability of the predicted class; of a number, NaN.
        pictures: How many stand side by side in its picture.
    """

    sample: str
    row: int
    true: Any
    predicted: Any
    loss: float
    probability: float = float("nan")
    pictures: int = 1

    def as_json(self) -> dict[str, Any]:
        """The same as a mapping."""
        return {name: value for name, value in vars(self).items() if name != "pictures"}


def worst_mistakes(target: str, columns: dict[str, Any], wrong: Ints, limit: int = SHOWN) -> list[Mistake]:
    """The wrongly predicted samples of the largest loss, or of the largest probability without losses.

    Args:
        target: A category target.
        columns: All columns of the split.
        wrong: Places of the wrong samples in the columns.
        limit: How many.
    """
    probability = columns[f"{target}_probability"]
    loss = columns.get(f"{target}_loss", np.full(len(probability), np.nan))
    rank = loss[wrong] if np.isfinite(loss[wrong]).any() else probability[wrong]
    # A NaN loss is the worst of all.
    order = np.argsort(-np.where(np.isnan(rank), np.inf, rank), kind="stable")[:limit]
    return [
        Mistake(
            sample=sample_name(columns, place),
            row=sample_row(columns, place),
            true=columns[target][place],
            predicted=columns[f"{target}_predicted"][place],
            loss=float(loss[place]),
            probability=float(probability[place]),
        )
        for place in wrong[order].tolist()
    ]


def poor_picture(target: str, columns: dict[str, Any], place: int, score: str, pictures: int) -> Mistake:
    """A picture whose answer is a picture too, and how poor that is.

    Args:
        target: The target.
        columns: All columns of the split.
        place: The picture's in the columns.
        score: Ending of the column that says how good each answer is, such as `psnr`.
        pictures: How many stand side by side in its strip.
    """
    loss = columns.get(f"{target}_loss")
    return Mistake(
        sample=sample_name(columns, place),
        row=sample_row(columns, place),
        true=None,
        predicted=float(columns[f"{target}_{score}"][place]),
        loss=float("nan") if loss is None else float(loss[place]),
        pictures=pictures,
    )


def sample_name(columns: dict[str, Any], place: int) -> str:
    """What the sample is called; its place in the table where it has no name."""
    names = columns.get("sample")
    return str(names[place]) if names is not None else f"#{place}"


def sample_row(columns: dict[str, Any], place: int) -> int:
    """The sample's row in the prepared data, or -1."""
    rows = columns.get("row")
    return int(rows[place]) if rows is not None else -1
