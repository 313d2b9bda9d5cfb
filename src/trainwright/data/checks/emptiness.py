"""Splits whose pictures hold nothing that can be learned, or nothing that can be scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from trainwright.data.checks.finding import Example, Finding, Severity
from trainwright.data.checks.subject import CheckedColumn, Rows, Subject
from trainwright.data.types import BadSample

_READ = 2000  # samples that are encoded anew where no values are stored
_SCORES = {"mask": "miou", "keypoints": "pck", "boxes3d": "map3d"}
_WHAT = {
    "mask": "a pixel of a class",
    "keypoints": "an object with an annotated point",
}


def find(subject: Subject) -> Iterator[Finding]:
    """Of all targets whose annotations may be empty: objects, points and masks."""
    for column in subject.columns:
        holds = getattr(column.processor, "holds_truth", None)
        if not column.is_target or holds is None:
            continue
        for split, rows in subject.splits.items():
            if len(rows) and _nothing(column, rows, holds):
                yield _finding(column, split, len(rows))


def _nothing(column: CheckedColumn, rows: Rows, holds: Callable[[np.ndarray], bool]) -> bool:
    """Whether no row holds anything; False where there are too many to be read."""
    if column.stored is not None:
        return not any(holds(np.asarray(column.stored[row])) for row in rows.tolist())
    if len(rows) > _READ:
        return False
    return not any(_holds_raw(column, row, holds) for row in rows.tolist())


def _holds_raw(column: CheckedColumn, row: int, holds: Callable[[np.ndarray], bool]) -> bool:
    try:
        return holds(column.processor.encode(column.values[row]))
    except BadSample:
        return False


def _finding(column: CheckedColumn, split: str, count: int) -> Finding:
    what = _WHAT.get(column.type, "an object")
    whole = f"samples are all that {split} has, and none holds {what} for target {column.name}"
    example = [Example(column.where, f"{split} has none", -1)]
    if split == "train":
        return Finding(
            "emptiness",
            Severity.ERROR,
            count,
            whole,
            "there is nothing to learn",
            "look at the annotations, at `classes` and at what is left out (`others`, `crowd`, `min_size`), "
            "or train on pictures that hold some",
            example,
        )
    return Finding(
        "emptiness",
        Severity.WARNING,
        count,
        whole,
        f"metrics such as {_SCORES.get(column.type, 'map')} cannot be computed there and are NaN",
        "move pictures that hold some there, for example with another data.split.seed",
        example,
    )
