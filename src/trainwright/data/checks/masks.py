"""Masks of another size than their image."""

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


def find(subject: Subject) -> Iterator[Finding]:
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
