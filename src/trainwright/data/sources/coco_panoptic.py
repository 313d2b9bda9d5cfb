"""COCO panoptic segmentation: a PNG of segment numbers per picture, and JSON that says what they are.

Format: cocodataset.org, "Panoptic Segmentation". The number of a pixel's segment is
red + 256 green + 65536 blue; 0 is unlabelled.
"""

from __future__ import annotations

import io
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from trainwright.data.objects import Objects
from trainwright.data.processors.image_bands import upright
from trainwright.data.sources.annotated import AnnotatedSource, check_sizes, told_as_stored
from trainwright.data.sources.base import LazySequence, existing
from trainwright.data.sources.coco_categories import CocoCategories
from trainwright.data.sources.coco_file import scalar
from trainwright.data.sources.coco_images import CocoImages
from trainwright.data.sources.file_set import leaves_root
from trainwright.data.sources.json_text import JsonText
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import DataError
from trainwright.fields import Location

VOID = 255
_LARGEST_CLASSES = 255
Ids = npt.NDArray[np.int64]


class CocoPanopticSource(AnnotatedSource):
    """Pictures with panoptic masks, as semantic masks and as objects.

    Columns:
        image: The picture's file.
        mask: Class numbers uint8 `[H, W]`, in the order of the file's categories; 255 where no segment is.
        objects: One object per segment, with its mask; `thing` is 1 for countable things and 0 for stuff.

    Args:
        annotations: The JSON file.
        masks: Folder of the PNG files; the JSON file's name without its suffix when absent.
        images: Folder of the pictures; looked for beside the JSON file when absent.
    """

    columns = {"image": "image", "mask": "mask", "objects": "objects"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image", "mask")
    kind = "instances"

    def __init__(
        self, *, annotations: Location, masks: Location | None = None, images: Location | None = None
    ) -> None:
        super().__init__()
        text = JsonText(annotations, "data.source.annotations")
        listed: list[tuple[Any, int]] = []
        classes: list[Any] = []
        found: list[Any] = []
        text.scan(
            {
                "images": lambda item, start, _: listed.append((item, start)),
                "categories": lambda item, *_: classes.append(item),
                "annotations": lambda item, *_: found.append(item),
            }
        )
        self._file = text.path.name
        self._categories = CocoCategories(classes, self._file, self.faults)
        self.notices += self._categories.notices
        if len(self._categories.names) > _LARGEST_CLASSES:
            raise DataError(
                "there are more than 255 categories",
                where=str(text.path),
                fix="merge categories, so that 255 are left at most",
            )
        self.class_names = tuple(self._categories.names)
        self._things = {
            item["name"]: float(item.get("isthing") in (1, True))
            for item in classes
            if isinstance(item, dict) and isinstance(item.get("name"), str)
        }
        folder = existing(masks, "data.source.masks") if masks else text.path.with_suffix("")
        pictures = CocoImages(listed, text.path, images, self.faults)
        self._segments: list[list[tuple[int, int, bool]]] = []
        self._masks: list[RawFile] = []
        self._sizes: list[tuple[int, int]] = []
        for place, item in enumerate(found):
            self._add(item, place, pictures, folder)
        self._drop_wrong_sizes(folder)
        self._extra_files = [text.path, *(Path(mask.path) for mask in self._masks)]
        self.values = {"mask": LazySequence(len(self._masks), self.mask)}
        self.finish(str(text.path), "a panoptic file lists pictures and their segments")

    def mask(self, row: int) -> npt.NDArray[np.uint8]:
        """Class numbers of one picture. Raises `BadSample` where the PNG does not fit its description."""
        numbers = self._numbers(row)
        classes = {number: place for number, place, _ in self._segments[row]}
        unique, inverse = np.unique(numbers, return_inverse=True)
        unknown = [int(number) for number in unique if number and int(number) not in classes]
        if unknown:
            raise BadSample(f"segment {unknown[0]} is in the mask and not in {self._file}")
        table = np.array([classes.get(int(number), VOID) for number in unique], dtype=np.uint8)
        return table[inverse].reshape(numbers.shape)

    def objects(self, row: int) -> Objects:
        """One object per segment, in the order of the file; those without a pixel are left out."""
        numbers = self._numbers(row)
        kept = [(item, numbers == item[0]) for item in self._segments[row]]
        kept = [(item, mask) for item, mask in kept if mask.any()]
        boxes = [_bounds(mask) for _, mask in kept]
        labels = tuple(self.class_names[place] for (_, place, _), _ in kept)
        return Objects(
            size=(numbers.shape[0], numbers.shape[1]),
            labels=labels,
            boxes=np.array(boxes, dtype=np.float64).reshape(-1, 4),
            segments=tuple(mask for _, mask in kept),
            crowd=np.array([crowd for (_, _, crowd), _ in kept], dtype=bool),
            names=tuple(f"{self._file}: segment {number}" for (number, _, _), _ in kept),
            extra={
                "area": np.array([float(mask.sum()) for _, mask in kept]),
                "thing": np.array([self._things.get(label, 0.0) for label in labels]),
            },
        )

    def _numbers(self, row: int) -> Ids:
        """Segment number of every pixel `[H, W]` of the upright picture."""
        try:
            with Image.open(io.BytesIO(self._masks[row].read())) as opened:
                height, width = self._sizes[row]
                if opened.size != (width, height):
                    raise BadSample(
                        f"its mask has {opened.width}x{opened.height} pixels, not {width}x{height}"
                    )
                pixels = np.asarray(opened.convert("RGB"), dtype=np.int64)
        except BadSample:
            raise
        except Exception as error:  # Pillow's plugins raise nearly anything on damaged files
            raise BadSample(f"its mask cannot be read: {type(error).__name__}: {error}") from error
        return upright(pixels @ np.array([1, 256, 65536]), self._orientations[row])

    def _add(self, item: Any, place: int, pictures: CocoImages, folder: Path) -> None:
        fields = item if isinstance(item, dict) else {}
        number = scalar(fields.get("image_id"))
        where = f"{self._file}: annotation of image {number if number is not None else f'(number {place})'}"
        row, name, listed = pictures.row_of(number), fields.get("file_name"), fields.get("segments_info")
        if row < 0:
            self.faults.append((where, "its image is not among the file's images"))
        elif not isinstance(listed, list):
            self.faults.append((where, "it has no `segments_info`; use the source `coco` for objects"))
        elif not isinstance(name, str) or leaves_root(name) or not (folder / name).is_file():
            self.faults.append((where, f"its mask {name!r} is not in {folder}"))
        elif row not in pictures.lost_rows:
            self.names.append(pictures.names[row])
            self.pictures.append(pictures.files[row])
            self._sizes.append(pictures.sizes[row])
            self._masks.append(RawFile(str(folder / name)))
            self._segments.append(self._described(listed, where))

    def _described(self, listed: list[Any], where: str) -> list[tuple[int, int, bool]]:
        """Number, class and crowd of each segment."""
        segments = []
        for item in listed:
            fields = item if isinstance(item, dict) else {}
            number, place = fields.get("id"), self._categories.place_of(scalar(fields.get("category_id")))
            if type(number) is not int or place < 0:
                self.faults.append((f"{where}, segment {number!r}", "its id or its category is unknown"))
            else:
                segments.append((number, place, fields.get("iscrowd") in (1, True)))
        return segments

    def _drop_wrong_sizes(self, folder: Path) -> None:
        wrong, as_stored = check_sizes(self._sizes, self.pictures, folder)
        self._orientations = [as_stored.get(row, 1) for row in range(len(self.names)) if row not in wrong]
        self.notices += told_as_stored(len(as_stored))
        self.faults += [(self.names[row], reason) for row, reason in wrong.items()]
        kept = [row for row in range(len(self.names)) if row not in wrong]
        self.names = [self.names[row] for row in kept]
        self.pictures = [self.pictures[row] for row in kept]
        self._sizes = [self._sizes[row] for row in kept]
        self._masks = [self._masks[row] for row in kept]
        self._segments = [self._segments[row] for row in kept]


def _bounds(mask: npt.NDArray[np.bool_]) -> tuple[int, int, int, int]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1
