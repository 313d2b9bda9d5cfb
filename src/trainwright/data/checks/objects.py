"""Annotated objects: boxes outside their image, empty, tiny or without a number, doubled, of no class."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from trainwright.data.checks.finding import SHOWN, Example, Finding, Severity
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.fixes import Action, Fix
from trainwright.data.objects import OBJECT_TYPES, Objects

_TINY = 2.0  # pixels a side
_TOLERANCE = 0.51  # pixels by which annotations are rounded beyond the edge


@dataclass
class _Kind:
    """One kind of fault and the objects that have it."""

    severity: Severity
    what: str
    why: str
    action: Action | None = None
    fix: str = "correct the annotations"
    count: int = 0
    examples: list[Example] = field(default_factory=list)
    places: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))


def find(subject: Subject) -> Iterator[Finding]:
    """Faults of all objects that the boxes, instances and keypoints of the recipe are made of."""
    seen: set[str] = set()
    for column in subject.of_type(*OBJECT_TYPES):
        if column.parts[0] not in seen:
            seen.add(column.parts[0])
            yield from _of_column(subject, column)


def _of_column(subject: Subject, column: CheckedColumn) -> Iterator[Finding]:
    kinds = _kinds()
    if getattr(column.processor, "others", "error") == "drop":
        what, why = "objects are of classes that the recipe does not list", "others: drop leaves them out"
        kinds["class"] = _Kind(Severity.NOTICE, what, why, None, "name their classes to learn them")
    classes = set(column.processor.spec().classes)
    for row in subject.rows.tolist():
        objects = column.values[row]
        if isinstance(objects, Objects) and len(objects):
            _judge(kinds, subject, row, objects, classes)
    for kind in kinds.values():
        if kind.count:
            yield _finding(subject, kind)


def _kinds() -> dict[str, _Kind]:
    error, warning, notice = Severity.ERROR, Severity.WARNING, Severity.NOTICE
    rows: tuple[tuple[str, Severity, str, str, Action | None], ...] = (
        ("nan", error, "boxes have a coordinate that is no number", "the loss becomes NaN", "drop_objects"),
        ("empty", error, "boxes have no area", "there is nothing to see", "drop_objects"),
        ("outside", error, "boxes lie outside their image", "there is nothing to see", "drop_objects"),
        ("over", warning, "boxes reach over the edge of their image", "they are clipped", "clip_objects"),
        ("tiny", notice, f"boxes are smaller than {_TINY:g} pixels", "hardly any detector finds them", None),
        (
            "double",
            warning,
            "objects repeat class and box of another",
            "one always is missed",
            "drop_objects",
        ),
        ("names", warning, "objects share their id with another one", "tools disagree which counts", None),
        ("class", error, "objects have an unknown class", "the recipe does not list it", "drop_objects"),
    )
    kinds = {name: _Kind(severity, what, why, action) for name, severity, what, why, action in rows}
    kinds["class"].fix += ", or give the column others: drop, which leaves such objects out"
    return kinds


def _judge(kinds: dict[str, _Kind], subject: Subject, row: int, objects: Objects, classes: set[str]) -> None:
    """Sorts the objects of one picture into the kinds; each has at most its gravest fault of place."""
    height, width = objects.size
    boxes = np.asarray(objects.boxes, dtype=np.float64).reshape(-1, 4)
    finite = np.isfinite(boxes).all(axis=1)
    left, top, right, bottom = boxes.T
    with np.errstate(invalid="ignore", divide="ignore"):
        wide, high = right - left, bottom - top
        empty = finite & ((wide <= 0) | (high <= 0))
        shown_wide = np.clip(right, 0, width) - np.clip(left, 0, width)
        shown_high = np.clip(bottom, 0, height) - np.clip(top, 0, height)
        outside = finite & ~empty & ((shown_wide <= 0) | (shown_high <= 0))
        beyond = np.maximum.reduce([-left, -top, right - width, bottom - height])
        over = finite & ~empty & ~outside & (beyond > _TOLERANCE)
        tiny = finite & ~empty & ~outside & (np.minimum(wide, high) < _TINY)
    masks = {"nan": ~finite, "empty": empty, "outside": outside, "over": over, "tiny": tiny}
    masks["double"] = finite & ~empty & _repeated(objects, boxes)
    if classes:
        masks["class"] = np.array([label not in classes for label in objects.labels])
        if objects.crowd is not None:
            masks["class"] &= ~objects.crowd  # a region to ignore need be of no class
    counts = Counter(objects.names)
    masks["names"] = np.array([counts[name] > 1 for name in objects.names] or [False] * len(objects))
    for name, mask in masks.items():
        for place in np.flatnonzero(mask).tolist():
            _add(kinds[name], subject, row, objects, place)


def _repeated(objects: Objects, boxes: np.ndarray) -> np.ndarray:
    seen: set[tuple[object, ...]] = set()
    again = np.zeros(len(boxes), dtype=bool)
    for place, (label, box) in enumerate(zip(objects.labels, boxes.tolist(), strict=True)):
        key = (label, *box)
        again[place] = key in seen
        seen.add(key)
    return again


def _add(kind: _Kind, subject: Subject, row: int, objects: Objects, place: int) -> None:
    kind.count += 1
    kind.places[row].append(place)
    if len(kind.examples) < SHOWN:
        box = ", ".join(f"{value:g}" for value in objects.boxes[place])
        name = objects.names[place] if objects.names else f"object {place}"
        height, width = objects.size
        detail = f"{name}: {objects.labels[place]} ({box}) in {width} x {height}"
        kind.examples.append(Example(subject.names[row], detail, row))


def _finding(subject: Subject, kind: _Kind) -> Finding:
    fixes = [
        Fix(kind.action, subject.names[row], kind.what, tuple(places))
        for row, places in kind.places.items()
        if kind.action
    ]
    return Finding(
        "objects",
        kind.severity,
        kind.count,
        kind.what,
        kind.why,
        kind.fix + (", or let `data fix` mend what is read of them" if fixes else ""),
        kind.examples,
        fixes,
    )
