"""Answers that are pictures: a class for every pixel."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.types import Processor

COLOURS = 256


@dataclass(frozen=True)
class ClassMap:
    """The classes of one picture's pixels.

    Attributes:
        ids: At the size of the processed image, `[H, W]`.
        size: Height and width of the original picture; the processed one's when None.
        processor: Of the target.
    """

    ids: npt.NDArray[Any]
    size: tuple[int, int] | None
    processor: Any

    def original(self) -> npt.NDArray[np.int64]:
        """Class ids `[H, W]` in the size of the original picture, the void id where there is no class."""
        found: npt.NDArray[np.int64] = self.processor.decode(self.ids, self.size)
        return found

    def shares(self) -> npt.NDArray[np.float64]:
        """Share of the original picture's pixels that each class has `[C]`."""
        ids = self.original()
        counts = np.bincount(ids[ids != self.processor.void_id], minlength=len(self.processor.classes))
        return counts / max(1, ids.size)

    def png(self) -> bytes:
        """An index mask like those that are learned from.

        Pixels are the ids that stand for the classes in the mask files of the training data: of 8 bit with a
        palette, or of 16 bit where an id needs that. Colours are those of the recipe's `palette`, else one
        per class.
        """
        from PIL import Image

        ids = self.original()
        table = np.array(self.processor.file_ids, dtype=np.int64)
        known = ids != self.processor.void_id
        values = np.where(known, table[np.where(known, ids, 0)], self.processor.file_void)
        if values.max(initial=0) > 255:
            image = Image.fromarray(values.astype(np.uint16))
        else:
            image = Image.fromarray(values.astype(np.uint8), mode="P")
            image.putpalette(_palette(table, self.processor.palette).tobytes())
        file = io.BytesIO()
        image.save(file, "png")
        return file.getvalue()


def class_maps(
    processor: Processor, ids: Any, sizes: Sequence[tuple[int, int] | None] | None
) -> list[ClassMap]:
    """One map per sample of the ids `[N, H, W]`."""
    maps = np.asarray(ids)
    return [
        ClassMap(map, None if sizes is None else sizes[place], processor) for place, map in enumerate(maps)
    ]


def ids_png(ids: npt.NDArray[Any]) -> bytes:
    """Class ids `[H, W]` as a gray PNG, of 16 bit where they are not bytes."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(ids if ids.dtype == np.uint8 else ids.astype(np.uint16)).save(file, "png")
    return file.getvalue()


def _palette(ids: npt.NDArray[np.int64], given: dict[str, list[int]] | None) -> npt.NDArray[np.uint8]:
    """A colour for each of 256 values, gray for those that stand for no class."""
    colours = np.full((COLOURS, 3), 128, dtype=np.uint8)
    for place, id in enumerate(ids):
        colours[id] = list(given.values())[place] if given is not None else _colour(place)
    return colours


def _colour(place: int) -> list[int]:
    """The colour of a class in Pascal VOC's masks: its bits, spread over the high bits of the channels."""
    channels = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            channels[channel] |= (place >> channel & 1) << (7 - bit)
        place >>= 3
    return channels
