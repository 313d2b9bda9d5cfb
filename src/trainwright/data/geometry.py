"""Where a picture's pixels go when it gets its size: one rule for pixels, boxes, masks and points. No torch.

Coordinates are those of `objects.py`: x to the right, y down, (0, 0) the outer corner of the first pixel, of
the picture as it is meant to be seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.types import BadSample

Resize = Literal["stretch", "crop", "letterbox", "none"]


@dataclass(frozen=True)
class Placement:
    """Which window of a picture lands in which part of the result.

    Attributes:
        size: Height and width of the result.
        window: Left, top, right, bottom in pixels of the picture.
        part: Left, top, width, height in pixels of the result; what lies outside of it is border.
    """

    size: tuple[int, int]
    window: tuple[float, float, float, float]
    part: tuple[int, int, int, int]

    @property
    def scale(self) -> tuple[float, float]:
        """Pixels of the result per pixel of the picture, across and down."""
        left, top, right, bottom = self.window
        return self.part[2] / (right - left), self.part[3] / (bottom - top)

    @property
    def shift(self) -> tuple[float, float]:
        """Where the picture's outer corner (0, 0) lands, x and y."""
        across, down = self.scale
        return self.part[0] - self.window[0] * across, self.part[1] - self.window[1] * down

    @property
    def matrix(self) -> npt.NDArray[np.float64]:
        """The map from points of the picture to points of the result, `[3, 3]`, for (x, y, 1)."""
        (across, down), (x, y) = self.scale, self.shift
        return np.array([[across, 0, x], [0, down, y], [0, 0, 1]])

    def forward(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Points `[..., 2]` of the picture as points of the result."""
        return points * np.array(self.scale) + np.array(self.shift)

    def backward(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Points `[..., 2]` of the result as points of the picture."""
        return (points - np.array(self.shift)) / np.array(self.scale)

    def forward_boxes(self, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Boxes `[n, 4]` of the picture as boxes of the result; nothing is clipped."""
        return self.forward(boxes.reshape(-1, 2, 2)).reshape(-1, 4)

    def backward_boxes(self, boxes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Boxes `[n, 4]` of the result as boxes of the picture."""
        return self.backward(boxes.reshape(-1, 2, 2)).reshape(-1, 4)


@dataclass(frozen=True)
class Geometry:
    """How pixels get their final size.

    Attributes:
        size: Height and width, None to leave the picture as it is.
        resize: `stretch` to the size; `crop` the centre in its aspect ratio; `letterbox` into it; `none`
            asks for pictures that have the size.
        interpolation: Filter of the resampling, anti-aliased when it shrinks.
        fill: Value of a letterbox's border, 0 to 255.
        reduce: Whether a JPEG that is too large may be decoded at a reduced scale.
    """

    size: tuple[int, int] | None
    resize: Resize = "stretch"
    interpolation: str = "bilinear"
    fill: int = 0
    reduce: bool = True

    def place(self, height: int, width: int) -> Placement:
        """Where the pixels of a picture of this size go.

        Raises:
            BadSample: The picture must have the size, and has not.
        """
        whole = (0.0, 0.0, float(width), float(height))
        if self.size is None:
            return Placement((height, width), whole, (0, 0, width, height))
        tall, wide = self.size
        if self.resize == "none" and (height, width) != self.size:
            raise BadSample(
                f"it belongs to a picture of {height}x{width} where the training images are {tall}x{wide}; "
                f"give the image column a size to have both resized"
            )
        if self.resize == "crop":
            scale = max(wide / width, tall / height)
            cut_width, cut_height = wide / scale, tall / scale
            # A rounding error must not lead out of the picture.
            left, top = max(0.0, (width - cut_width) / 2), max(0.0, (height - cut_height) / 2)
            window = (left, top, min(left + cut_width, width), min(top + cut_height, height))
            return Placement(self.size, window, (0, 0, wide, tall))
        if self.resize == "letterbox":
            scale = min(wide / width, tall / height)
            inner = (max(1, round(width * scale)), max(1, round(height * scale)))
            corner = ((wide - inner[0]) // 2, (tall - inner[1]) // 2)
            return Placement(self.size, whole, (*corner, *inner))
        return Placement(self.size, whole, (0, 0, wide, tall))

    def state(self) -> dict[str, Any]:
        """JSON of what decides where pixels go; `from_state` rebuilds that much."""
        return {"size": list(self.size) if self.size else None, "resize": self.resize}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Geometry:
        """A geometry for what lives in a picture's pixel space."""
        size = state["size"]
        return cls((size[0], size[1]) if size else None, state["resize"])
