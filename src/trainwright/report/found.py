"""Found and annotated objects drawn into a picture."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from trainwright.data.run_lengths import from_text, to_mask
from trainwright.report.drawing import COLOURS, printable

Records = Sequence[Mapping[str, Any]]
"""Objects of the table of predictions: `class`, `box`; perhaps `score`, `mask`, `points`, `corners`."""
_WHITE = (255, 255, 255)
_RING = ((0, 1), (1, 2), (2, 3), (3, 0))
_EDGES = (
    *_RING,
    *((a + 4, b + 4) for a, b in _RING),
    *((corner, corner + 4) for corner in range(4)),
    *((0, 5), (1, 4)),  # the cross
)
_NEAREST, _FAR = 0.1, 1e5  # metres, pixels


def with_found(
    pixels: npt.NDArray[np.uint8], true: Records, found: Records, largest: int
) -> npt.NDArray[np.uint8]:
    """A picture `[H, W, 3]` with true objects in white and found ones in a colour of their class.

    Args:
        pixels: In whose pixels the objects' places are.
        true: Annotated objects.
        found: Found objects.
        largest: The longer side of what is returned, at most; lines are drawn after scaling.
    """
    image = Image.fromarray(np.ascontiguousarray(pixels))
    scale = min(1.0, largest / max(image.size))
    image = image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))))
    for record in reversed(found):  # the surest lie on top
        if record.get("mask"):
            image.paste(_colour(record), mask=_layer(record["mask"], image.size, outline=False))
    for record in true:
        if record.get("mask"):
            image.paste(_WHITE, mask=_layer(record["mask"], image.size, outline=True))
    pen = ImageDraw.Draw(image)
    for record in true:
        _draw(pen, record, scale, _WHITE)
    for record in found:
        colour = _colour(record)
        _draw(pen, record, scale, colour)
        score = f" {record['score']:.2f}" if record.get("score") is not None else ""
        left, top = (float(value) * scale for value in record["box"][:2])
        pen.text((left + 2, top + 1), printable(f"{record['class']}{score}"), fill=colour)
    return np.asarray(image)


def _colour(record: Mapping[str, Any]) -> tuple[int, int, int]:
    return COLOURS[zlib.crc32(str(record["class"]).encode()) % len(COLOURS)]


def _layer(mask: Mapping[str, Any], size: tuple[int, int], *, outline: bool) -> Image.Image:
    """How opaque an object is painted at each pixel: its outline wholly, or its inside by half.

    Args:
        mask: Run lengths in their text form.
        size: Width and height of the picture.
        outline: Which of the two.
    """
    height, width = mask["size"]
    pixels = to_mask(from_text(mask["counts"], (height, width)))
    there = Image.fromarray(pixels).resize(size, Image.Resampling.NEAREST)
    shown = np.asarray(there)
    if outline:
        edge = shown.copy()
        edge[1:-1, 1:-1] &= ~(shown[:-2, 1:-1] & shown[2:, 1:-1] & shown[1:-1, :-2] & shown[1:-1, 2:])
        return Image.fromarray(np.where(edge, np.uint8(255), np.uint8(0)))
    return Image.fromarray(np.where(shown, np.uint8(112), np.uint8(0)))


def _draw(
    pen: ImageDraw.ImageDraw, record: Mapping[str, Any], scale: float, colour: tuple[int, int, int]
) -> None:
    if record.get("corners"):
        _draw_cuboid(pen, record["corners"], scale, colour)
        return
    box = [float(value) * scale for value in record["box"]]
    if box[2] >= box[0] and box[3] >= box[1]:
        pen.rectangle(box, outline=colour, width=2 if colour != _WHITE else 1)
    for x, y, seen in record.get("points") or ():
        if seen > 0:
            pen.ellipse((x * scale - 2, y * scale - 2, x * scale + 2, y * scale + 2), fill=colour)


def _draw_cuboid(
    pen: ImageDraw.ImageDraw,
    corners: Sequence[Sequence[float]],
    scale: float,
    colour: tuple[int, int, int],
) -> None:
    """The edges of a box in space, and a cross on its front; edges that end behind the camera are left out.

    Args:
        pen: Of the picture.
        corners: x, y and depth of each, in the order of `corners_in_space`.
        scale: Pixels drawn per pixel.
        colour: Of the lines.
    """
    for first, second in _EDGES:
        ends = [corners[first], corners[second]]
        if all(depth > _NEAREST for _, _, depth in ends):
            # Far outside of the picture the line would be cut by the drawing's own range of numbers.
            line = [(max(-_FAR, min(_FAR, x * scale)), max(-_FAR, min(_FAR, y * scale))) for x, y, _ in ends]
            pen.line(line, fill=colour, width=2 if colour != _WHITE else 1)
