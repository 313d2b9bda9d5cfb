"""One COCO JSON file of objects: read once, checked as arrays, outlines made when they are asked for.

Format: cocodataset.org, "Data format". Boxes are left, top, width, height in pixels.
"""

from __future__ import annotations

from array import array
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data import run_lengths
from trainwright.data.objects import Keypoints, Objects, RunLengths, Segment
from trainwright.data.sources.annotated import box_problems, check_sizes, finite_numbers, told_as_stored
from trainwright.data.sources.coco_categories import CocoCategories
from trainwright.data.sources.coco_images import CocoImages
from trainwright.data.sources.json_text import JsonText
from trainwright.data.turning import turned
from trainwright.errors import DataError
from trainwright.wording import with_count

Fault = tuple[str, str]
_READ = frozenset(
    ("id", "image_id", "category_id", "bbox", "segmentation", "area", "iscrowd", "keypoints", "num_keypoints")
)
_READ_OF_IMAGES = frozenset(("id", "file_name", "width", "height"))
_MISSING = float("nan")


@dataclass(frozen=True)
class _Raw:
    """What stands in the file, one entry per annotation."""

    ids: list[Any] = field(default_factory=list)
    images: list[Any] = field(default_factory=list)
    categories: list[Any] = field(default_factory=list)
    boxes: array[float] = field(default_factory=lambda: array("d"))
    areas: array[float] = field(default_factory=lambda: array("d"))
    crowd: array[int] = field(default_factory=lambda: array("b"))
    spans: array[int] = field(default_factory=lambda: array("q"))
    outlined: array[int] = field(default_factory=lambda: array("b"))
    pointed: array[int] = field(default_factory=lambda: array("b"))
    problems: dict[int, str] = field(default_factory=dict)


