"""Found and annotated objects drawn into a picture."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from trainwright.report.drawing import COLOURS, printable

Records = Sequence[Mapping[str, Any]]
"""Objects as the table of predictions has them: `class`, `box`, and perhaps `score` and `points`."""
_WHITE = (255, 255, 255)


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
    pen = ImageDraw.Draw(image)
    for record in true:
        _draw(pen, record, scale, _WHITE)
    for record in found:
        colour = COLOURS[zlib.crc32(str(record["class"]).encode()) % len(COLOURS)]
        _draw(pen, record, scale, colour)
        score = f" {record['score']:.2f}" if record.get("score") is not None else ""
        left, top = (float(value) * scale for value in record["box"][:2])
        pen.text((left + 2, top + 1), printable(f"{record['class']}{score}"), fill=colour)
    return np.asarray(image)


def _draw(
    pen: ImageDraw.ImageDraw, record: Mapping[str, Any], scale: float, colour: tuple[int, int, int]
) -> None:
    box = [float(value) * scale for value in record["box"]]
    if box[2] >= box[0] and box[3] >= box[1]:
        pen.rectangle(box, outline=colour, width=2 if colour != _WHITE else 1)
    for x, y, seen in record.get("points") or ():
        if seen > 0:
            pen.ellipse((x * scale - 2, y * scale - 2, x * scale + 2, y * scale + 2), fill=colour)
