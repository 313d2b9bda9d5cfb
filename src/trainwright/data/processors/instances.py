"""Instances: the annotated objects of a picture with their boxes and their pixels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trainwright.data.objects import Objects
from trainwright.data.processors.object_column import ObjectColumn, as_array, name_of
from trainwright.data.processors.outlines import pasted, pixels_of, restored
from trainwright.data.types import BadSample, TensorSpec
from trainwright.fields import NonNegative

if TYPE_CHECKING:
    from torch import Tensor

_BOX_BYTES = 20  # left, top, right, bottom and class id as little-endian float32


class InstancesProcessor(ObjectColumn):
    """Boxes, classes and masks, stored as uint8 `[M, 20 + H W / 8]`: a box's row, then a bit per pixel.

    Masks have the size of the processed image, bits in the order of its pixels, the lowest bit first. Boxes
    are as in `boxes`.

    Args:
        classes: Names of the classes in the order of their ids; when absent those that the source names,
            and further ones of the training split.
        others: An object of another class makes a bad sample, or is left out and counted.
        crowd: An object that stands for a group is left out and counted, or is kept.
        min_size: Boxes narrower or lower than this many pixels of the processed image are left out.
        outline: An object without an outline makes a bad sample, or its box is taken for one.
        image: The image input whose size and resize rule they follow; the only one when absent.
    """

    type = "instances"
    heavy = True

    def __init__(
        self,
        *,
        classes: list[str] | None = None,
        others: Literal["error", "drop"] = "error",
        crowd: Literal["drop", "keep"] = "drop",
        min_size: NonNegative = 1.0,
        outline: Literal["required", "box"] = "required",
        image: str | None = None,
    ) -> None:
        super().__init__(classes=classes, others=others, crowd=crowd, min_size=min_size, image=image)
        self.outline = outline

    def encode(self, raw: Any) -> np.ndarray:
        """Boxes, class ids and packed masks, uint8 `[M, 20 + H W / 8]`. Raises `BadSample`."""
        selection = self.select(raw)
        height, width = self.size
        rows = self.rows(selection).astype("<f4").view(np.uint8)
        stored = np.zeros((self.capacity, _BOX_BYTES + -(-height * width // 8)), dtype=np.uint8)
        stored[:, :_BOX_BYTES] = rows
        for row, place in enumerate(selection.places.tolist()):
            segment = raw.segments[place] if len(raw.segments) else None
            if segment is None:
                mask = self._from_box(raw, place, selection.boxes[row])
            else:
                try:
                    mask = pixels_of(segment, selection.placement, raw.size)
                except BadSample as error:
                    raise BadSample(f"{name_of(raw, place)}: {error.reason}") from None
            stored[row, _BOX_BYTES:] = np.packbits(mask.reshape(-1), bitorder="little")
        return stored

    def holds_truth(self, stored: np.ndarray) -> bool:
        """Whether there is an object, by the class ids of the boxes' rows."""
        ids = np.ascontiguousarray(stored[:, _BOX_BYTES - 4 : _BOX_BYTES]).view("<f4")
        return bool((ids >= 0).any())

    def spec(self) -> TensorSpec:
        """Up to M objects, each with a mask `[H, W]`."""
        shape = (self.capacity, *self.size)
        return TensorSpec("instances", shape, "uint8", tuple(self.classes), tuple(self.counts))

    def to_tensor(self, stored: Tensor) -> dict[str, Tensor]:
        """`boxes` float32 `[B, M, 4]`, `labels` int64 `[B, M]`, `masks` uint8 `[B, M, H, W]` of 0 and 1."""
        import torch

        rows = stored[..., :_BOX_BYTES].contiguous().view(torch.float32)
        bits = torch.arange(8, dtype=torch.uint8, device=stored.device)
        packed = stored[..., _BOX_BYTES:, None]
        height, width = self.size
        pixels = packed.bitwise_right_shift(bits).bitwise_and_(1).flatten(-2)[..., : height * width]
        masks = pixels.unflatten(-1, (height, width))
        return {"boxes": rows[..., :4], "labels": rows[..., 4].long(), "masks": masks}

    def decode(self, value: Any, size: tuple[int, int] | None = None) -> Objects:
        """The objects of one picture with class names and masks.

        Args:
            value: `boxes`, `labels` and `masks`, as `to_tensor` gives them, and perhaps `scores`. In place of
                `masks` there may be `crops` uint8 `[M, h, w]`: how probable it is that each cell of a box is
                the object's, 255 for certain.
            size: Height and width of the original picture, for coordinates and masks in its pixels.
        """
        rows, objects = self.found(value, size)
        if "crops" in value:
            crops = as_array(value["crops"])[rows]
            segments = tuple(pasted(crops, objects.boxes, objects.size))
            return replace(self.cut(objects), segments=segments)
        objects = self.cut(objects)
        if "masks" not in value:
            return objects
        masks = as_array(value["masks"])[rows] > 0.5
        if size is None:
            return replace(objects, segments=tuple(masks))
        placement = self.place(*size)
        return replace(objects, segments=tuple(restored(mask, placement, size, 0) for mask in masks))

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return super().parameters() | {"outline": self.outline}

    def _from_box(self, objects: Objects, place: int, box: np.ndarray) -> np.ndarray:
        if self.outline == "required":
            raise BadSample(f"{name_of(objects, place)} has no outline; set outline: box, or use type: boxes")
        left, top, right, bottom = np.rint(box).astype(int)
        mask = np.zeros(self.size, dtype=np.uint8)
        mask[top:bottom, left:right] = 1
        return mask