class CocoFile:
    """Pictures and objects of one JSON file.

    Args:
        path: The file.
        images: Folder or archive of the pictures, found beside the file when absent.
        where: Key path in the recipe.

    Attributes:
        images: The pictures that are there.
        categories: Classes and their keypoints.
        faults: Pictures and annotations that are left out, with the reason.
        notices: Findings with their counts.
        unread: What nothing is made of, with counts.

    Raises:
        DataError: The file cannot be read, or is no COCO file of objects.
    """

    def __init__(self, path: str, images: str | None, where: str) -> None:
        self._json = JsonText(path, where)
        self._raw = _Raw()
        self._boxless = 0
        self.unread: Counter[str] = Counter()
        listed: list[tuple[Any, int]] = []
        classes: list[Any] = []
        others = self._json.scan(
            {
                "images": lambda item, start, _: listed.append((item, start)),
                "categories": lambda item, *_: classes.append(item),
                "annotations": self._add,
            }
        )
        self._refuse_other_formats(others, listed)
        self.name = self._json.path.name
        self.faults: list[Fault] = []
        for item, _ in listed:
            self._count_unread(item, _READ_OF_IMAGES, "images")
        self.categories = CocoCategories(classes, self.name, self.faults)
        self.images = CocoImages(listed, self._json.path, images, self.faults)
        self.notices: list[str] = [*self.categories.notices]
        if self._json.constants:
            self.notices.append(
                with_count(self._json.constants, f"numbers in {self.name} are NaN or Infinity, not JSON")
            )
        self._settle()

    @property
    def path(self) -> Path:
        """The JSON file."""
        return self._json.path

    @property
    def has_outlines(self) -> bool:
        """Whether any object has polygons or a mask."""
        return bool(self._outlined.any())

    @property
    def has_points(self) -> bool:
        """Whether any object has keypoints."""
        return bool(self._pointed.any()) and bool(self.categories.points)

    def objects(self, row: int) -> Objects:
        """The objects of one picture, in the order of the file."""
        places = self._order[self._starts[row] : self._starts[row + 1]]
        size = self.images.sizes[row]
        chosen = self._categories[places]
        parsed = [self._parsed(place) for place in places.tolist()]
        segments = tuple(_segment(item, size) for item in parsed)
        found = Objects(
            size=size,
            labels=tuple(self.categories.names[number] for number in chosen.tolist()),
            boxes=self._boxes[places],
            segments=segments if any(segment is not None for segment in segments) else (),
            keypoints=self._keypoints(parsed) if self.has_points else None,
            crowd=self._crowd[places],
            names=tuple(f"{self.name}: annotation {self._said(place)}" for place in places.tolist()),
            extra=self._extra(places),
        )
        return turned(found, self.images.orientations[row])

    def _extra(self, places: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
        areas = self._areas[places]
        return {} if len(places) and np.isnan(areas).all() else {"area": areas}

    def _parsed(self, place: int) -> dict[str, Any]:
        """The annotation itself, where the arrays do not hold all of it."""
        if not (self._outlined[place] or self._pointed[place]):
            return {}
        start, end = self._spans[place]
        found: dict[str, Any] = self._json.value(int(start), int(end))
        return found

    def _keypoints(self, parsed: list[dict[str, Any]]) -> Keypoints:
        names = self.categories.points
        points = np.zeros((len(parsed), len(names), 3))
        for place, item in enumerate(parsed):
            if item.get("keypoints"):
                points[place] = np.asarray(item["keypoints"], dtype=np.float64).reshape(-1, 3)
        return Keypoints(points, names, self.categories.mirrored, self.categories.edges)

    def _count_unread(self, item: Any, known: frozenset[str], of: str) -> None:
        """Counts fields that nothing is made of."""
        if isinstance(item, dict):
            said = (key for key in item.keys() - known if item[key] not in (None, "", [], {}))
            self.unread.update(f"values of {str(key)[:40]!r} of {of}" for key in said)

    def _refuse_other_formats(self, others: dict[str, Any], listed: list[Any]) -> None:
        if "images" in others or "annotations" in others or not listed:
            raise DataError(
                "it is no COCO file: `images` and `annotations` must be lists, and there must be images",
                where=str(self._json.path),
                why=_what_is_there(others, bool(listed)),
                fix="give the JSON file of the annotations, as COCO describes it",
            )

    def _add(self, item: Any, start: int, end: int) -> None:
        """Takes one annotation down; what it refers to may come later in the file."""
        raw, place = self._raw, len(self._raw.ids)
        fields = item if isinstance(item, dict) else {}
        problem = None if fields else "it is no object with fields"
        if len(fields) > len(_READ) or not fields.keys() <= _READ:
            self._count_unread(fields, _READ, "annotations")
        box, outline, points = fields.get("bbox"), fields.get("segmentation"), fields.get("keypoints")
        if fields and ("caption" in fields or "segments_info" in fields):
            kind = "coco_captions" if "caption" in fields else "coco_panoptic"
            raise DataError(
                f"the file has no objects but {'captions' if 'caption' in fields else 'panoptic segments'}",
                where=str(self._json.path),
                fix=f"use the source `{kind}`",
            )
        if outline:
            problem = problem or _outline_problem(outline)
        if box is None and outline and not problem:
            box = _bounds_of(outline)
            self._boxless += 1
        wrong_box = _box_problem(box)
        if points and not (finite_numbers(points) and len(points) % 3 == 0):
            problem = problem or "its keypoints are not x, y and visibility, again and again"
        area: Any = fields.get("area")
        raw.ids.append(scalar(fields.get("id")))
        raw.images.append(scalar(fields.get("image_id")))
        raw.categories.append(scalar(fields.get("category_id")))
        raw.boxes.extend((0.0, 0.0, 1.0, 1.0) if wrong_box else map(float, box or ()))
        raw.areas.append(float(area) if finite_numbers([area]) else _MISSING)
        raw.crowd.append(fields.get("iscrowd") in (1, True))
        raw.spans.extend((start, end))
        raw.outlined.append(bool(outline))
        raw.pointed.append(bool(points))
        if problem or wrong_box:
            raw.problems[place] = problem or wrong_box

    def _settle(self) -> None:
        """Checks all annotations at once, and orders them by picture."""
        raw = self._raw
        rows = np.array([self.images.row_of(value) for value in raw.images], dtype=np.int64)
        kinds = np.array([self.categories.place_of(value) for value in raw.categories], dtype=np.int64)
        boxes = np.array(raw.boxes, dtype=np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        self._note_wrong_sizes()
        sizes = np.array([*self.images.sizes, (_MISSING, _MISSING)], dtype=np.float64)[rows]
        bad, beyond = box_problems(boxes, sizes)
        problems = {**bad, **raw.problems}
        problems |= self._unknown(rows, kinds, problems)
        lost = self.images.lost_rows
        left_out = np.isin(rows, list(lost)) if lost else np.zeros(len(rows), dtype=bool)
        self.faults += [
            (f"{self.name}: annotation {self._said(place)}", problems[place]) for place in sorted(problems)
        ]
        keep = np.flatnonzero((rows >= 0) & ~left_out)
        keep = keep[~np.isin(keep, list(problems))] if problems else keep
        new_rows = self.images.drop_lost()
        self._order = keep[np.argsort(rows[keep], kind="stable")]
        counts = np.bincount(new_rows[rows[keep]], minlength=len(self.images.names)) if len(keep) else 0
        self._starts = np.concatenate([[0], np.cumsum(counts + np.zeros(len(self.images.names), np.int64))])
        self._boxes, self._categories, self._ids = boxes, kinds, raw.ids
        self._areas, self._crowd = np.array(raw.areas), np.array(raw.crowd, dtype=bool)
        self._spans = np.array(raw.spans, dtype=np.int64).reshape(-1, 2)
        self._outlined, self._pointed = np.array(raw.outlined, bool), np.array(raw.pointed, bool)
        if self._boxless:
            said = "objects have no `bbox` (missing or null) and are given the box of their outline"
            self.notices.append(with_count(self._boxless, said))
        if beyond:
            self.notices.append(
                with_count(beyond, "boxes reach beyond their picture; they are clipped when encoded")
            )
        self.notices += self.images.notices

    def _note_wrong_sizes(self) -> None:
        images = self.images
        wrong, as_stored = check_sizes(images.sizes, images.files, images.folder)
        for row, reason in wrong.items():
            images.lose(row, reason)
        for row, orientation in as_stored.items():
            images.orientations[row] = orientation
        self.notices += told_as_stored(len(as_stored))

    def _unknown(
        self, rows: npt.NDArray[np.int64], kinds: npt.NDArray[np.int64], known: dict[int, str]
    ) -> dict[int, str]:
        """Annotations of unknown pictures or classes, and ids that were there before."""
        raw = self._raw
        found: dict[int, str] = {}
        for place in np.flatnonzero(kinds < 0).tolist():
            found[place] = f"its category {raw.categories[place]!r} is not among the file's categories"
        for place in np.flatnonzero(rows == -1).tolist():
            found[place] = f"its image {raw.images[place]!r} is not among the file's images"
        seen: set[Any] = set()
        for place, value in enumerate(raw.ids):
            if value is not None and value in seen:
                found[place] = "its id was used by an annotation before it"
            seen.add(value)
        for place, points in enumerate(raw.pointed):
            if points and place not in known and place not in found:
                wrong = self._points_problem(place)
                if wrong:
                    found[place] = wrong
        return {place: reason for place, reason in found.items() if place not in known}

    def _points_problem(self, place: int) -> str | None:
        wanted = len(self.categories.points)
        item = self._json.value(*self._raw.spans[2 * place : 2 * place + 2])
        got = len(item["keypoints"]) // 3
        if not wanted or got == wanted:
            return None
        return f"it has {got} keypoints where its category names {wanted}"

    def _said(self, place: int) -> str:
        value = self._raw.ids[place]
        return str(value) if value is not None else f"number {place} in the list, which has no id"


def scalar(value: Any) -> Any:
    """An id from JSON that can be looked up; None for what can be none."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) in (int, str) else None


def _what_is_there(others: dict[str, Any], has_images: bool) -> str:
    """What a file holds instead of lists of pictures and annotations."""
    kinds = {dict: "an object", str: "a text", bool: "true or false", type(None): "null"}
    wrong = [
        f"`{name}` is {kinds.get(type(others[name]), 'a number')}, no list"
        for name in ("images", "annotations")
        if name in others
    ]
    if not has_images and "images" not in others:
        wrong.append("it lists no images")
    rest = [name for name in others if name not in ("images", "annotations")]
    return "; ".join([*wrong, *([f"it has {', '.join(rest)}"] if rest else [])])


def _box_problem(box: Any) -> str:
    """NaN is let through here: it is reported with the numbers, among the other faults of boxes."""
    if not isinstance(box, list):
        return "its box is missing or no list; four numbers are needed: left, top, width, height"
    if len(box) != 4:
        return f"its box has {len(box)} numbers; four are needed: left, top, width, height"
    if all(type(value) in (int, float) and not abs(value) > 1e15 for value in box):
        return ""
    return f"its box {str(box)[:80]} is not of finite numbers"


def _outline_problem(outline: Any) -> str | None:
    if isinstance(outline, list):
        for polygon in outline:
            if not finite_numbers(polygon):
                return "a polygon of its outline is no list of finite numbers"
            if len(polygon) < 6 or len(polygon) % 2:
                return f"a polygon of its outline has {len(polygon)} numbers; three points or more are needed"
        return None
    if not isinstance(outline, dict):
        return "its outline is neither polygons nor run lengths"
    try:
        _run_lengths(outline)
    except ValueError as error:
        return f"its run lengths cannot be read: {error}"
    return None


def _run_lengths(outline: dict[str, Any]) -> RunLengths:
    size, counts = outline.get("size"), outline.get("counts")
    if not (isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size)):
        raise ValueError("they have no `size` of height and width")
    height, width = size
    if not (0 < height < 1 << 20 and 0 < width < 1 << 20):
        raise ValueError(f"they are of {width}x{height} pixels")
    if isinstance(counts, str):
        return run_lengths.from_text(counts, (height, width))
    if not finite_numbers(counts) or any(type(count) is not int for count in counts):  # type: ignore[union-attr]
        raise ValueError("`counts` is neither text nor a list of whole numbers")
    return run_lengths.checked(np.array(counts, dtype=np.int64), (height, width))


def _bounds_of(outline: Any) -> list[float]:
    """Left, top, width, height around an outline, for files that leave the box out."""
    if isinstance(outline, dict):
        left, top, right, bottom = run_lengths.bounds(_run_lengths(outline))
    else:
        points = np.concatenate([np.asarray(polygon, dtype=np.float64).reshape(-1, 2) for polygon in outline])
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return [left, top, right - left, bottom - top]


def _segment(item: dict[str, Any], size: tuple[int, int]) -> Segment | None:
    outline = item.get("segmentation")
    if not outline:
        return None
    if isinstance(outline, dict):
        return _run_lengths(outline)
    return tuple(np.asarray(polygon, dtype=np.float64).reshape(-1, 2) for polygon in outline)
