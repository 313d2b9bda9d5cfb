"""Counts per class and split: classes that are missing, rare, or far from balanced."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.counting import class_counts
from trainwright.wording import counted

_FEW = 10
_UNBALANCED = 20.0


def find(subject: Subject) -> Iterator[Finding]:
    """Findings on every category target whose classes are stored."""
    for column in subject.of_type("category"):
        classes = column.processor.spec().classes
        if not column.is_target or column.stored is None or not classes:
            continue
        counts = {
            split: class_counts(column.stored, rows, len(classes)) for split, rows in subject.splits.items()
        }
        yield from _similar_names(column, classes)
        yield from _missing(column, classes, counts)
        if "train" in counts:
            yield from _rare(column, classes, counts["train"])
            yield from _unbalanced(column, classes, counts["train"])


def _similar_names(column: CheckedColumn, classes: tuple[str, ...]) -> Iterator[Finding]:
    """Classes that differ in case, blanks, hyphens or underscores only."""
    groups: dict[str, list[str]] = {}
    for name in classes:
        plain = "".join(name.casefold().replace("-", " ").replace("_", " ").split())
        groups.setdefault(plain, []).append(name)
    same = [names for names in groups.values() if len(names) > 1]
    if same:
        yield Finding(
            "classes",
            Severity.WARNING,
            len(same),
            f"classes of {column.name} differ only in case or punctuation",
            why="they are learned as different classes",
            fix="give them one name",
            examples=shown(Example(" / ".join(names)) for names in same),
        )


def _missing(
    column: CheckedColumn, classes: tuple[str, ...], counts: dict[str, npt.NDArray[np.int64]]
) -> Iterator[Finding]:
    for split, found in counts.items():
        absent = np.flatnonzero(found == 0)
        if not len(absent) or not found.sum():
            continue
        yield Finding(
            "classes",
            Severity.WARNING,
            len(absent),
            f"classes of {column.name} have no sample in {split}",
            why="they cannot be learned" if split == "train" else "nothing can be said of them",
            fix="move samples of these classes there, or use data.split with stratify",
            examples=shown(Example(classes[place]) for place in absent),
        )


def _rare(
    column: CheckedColumn, classes: tuple[str, ...], counts: npt.NDArray[np.int64]
) -> Iterator[Finding]:
    few = np.flatnonzero((counts > 0) & (counts < _FEW))
    if len(few):
        yield Finding(
            "classes",
            Severity.NOTICE,
            len(few),
            f"classes of {column.name} have fewer than {_FEW} training samples",
            fix="collect more, join classes, or set class_weights: auto",
            examples=shown(_counted(classes, counts, int(place)) for place in few),
        )


def _unbalanced(
    column: CheckedColumn, classes: tuple[str, ...], counts: npt.NDArray[np.int64]
) -> Iterator[Finding]:
    there = counts[counts > 0]
    if len(there) > 1 and there.max() > _UNBALANCED * there.min():
        most, least = int(counts.argmax()), int(np.where(counts > 0, counts, counts.max()).argmin())
        yield Finding(
            "classes",
            Severity.NOTICE,
            len(there),
            f"classes of {column.name} are unbalanced, 1 to {there.max() / there.min():.0f}",
            why="accuracy then says little; look at F1 and recall per class",
            fix="set class_weights: auto on the target",
            examples=[
                Example(classes[place], counted(int(counts[place]), "sample")) for place in (most, least)
            ],
        )


def _counted(classes: tuple[str, ...], counts: npt.NDArray[np.int64], place: int) -> Example:
    return Example(classes[place], counted(int(counts[place]), "sample"))
