"""What the sources of annotated pictures share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.archive import ArchiveError
from trainwright.data.objects import Objects
from trainwright.data.picture_sizes import PictureSizes, Size
from trainwright.data.processors.image_decoding import stored_size
from trainwright.data.sources.base import LazySequence
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.turning import TURNED
from trainwright.data.types import BadSample, RawFile
from trainwright.wording import counted

Boxes = npt.NDArray[np.float64]


class AnnotatedSource(GatheredSource):
    """One row per picture, with the objects that are annotated in it.

    An object that nothing can be learned from (a box with NaN, without area, or wholly outside its
    picture; an unknown class) is one of the `faults` and not among the row's objects. So is a picture
    that is missing or whose size is stated wrongly. Boxes that reach beyond their picture are kept as
    they are, counted in `notices`, and clipped by the processors.

    Columns:
        image: The picture's file.
        objects: `Objects`.

    Attributes:
        pictures: The picture of every row.
        class_names: Classes of the objects in the order of the format, also those without objects.
        kind: Type of the recipe's column that makes most of the objects.
        supercategories: Class -> the class above it, where the format names any.
        unread: What the files say and objects have no place for, with counts; no training needs it, but a
            conversion loses it.
    """

    columns = {"image": "image", "objects": "objects"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image",)
    class_names: tuple[str, ...] = ()
    kind: Literal["boxes", "instances", "keypoints"] = "boxes"

    def __init__(self) -> None:
        super().__init__()
        self.pictures: list[RawFile] = []
        self.supercategories: dict[str, str] = {}
        self.unread: Counter[str] = Counter()

    def objects(self, row: int) -> Objects:
        """What is annotated in one picture."""
        raise NotImplementedError

    def finish(self, where: str, looked_for: str) -> None:
        """Settles columns and notices. Raises `DataError` where no picture is left."""
        self.values = {
            "image": self.pictures,
            "objects": LazySequence(len(self.pictures), self.objects),
            **self.values,
        }
        super().finish(where, looked_for)


def box_problems(boxes: Boxes, sizes: Boxes) -> tuple[dict[int, str], int]:
    """What makes boxes unfit to learn from.

    Args:
        boxes: Left, top, right, bottom `[n, 4]`.
        sizes: Height and width of each box's picture `[n, 2]`, NaN where unknown.

    Returns:
        Place -> reason, and the number of other boxes that reach beyond their picture by more than a
        thousandth of a pixel.
    """
    if not len(boxes):
        return {}, 0
    with np.errstate(invalid="ignore"):
        finite = np.isfinite(boxes).all(axis=1)
        width, height = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
        flat = finite & ((width <= 0) | (height <= 0))
        outside = finite & ~flat & _outside(boxes, sizes)
        beyond = (boxes[:, :2] < -1e-3).any(axis=1) | (boxes[:, 2:] > sizes[:, ::-1] + 1e-3).any(axis=1)
    problems: dict[int, str] = {}
    for place in np.flatnonzero(~finite).tolist():
        problems[place] = f"its box {_said(boxes[place])} has values that are no finite numbers"
    for place in np.flatnonzero(flat).tolist():
        problems[place] = f"its box has no area: width {width[place]:g}, height {height[place]:g}"
    for place in np.flatnonzero(outside).tolist():
        tall, wide = sizes[place]
        problems[place] = (
            f"its box {_said(boxes[place])} lies wholly outside the picture of {wide:g}x{tall:g} pixels"
        )
    return problems, int((beyond & finite & ~flat & ~outside).sum())


def check_sizes(
    stated: Sequence[Size | None], pictures: Sequence[RawFile], root: Path
) -> tuple[dict[int, str], dict[int, int]]:
    """Pictures whose annotation states another size than their header.

    The stated size also tells in which frame the annotation is: where it is that of the picture as stored,
    before EXIF turns it, so are the annotations, and have to be turned along.

    Args:
        stated: Height and width by the annotation, None where it states none.
        pictures: Their files.
        root: Names the memory of headers.

    Returns:
        Place -> reason, of those that fit neither way; and place -> EXIF orientation, of those that are
        annotated as stored. A picture that cannot be read is left to the image column's processor.
    """
    wrong: dict[int, str] = {}
    as_stored: dict[int, int] = {}
    for place, (said, true) in enumerate(zip(stated, PictureSizes(root).all(pictures), strict=True)):
        if said is None or true is None or said == true:
            continue
        if said == true[::-1] and (orientation := _orientation(pictures[place])) in TURNED:
            as_stored[place] = orientation
            continue
        wrong[place] = f"the annotation says {said[1]}x{said[0]} pixels, the picture has {true[1]}x{true[0]}"
    return wrong, as_stored


def told_as_stored(count: int) -> list[str]:
    """The notice on pictures that are annotated as stored."""
    if not count:
        return []
    return [
        counted(
            count,
            "picture is annotated as stored, before EXIF turns it; its annotations are turned along",
            "pictures are annotated as stored, before EXIF turns them; their annotations are turned along",
        )
    ]


def _orientation(picture: RawFile) -> int:
    try:
        return stored_size(picture.read())[1]
    except (BadSample, OSError, KeyError, ArchiveError):
        return 1


def finite_numbers(value: Any) -> bool:
    """Whether a value from JSON is a list of numbers, none of them NaN, infinite, or a truth value."""
    return isinstance(value, list) and all(
        type(item) in (int, float) and -1e15 < item < 1e15 for item in value
    )


def _outside(boxes: Boxes, sizes: Boxes) -> npt.NDArray[np.bool_]:
    right_of = boxes[:, 0] >= sizes[:, 1]
    below = boxes[:, 1] >= sizes[:, 0]
    before = (boxes[:, 2:] <= 0).any(axis=1)
    result: npt.NDArray[np.bool_] = right_of | below | before
    return result


def _said(box: Boxes) -> str:
    return "(" + ", ".join(f"{value:g}" for value in box) + ")"
