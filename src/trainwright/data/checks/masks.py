"""Masks of another size than their image, and masks with odd ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from trainwright.data.checks.finding import Example, Finding, Severity, shown
from trainwright.data.checks.picture_headers import read_header
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.fixes import Fix
from trainwright.data.types import RawFile

_QUICKLY = 5000
_RUNS = 4  # of ids, that are told


def find(subject: Subject) -> Iterator[Finding]:
    """Masks of another size than their image, and ids that are hardly meant for classes."""
    yield from _other_sizes(subject)
    yield from _unused_ids(subject)


def _other_sizes(subject: Subject) -> Iterator[Finding]:
    """Masks whose height or width is not that of the image they belong to."""
    for column in subject.of_type("mask"):
        image = _image_of(subject, column)
        if image is None:
            continue
        rows = subject.sample(subject.rows, len(subject) if subject.thorough else _QUICKLY)
        odd = []
        for row in rows.tolist():
            mask, picture = _size(column.values[row]), _size(image.values[row])
            if mask and picture and mask != picture:
                detail = f"mask {mask[1]} x {mask[0]}, image {picture[1]} x {picture[0]}"
                odd.append(Example(subject.names[row], detail, row))
        if odd:
            yield Finding(
                "masks",
                Severity.ERROR,
                len(odd),
                f"masks of column {column.name} have another size than their image",
                "stretched over the image, their classes lie in the wrong places",
                "make them anew, or leave these samples out",
                shown(odd),
                [Fix("leave_out", example.sample, example.detail) for example in odd],
            )


def _unused_ids(subject: Subject) -> Iterator[Finding]:
    """Ids far above the others in masks whose classes nobody has named: a mark, or a wrong value."""
    for column in subject.of_type("mask"):
        spec = column.processor.spec()
        given: dict[str, Any] = column.processor.state()["parameters"]
        if given.get("classes") is not None or given.get("palette") is not None or column.stored is None:
            continue
        nameless = [place for place, name in enumerate(spec.classes) if name == str(place)]
        unused = [place for place in nameless if not spec.counts[place]]
        if not unused:
            continue
        odd = []
        for row in subject.sample(subject.rows, len(subject) if subject.thorough else _QUICKLY).tolist():
            ids = np.unique(column.stored[row])
            beyond = ids[(ids > unused[0]) & (ids != spec.void)]
            if len(beyond):
                odd.append(Example(subject.names[row], f"ids {', '.join(map(str, beyond[:10]))}", row))
        present = [place for place, count in enumerate(spec.counts) if count and place > unused[0]]
        yield Finding(
            "masks",
            Severity.WARNING,
            len(odd),
            f"masks of column {column.name} have class ids ({_runs(present)}) above ones that never occur in "
            f"training ({_runs(unused)})",
            f"no classes are named, so that all ids from 0 to {len(spec.classes) - 1} are taken for "
            f"{len(spec.classes)} classes",
            f"name the classes (classes, and ids where they are not 0, 1, 2 ...) in {column.where}, and ids "
            "of no class as void",
            shown(odd),
        )


def _runs(ids: list[int]) -> str:
    """Sorted ids, those in a row as `4 to 199`; the first few of many."""
    runs: list[list[int]] = []
    for id in ids:
        if runs and id == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], id]
        else:
            runs.append([id])
    said = [" to ".join(map(str, run)) for run in runs[:_RUNS]]
    return ", ".join([*said, *([f"{len(runs) - _RUNS} more"] if len(runs) > _RUNS else [])])


def _image_of(subject: Subject, column: CheckedColumn) -> CheckedColumn | None:
    named = getattr(column.processor, "image", None)
    images = [item for item in subject.of_type("image") if not item.is_target]
    chosen = [item for item in images if item.name == named] or images
    return chosen[0] if chosen else None


def _size(raw: Any) -> tuple[int, int] | None:
    """Height and width as they are meant to be seen."""
    if isinstance(raw, RawFile):
        header = read_header(raw, 0)
        if header is None:
            return None
        turned = header.orientation >= 5
        return (header.width, header.height) if turned else (header.height, header.width)
    return (raw.shape[0], raw.shape[1]) if isinstance(raw, np.ndarray) and raw.ndim >= 2 else None
