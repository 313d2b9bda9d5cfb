"""Labels that are missing for a part of the samples."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.objects import OBJECT_TYPES, Objects


def find(subject: Subject) -> Iterator[Finding]:
    """Samples without any annotated object, and targets of which a part is missing."""
    for column in subject.of_type(*OBJECT_TYPES):
        if column.is_target:
            yield from _without_objects(subject, column)
    for column in subject.columns:
        if column.is_target and isinstance(column.values, np.ndarray) and column.values.dtype.kind == "f":
            yield from _partly_missing(subject, column)


def _without_objects(subject: Subject, column: CheckedColumn) -> Iterator[Finding]:
    empty = [
        int(row)
        for row in subject.rows
        if isinstance(value := column.values[int(row)], Objects) and not len(value)
    ]
    if empty:
        yield Finding(
            "labels",
            Severity.NOTICE,
            len(empty),
            f"of {len(subject.rows)} samples have no object in column {column.name}",
            why="they count as background: everything that is found in them is an error",
            fix="annotate them, or leave them out if they were never looked at",
            examples=shown(Example(subject.names[row], "no object", row) for row in empty),
        )


def _partly_missing(subject: Subject, column: CheckedColumn) -> Iterator[Finding]:
    values = np.asarray(column.values)
    missing = np.isnan(values.reshape(len(values), -1))
    some = missing.any(axis=1) & ~missing.all(axis=1)
    rows = subject.rows[some[subject.rows]]
    if len(rows):
        yield Finding(
            "labels",
            Severity.WARNING,
            len(rows),
            f"samples have only a part of target {column.name}",
            why="a half-labelled sample teaches that the other half is not there",
            fix="complete the labels, or leave these samples out",
            examples=shown(
                Example(subject.names[row], f"{missing[row].sum()} of {missing.shape[1]} values", int(row))
                for row in rows
            ),
        )
