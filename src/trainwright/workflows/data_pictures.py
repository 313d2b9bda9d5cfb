"""Pictures of samples, for reports and for pages about data. No torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from trainwright.data.checks.finding import Findings
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.processors.image_bands import as_seen
from trainwright.data.processors.image_raw import look
from trainwright.data.types import BadSample, PreparedData
from trainwright.report.pictures import data_uri

OBJECTS = ("boxes", "instances", "keypoints")
"""Target types whose answers are places in the original picture."""
_MOST = 300  # a page stays quick to open


def thumbnails(data: PreparedData, findings: Findings) -> dict[int, str]:
    """Row -> picture of every example that has one, at most 300."""
    bad = {item.row for item in data.dropped if item not in data.left_out}
    picture = picture_of(data)
    found: dict[int, str] = {}
    for item in findings.found:
        for example in item["examples"]:
            for row in (example["row"], example["other"]):
                if row < 0 or row in bad or row in found or len(found) >= _MOST:
                    continue
                try:
                    pixels = picture(row)
                except (BadSample, OSError):
                    continue  # a file that went away meanwhile has no picture, which says enough
                if pixels is not None:
                    found[row] = data_uri(np.asarray(pixels))
    return found


def picture_of(data: PreparedData) -> Callable[[int], np.ndarray | None]:
    """Gives the picture of a row `[H, W, C]` uint8 for a report, None where rows have none.

    Where objects are found in pictures, their places are pixels of the original: then that is what is given.
    """
    name = next((name for name, item in data.inputs.items() if item.type == "image"), None)
    objects = any(item.type in OBJECTS for item in data.targets.values())
    column = next((item for item in data.columns if item.name == name), None)

    def picture(row: int) -> np.ndarray | None:
        if name is None:
            return None
        if objects and column is not None:
            return original_pixels(column.source.column(column.parts[0])[row])
        if name in data.streamed:
            return as_seen(data.inputs[name].encode(data.streamed[name][row]))
        return as_seen(np.asarray(data.arrays[name][row]))

    return picture


def original_pixels(raw: Any) -> np.ndarray:
    """A picture `[H, W, 3]` uint8, upright and in its own size. Raises `BadSample`."""
    seen = look(raw)
    if seen is None:
        raise BadSample("the picture cannot be read")
    processor = ImageProcessor(size=list(seen.size), mode="rgb" if seen.bands <= 4 else "bands")
    processor.inspect([raw])
    return as_seen(processor.encode(raw))
