"""Samples that cannot be read or encoded, and records that are no samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import Subject
from trainwright.data.fixes import Fix
from trainwright.data.types import Dropped


def find(subject: Subject) -> Iterator[Finding]:
    """One finding per column, and one for records that are no samples."""
    by_column: dict[str, list[Dropped]] = defaultdict(list)
    for item in subject.dropped:
        by_column[item.column].append(item)
    severity = Severity.WARNING if subject.allowed else Severity.ERROR
    for column, items in by_column.items():
        rows = column or any(item.row >= 0 for item in items)
        yield Finding(
            "unreadable",
            severity,
            len(items),
            f"values of column {column} cannot be read" if rows else "records cannot be read",
            why="they are left out, as data.on_bad says" if subject.allowed else "training stops at them",
            fix="mend or remove the files, or set data.on_bad: {policy: skip}",
            examples=shown(Example(item.name, item.reason, item.row) for item in items),
            fixes=[
                Fix("leave_out" if item.row >= 0 else "ignore_record", item.name, item.reason)
                for item in items
            ],
        )
