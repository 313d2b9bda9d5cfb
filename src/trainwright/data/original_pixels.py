"""Where resized pictures lie, and how their objects measure in the pixels of the originals. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.objects import Objects
from trainwright.data.processors.object_column import ObjectColumn
from trainwright.data.types import BadSample, PreparedData, Values

Floats = npt.NDArray[np.float32]


class OriginalPixels:
    """Frames of pictures, sizes of their pixels and areas of objects by row, each found once.

    Scores by size, such as COCO's of small objects, are meant in pixels of the picture that was annotated,
    whatever size a model sees it in.

    Args:
        processor: Of the objects.
        values: Raw values of all rows.
    """

    def __init__(self, processor: ObjectColumn, values: Values) -> None:
        self._processor, self._values = processor, values
        self._known: dict[int, tuple[Floats, Floats, Floats]] = {}

    def of(self, rows: npt.NDArray[np.int64]) -> dict[str, Floats]:
        """What scoring asks of some rows.

        Returns:
            `frame`, the part `[n, 4]` of the processed picture that is no padding: x1, y1, x2, y2;
            `pixel_size`, width and height `[n, 2]` of a processed pixel in pixels of the original; and
            `areas` `[n, M]` of the objects in pixels of the original, as the annotation states them, -1
            where it states none and in rows without an object.
        """
        found = [self._row(row) for row in rows.tolist()]
        frames, sizes, areas = (
            np.array([item[part] for item in found], dtype=np.float32).reshape(len(found), width)
            for part, width in enumerate((4, 2, self._processor.capacity))
        )
        return {"frame": frames, "pixel_size": sizes, "areas": areas}

    def _row(self, row: int) -> tuple[Floats, Floats, Floats]:
        if row not in self._known:
            self._known[row] = self._measured(self._values[row])
        return self._known[row]

    def _measured(self, objects: Any) -> tuple[Floats, Floats, Floats]:
        areas = np.full(self._processor.capacity, -1, dtype=np.float32)
        bottom, right = self._processor.size
        whole = np.array([0, 0, right, bottom], dtype=np.float32)
        if not isinstance(objects, Objects):
            return whole, np.ones(2, dtype=np.float32), areas
        height, width = objects.size
        placement = self._processor.place(height, width)
        frame = placement.forward_boxes(np.array([[0.0, 0.0, width, height]]))[0].clip(0, whole[[2, 3, 2, 3]])
        pixel_size = (1 / np.array(placement.scale)).astype(np.float32)
        stated = objects.extra.get("area")
        if stated is not None:
            try:
                places = self._processor.select(objects).places[: len(areas)]
            except BadSample:  # such a row is in no split
                places = np.zeros(0, dtype=np.int64)
            areas[: len(places)] = np.where(stated[places] >= 0, stated[places], -1)
        return frame.astype(np.float32), pixel_size, areas


def original_pixels(data: PreparedData) -> dict[str, OriginalPixels]:
    """For every target that is made of objects in a picture, by its name."""
    return {
        column.name: OriginalPixels(column.processor, column.values)
        for column in data.columns
        if column.is_target
        and isinstance(column.processor, ObjectColumn)
        and column.processor.type in ("boxes", "instances", "keypoints")
    }


def beside(
    originals: Mapping[str, OriginalPixels], rows: npt.NDArray[np.int64]
) -> dict[str, dict[str, Floats]]:
    """What is known of some rows, target by target."""
    return {name: original.of(rows) for name, original in originals.items()}
