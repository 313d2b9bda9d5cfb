"""Boxes: the annotated objects of a picture as rectangles with a class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trainwright.data.objects import Objects
from trainwright.data.processors.object_column import ObjectColumn
from trainwright.data.types import TensorSpec

if TYPE_CHECKING:
    from torch import Tensor


class BoxesProcessor(ObjectColumn):
    """Boxes and classes, stored as float32 `[M, 5]` (left, top, right, bottom, class id).

    Coordinates are pixels of the processed image. M is the largest count over all pictures; rows without
    an object have class -1. Boxes are clipped to the image; a box with NaN makes a bad sample.
    """

    type = "boxes"

    def encode(self, raw: Any) -> np.ndarray:
        """Boxes and class ids, float32 `[M, 5]`. Raises `BadSample` naming the object."""
        return self.rows(self.select(raw))

    def spec(self) -> TensorSpec:
        """Up to M boxes."""
        return TensorSpec("boxes", (self.capacity, 4), "float32", tuple(self.classes), tuple(self.counts))

    def to_tensor(self, stored: Tensor) -> dict[str, Tensor]:
        """`boxes` float32 `[B, M, 4]` and `labels` int64 `[B, M]`, -1 where there is no object."""
        return {"boxes": stored[..., :4], "labels": stored[..., 4].long()}

    def decode(self, value: Any, size: tuple[int, int] | None = None) -> Objects:
        """The objects of one picture with class names.

        Args:
            value: `boxes`, `labels` and perhaps `scores`, as `to_tensor` gives them for one picture.
            size: Height and width of the original picture, for boxes in its pixels.
        """
        return self.cut(self.found(value, size)[1])
