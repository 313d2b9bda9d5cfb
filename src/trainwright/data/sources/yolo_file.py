"""One YOLO label file: a line per object, all numbers but the class as shares of the picture.

class x_centre y_centre width height                     a box
class x1 y1 x2 y2 x3 y3 ...                              an outline of three points or more
class x_centre y_centre width height px1 py1 [v1] ...    a box with keypoints
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

_SLACK = 1e-6  # values were rounded when they were written
_LONGEST_LINE = 1 << 20


@dataclass
class YoloObject:
    """One object, in shares of the picture.

    Attributes:
        label: Its class.
        box: Left, top, right, bottom.
        outline: x, y of every corner one after the other, empty without one.
        points: x, y and visibility of every keypoint one after the other, empty without any.
        line: Its line, from 1.
    """

    label: str
    box: tuple[float, float, float, float]
    outline: list[float]
    points: list[float]
    line: int


@dataclass
class YoloFile:
    """What a file says: its objects, and line and reason of everything that is none."""

    objects: list[YoloObject] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True)
class PointShape:
    """How many keypoints an object has, and how many numbers each: 2, or 3 with the visibility."""

    count: int
    width: int


def read_yolo(data: bytes, classes: Mapping[int, str], points: PointShape | None) -> YoloFile:
    """Reads one label file; never raises.

    Args:
        data: The file's bytes.
        classes: Name per class number; empty where none are known, then numbers are names.
        points: Keypoints of every object, None where there are none.
    """
    found = YoloFile()
    for number, line in enumerate(data.decode("utf-8-sig", errors="replace").splitlines(), start=1):
        words = line.split() if len(line) < _LONGEST_LINE else ["too long"]
        if not words:
            continue
        try:
            found.objects.append(_object([_number(word) for word in words], number, classes, points))
        except ValueError as problem:
            found.problems.append((number, str(problem)))
    return found


def _object(
    numbers: list[float], line: int, classes: Mapping[int, str], points: PointShape | None
) -> YoloObject:
    label = _label(numbers[0], classes)
    values = numbers[1:]
    if points is not None:
        wanted = 4 + points.count * points.width
        if len(values) != wanted:
            raise ValueError(f"the line has {len(numbers)} numbers, not {wanted + 1} (box and keypoints)")
        return YoloObject(label, _box(values[:4]), [], _points(values[4:], points), line)
    if len(values) == 4:
        return YoloObject(label, _box(values), [], [], line)
    if len(values) < 6 or len(values) % 2:
        raise ValueError(
            f"the line has {len(numbers)} numbers; a box has 5, an outline 7 or more and an odd count"
        )
    return YoloObject(label, _around(values), values, [], line)


def _number(word: str) -> float:
    try:
        value = float(word)
    except ValueError:
        raise ValueError(f"{word[:40]!r} is no number") from None
    if not math.isfinite(value):
        raise ValueError(f"{word[:40]!r} is no finite number")
    return value


def _label(number: float, classes: Mapping[int, str]) -> str:
    if number < 0 or not number.is_integer():
        raise ValueError(f"class {number:g} is no whole number from 0 on")
    if not classes:
        return str(int(number))
    if int(number) not in classes:
        known = f"{min(classes)} to {max(classes)}"
        raise ValueError(f"class {number:g} is not among the {len(classes)} classes ({known})")
    return classes[int(number)]


def _box(values: list[float]) -> tuple[float, float, float, float]:
    across, down, width, height = values
    if max(values) > 2 and all(value >= 0 for value in values):
        raise ValueError(
            f"the box {_said(values)} seems to be in pixels; shares of the picture from 0 to 1 are needed"
        )
    if width <= 0 or height <= 0:
        raise ValueError(f"the box has no area: width {width:g}, height {height:g}")
    if width > 1 + _SLACK or height > 1 + _SLACK:
        raise ValueError(f"the box is larger than the picture: width {width:g}, height {height:g}")
    box = (across - width / 2, down - height / 2, across + width / 2, down + height / 2)
    if box[0] >= 1 or box[1] >= 1 or box[2] <= 0 or box[3] <= 0:
        raise ValueError(f"the box {_said(values)} lies wholly outside the picture")
    return box


def _around(values: list[float]) -> tuple[float, float, float, float]:
    across, down = values[0::2], values[1::2]
    box = (min(across), min(down), max(across), max(down))
    if max(values) > 2:
        raise ValueError("the outline seems to be in pixels; shares of the picture from 0 to 1 are needed")
    if box[0] >= 1 or box[1] >= 1 or box[2] <= 0 or box[3] <= 0:
        raise ValueError("the outline lies wholly outside the picture")
    if box[2] <= box[0] or box[3] <= box[1]:
        raise ValueError("the outline has no area")
    return box


def _points(values: list[float], shape: PointShape) -> list[float]:
    """x, y and visibility; a point at 0, 0 without visibility is not annotated."""
    if shape.width == 3:
        return values
    points: list[float] = []
    for across, down in zip(values[0::2], values[1::2], strict=True):
        points += [across, down, 2.0 if across or down else 0.0]
    return points


def _said(values: list[float]) -> str:
    return "(" + ", ".join(f"{value:g}" for value in values) + ")"
