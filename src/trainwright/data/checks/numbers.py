"""Numbers that carry nothing, or that lie far from all others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import CheckedColumn, Subject

_FAR = 20.0  # interquartile ranges beyond the quartiles: 27 standard deviations of a normal distribution
_LOOKED_AT = 1_000_000


def find(subject: Subject) -> Iterator[Finding]:
    """Findings on every column of every number that is stored."""
    for column in subject.of_type("number"):
        if column.stored is None or not len(subject.rows):
            continue
        stored = column.stored.reshape(len(column.stored), -1)
        rows = subject.sample(subject.rows, _LOOKED_AT)
        for place in range(stored.shape[1]):
            name = column.parts[place] if place < len(column.parts) else column.name
            yield from _of_one(subject, column, name, place, rows, stored[rows, place])


def _of_one(
    subject: Subject,
    column: CheckedColumn,
    name: str,
    place: int,
    rows: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
) -> Iterator[Finding]:
    finite = np.isfinite(values)
    if not finite.all():
        yield Finding(
            "numbers",
            Severity.ERROR,
            int((~finite).sum()),
            f"values of column {name} are NaN or infinite after normalisation",
            why="one of them makes the loss NaN",
            fix="mend them, or set missing: mean",
            examples=_examples(subject, column, place, rows[~finite]),
        )
    low, high = values[finite].min(initial=np.inf), values[finite].max(initial=-np.inf)
    if low == high and finite.sum() > 1:
        yield Finding(
            "numbers",
            Severity.ERROR if column.is_target else Severity.WARNING,
            int(finite.sum()),
            f"values of {'target' if column.is_target else 'column'} {name} are all the same",
            why="any constant answer is right" if column.is_target else "nothing can be learned from it",
            fix=f"remove it from {column.where}",
        )
        return
    first, third = np.quantile(values[finite], [0.25, 0.75]) if finite.any() else (0.0, 0.0)
    spread = _FAR * (third - first)
    far = finite & ((values < first - spread) | (values > third + spread))
    if spread > 0 and far.any():
        yield Finding(
            "numbers",
            Severity.WARNING,
            int(far.sum()),
            f"values of column {name} lie more than {_FAR:g} interquartile ranges from the rest",
            why="a wrong unit or a mark for `missing` (-999) would look so; one of them can rule the loss",
            fix="mend them, name the mark as missing_values of the table, or set normalise: robust or log",
            examples=_examples(subject, column, place, rows[far]),
        )


def _examples(
    subject: Subject, column: CheckedColumn, place: int, rows: npt.NDArray[np.int64]
) -> list[Example]:
    return shown(
        Example(subject.names[row], str(_number(column.values[int(row)], place))[:80], int(row))
        for row in rows
    )


def _number(value: Any, place: int) -> Any:
    """The one number that is meant, of a row that has several."""
    numbers = np.ravel(value)
    return numbers[place] if place < numbers.size and np.ndim(value) else value
