"""Whether columns hold what the recipe takes them for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import CheckedColumn, Subject

_LOOKED_AT = 100_000
_MOSTLY = 0.5  # share of texts that are numbers from which a column is meant to hold numbers
_MANY = 50  # classes of a category from which being nearly as many as rows is odd


def find(subject: Subject) -> Iterator[Finding]:
    """Numbers read as classes, identifiers read as classes, and columns that are used on both sides."""
    for name, role in subject.source.columns.items():
        if role == "category":
            yield from _numbers_as_classes(subject, name)
    for column in subject.of_type("category"):
        yield from _identifiers(subject, column)
    yield from _answers_among_inputs(subject)


def _numbers_as_classes(subject: Subject, name: str) -> Iterator[Finding]:
    rows = subject.sample(subject.rows, _LOOKED_AT)
    values = subject.source.column(name)
    pairs = zip(rows.tolist(), subject.raw(values, rows), strict=True)
    texts = [(row, value) for row, value in pairs if isinstance(value, str) and value]
    words = [(row, value) for row, value in texts if not _is_number(value)]
    numbers = len(texts) - len(words)
    if words and numbers > _MOSTLY * len(texts):
        yield Finding(
            "columns",
            Severity.WARNING,
            len(words),
            f"texts stand among the numbers of column {name}, which so is taken for classes",
            why=f"{numbers} of {len(texts)} values are numbers",
            fix="mend the texts and use type: number, or name them as missing_values of the table",
            examples=shown(Example(subject.names[row], repr(value)[:60], row) for row, value in words),
        )


def _identifiers(subject: Subject, column: CheckedColumn) -> Iterator[Finding]:
    classes = len(column.processor.spec().classes)
    rows = len(subject.splits.get("train", ()))
    if classes > _MANY and classes > 0.5 * rows:
        yield Finding(
            "columns",
            Severity.WARNING,
            classes,
            f"classes of column {column.name} for {rows} training samples: it looks like an identifier",
            why="nothing can be learned from a class that occurs once",
            fix=f"remove {column.where}, or use another type",
        )


def _answers_among_inputs(subject: Subject) -> Iterator[Finding]:
    """An input column that is a target: the answer is given away."""
    targets = {part: column for column in subject.columns if column.is_target for part in column.parts}
    for column in subject.columns:
        shared = [part for part in column.parts if part in targets]
        spatial = column.type == "image"  # an image may well be its own target
        if not column.is_target and shared and not spatial:
            yield Finding(
                "columns",
                Severity.WARNING,
                len(shared),
                f"columns are input and target at once: {', '.join(shared)}",
                why="the answer is given away",
                fix=f"remove {', '.join(shared)} from {column.where}",
            )


def _is_number(text: str) -> bool:
    try:
        return not np.isnan(float(text))
    except ValueError:
        return False
