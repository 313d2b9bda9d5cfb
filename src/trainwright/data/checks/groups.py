"""Groups that must not be divided: one patient, one film, one place in two splits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import Subject
from trainwright.data.fixes import Fix


def find(subject: Subject) -> Iterator[Finding]:
    """Groups of `data.split.group` with rows in two splits, as splits given by the source may have."""
    groups = subject.groups
    if groups is None:
        return
    by_name: dict[str, list[int]] = {}
    for row in subject.rows.tolist():
        by_name.setdefault(str(groups[row]), []).append(row)
    torn = {}
    for name, rows in by_name.items():
        places = subject.split_of[np.array(rows)]
        if len(np.unique(places)) > 1:
            torn[name] = (rows, places)
    if not torn:
        return
    lost = [
        (name, row)
        for name, (rows, places) in torn.items()
        for row, place in zip(rows, places, strict=True)
        if place != places.min()
    ]
    yield Finding(
        "groups",
        Severity.ERROR,
        len(torn),
        "groups have samples in more than one split",
        "what is learned of a group in training is known when it is tested",
        "divide by data.split with group, or leave the parts in training out",
        shown(
            Example(subject.names[rows[0]], f"group {name}: {_spread(subject, rows)}", rows[0])
            for name, (rows, _) in torn.items()
        ),
        [Fix("leave_out", subject.names[row], f"its group {name} is held out") for name, row in lost],
    )


def _spread(subject: Subject, rows: list[int]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        counts[subject.split_name(row)] = counts.get(subject.split_name(row), 0) + 1
    return ", ".join(f"{count} in {split}" for split, count in counts.items())
