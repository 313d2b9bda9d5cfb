"""Rows that are the same, found by digests of what a model would get of them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.archive import ArchiveError
from trainwright.data.checks.subject import CheckedColumn, Rows, Subject
from trainwright.data.objects import Objects
from trainwright.data.types import Beside, RawFile

PERCEIVED = ("image", "audio", "video", "series", "text")
"""Types of which two samples are never the same by chance, as two rows of a few numbers may be."""
_QUICK_ROWS = 500_000
_QUICK_FILES = 5_000
_MOST_ROWS = 20_000_000


def is_perceived(subject: Subject) -> bool:
    """Whether the inputs have pictures, sounds or the like."""
    return any(column.type in PERCEIVED for column in subject.columns if not column.is_target)


def equal_rows(subject: Subject) -> list[Rows] | None:
    """Groups of two or more rows with equal inputs, in the order of their first row.

    Returns:
        Row numbers per group, sorted; None where there are too many rows to be compared in this check.
    """
    rows = subject.rows
    inputs = [column for column in subject.columns if not column.is_target]
    if len(rows) > (_MOST_ROWS if subject.thorough else _QUICK_ROWS) or not inputs:
        return None
    if any(column.stored is None for column in inputs) and not subject.thorough and len(rows) > _QUICK_FILES:
        return None
    digests = np.zeros(len(rows), dtype=np.uint64)
    for column in inputs:
        # Every column moves the digest in its own way: two columns that change places are another row.
        digests = digests * np.uint64(0x9E3779B97F4A7C15) + _digests(column, rows)
    return list(_groups(rows, digests))


def _digests(column: CheckedColumn, rows: Rows) -> npt.NDArray[np.uint64]:
    if column.stored is not None:
        found = (_digest(column.stored[row]) for row in rows.tolist())
    else:
        found = (_digest_raw(column.values[row], row) for row in rows.tolist())
    return np.fromiter(found, dtype=np.uint64, count=len(rows))


def _digest(value: np.ndarray) -> int:
    data = np.ascontiguousarray(value).data if value.ndim else value.tobytes()
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "little")


def _digest_raw(value: Any, row: int) -> int:
    if isinstance(value, RawFile):
        try:
            return int.from_bytes(hashlib.blake2b(value.read(), digest_size=8).digest(), "little")
        except (OSError, KeyError, ArchiveError):
            return row  # equal to nothing; that it cannot be read is told elsewhere
    if isinstance(value, np.ndarray):
        return _digest(value)
    return int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest(), "little")


def _groups(rows: Rows, digests: npt.NDArray[np.uint64]) -> Iterator[Rows]:
    order = np.argsort(digests, kind="stable")
    edges = np.flatnonzero(np.diff(digests[order])) + 1
    found = [group for group in np.split(rows[order], edges) if len(group) > 1]
    yield from sorted(found, key=lambda group: int(group[0]))


def label_of(columns: Sequence[CheckedColumn], row: int) -> tuple[Any, ...]:
    """The classes or objects of a row, for comparison."""
    return tuple(_comparable(column.values[row]) for column in columns)


def _comparable(value: Any) -> Any:
    """A class as it is; objects without their order, to a tenth of a pixel."""
    value = value.value if isinstance(value, Beside) else value
    if not isinstance(value, Objects):
        return value
    points = [()] * len(value) if value.keypoints is None else value.keypoints.points.round(1).tolist()
    boxes = value.boxes.round(1).tolist()
    return tuple(sorted(map(repr, zip(value.labels, boxes, points, strict=True))))
