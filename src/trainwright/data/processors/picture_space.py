"""What columns share that live in a picture's pixel space: boxes, masks, outlines, points."""

from __future__ import annotations

from typing import Any

from trainwright.data.geometry import Geometry, Placement
from trainwright.data.processors.base import ColumnProcessor


class PictureSpace(ColumnProcessor):
    """A processor whose values move with the pixels of an image column.

    The preparation calls `follow` with the image's geometry before anything is encoded; it is part of the
    fitted state, so that a restored processor needs no image beside it.

    Args:
        image: Name of the image column; the only image input when absent.
    """

    follows_image = True

    def __init__(self, image: str | None) -> None:
        self.image = image
        self.geometry = Geometry(None)

    def follow(self, geometry: Geometry) -> None:
        """Takes over the geometry of the image, whose size is settled."""
        self.geometry = Geometry(geometry.size, geometry.resize)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the processed image."""
        assert self.geometry.size is not None, "`follow` comes first"
        return self.geometry.size

    def place(self, height: int, width: int) -> Placement:
        """Where the pixels of a picture of this size go. Raises `BadSample`."""
        return self.geometry.place(height, width)

    def fitted(self) -> dict[str, Any]:
        """The geometry of the image."""
        return {"geometry": self.geometry.state()}

    def restore(self, fitted: dict[str, Any]) -> None:
        """Sets what `fitted` gave."""
        super().restore(fitted | {"geometry": Geometry.from_state(fitted["geometry"])})
