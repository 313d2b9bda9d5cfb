"""Values that are missing or infinite, in every column of the source, whatever the recipe makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import Subject

_LOOKED_AT = 100_000
_PLAIN = ("number", "category")


def find(subject: Subject) -> Iterator[Finding]:
    """A notice per column of numbers or texts with gaps."""
    used = {part for column in subject.columns for part in column.parts}
    rows = subject.sample(subject.rows, _LOOKED_AT)
    for name, role in subject.source.columns.items():
        if role not in _PLAIN:
            continue
        values = subject.raw(subject.source.column(name), rows)
        odd = [(row, value) for row, value in zip(rows.tolist(), values, strict=True) if _is_gap(value)]
        if odd:
            yield Finding(
                "gaps",
                Severity.NOTICE,
                len(odd),
                f"values of column {name} are missing or infinite",
                why=""
                if name not in used
                else "they are filled, or stop the training, as the recipe says of its columns",
                fix="fill them, or leave these rows out with data.source.row_filter",
                examples=shown(Example(subject.names[row], _shown(value), row) for row, value in odd),
            )


def _is_gap(value: Any) -> bool:
    return value is None or (isinstance(value, float) and value - value != 0)


def _shown(value: Any) -> str:
    return "no value" if value is None or value != value else str(value)
