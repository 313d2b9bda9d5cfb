"""Series that are empty, constant or full of gaps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.fixes import Fix

_LOOKED_AT = 100_000
_GAPS = 0.5


def find(subject: Subject) -> Iterator[Finding]:
    """Findings on every column of series, or of sounds that are arrays."""
    for column in subject.of_type("series", "audio"):
        yield from _of_column(subject, column)


def _of_column(subject: Subject, column: CheckedColumn) -> Iterator[Finding]:
    empty, gaps, still, infinite = [], [], [], []
    for row in subject.sample(subject.rows, _LOOKED_AT).tolist():
        value = column.values[row]
        if not isinstance(value, np.ndarray) or value.dtype.kind not in "fiu":
            continue
        name, missing = subject.names[row], np.isnan(value)
        if not value.size or missing.all():
            empty.append(Example(name, f"{value.shape[0] if value.ndim else 0} steps", row))
        elif np.isinf(value).any():
            infinite.append(Example(name, f"{int(np.isinf(value).sum())} values", row))
        elif missing.mean() > _GAPS:
            gaps.append(Example(name, f"{missing.mean():.0%} missing", row))
        elif np.nanmin(value) == np.nanmax(value):
            still.append(Example(name, f"always {np.nanmin(value):g}", row))
    error, warning = Severity.ERROR, Severity.WARNING
    for severity, examples, what, why in (
        (error, empty, "are empty", "there is nothing to learn from them"),
        (error, infinite, "have infinite values", "one of them makes the loss NaN"),
        (warning, gaps, "lack more than half of their steps", "what is filled in rules the answer"),
        (warning, still, "never change", "a sensor that was off looks so"),
    ):
        if examples:
            yield Finding(
                "series",
                severity,
                len(examples),
                f"{column.type} of column {column.name} {what}",
                why,
                "mend them, or leave them out",
                shown(examples),
                [Fix("leave_out", example.sample, f"{what}: {example.detail}") for example in examples],
            )
