"""Pictures of samples, for reports and for pages about data. No torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from trainwright.data.checks.finding import Findings
from trainwright.data.objects import OBJECT_TYPES
from trainwright.data.processors.image import ImageProcessor
from trainwright.data.processors.image_bands import as_seen
from trainwright.data.processors.image_raw import look
from trainwright.data.types import BadSample, PreparedData
from trainwright.report.drawing import with_classes
from trainwright.report.pictures import data_uri
from trainwright.runs.directory import answer_picture

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


def picture_of(data: PreparedData, evaluations: Path | None = None) -> Callable[[int], np.ndarray | None]:
    """Gives the picture of a row `[H, W, C]` uint8 for a report, None where rows have none.

    Where objects are found in pictures, their places are pixels of the original: then that is what is given.

    Args:
        data: Prepared data.
        evaluations: Folder of the splits' evaluations, for answers that are pictures: where there is one for
            a row, it stands between the picture and the truth.
    """
    name = next((name for name, item in data.inputs.items() if item.type == "image"), None)
    objects = any(item.type in OBJECT_TYPES for item in data.targets.values())
    folders = sorted(evaluations.iterdir()) if evaluations is not None and evaluations.is_dir() else []
    answered = [target for target, item in data.targets.items() if item.type in ("image", "mask")]
    column = next((item for item in data.columns if item.name == name), None)

    def picture(row: int) -> np.ndarray | None:
        """The picture of a row, uint8 `[H, W, 3]` or gray, with its answer and its truth beside it."""
        if name is None:
            return None
        if objects and column is not None:
            return original_pixels(column.source.column(column.parts[0])[row])
        seen = _stored(data, name, row)
        for target in answered:
            for folder in folders:
                if (file := answer_picture(folder, target, row)).is_file():
                    answer = np.asarray(Image.open(file))
                    if data.targets[target].type == "mask":
                        return _side_by_side(_under_classes(data, target, row, seen, answer))
                    return _side_by_side([seen, answer, _stored(data, target, row)])
        return seen

    return picture


def _under_classes(
    data: PreparedData, target: str, row: int, seen: np.ndarray, answer: np.ndarray
) -> list[np.ndarray]:
    """The picture, under the colours of its true classes, and under those of the predicted ones."""
    processor: Any = data.targets[target]
    if target in data.streamed:
        truth = processor.encode(data.streamed[target][row])
    else:
        truth = np.asarray(data.arrays[target][row])
    if not truth.shape == answer.shape == seen.shape[:2]:
        return [seen]
    coloured = _coloured(seen)
    void = processor.void_id
    # Where nothing is labelled nothing was scored either.
    scored = np.where(truth == void, void, answer.astype(np.int64))
    return [seen, *(with_classes(coloured, ids.astype(np.int64), void) for ids in (truth, scored))]


def _stored(data: PreparedData, column: str, row: int) -> np.ndarray:
    """The picture of a column as it is stored, uint8."""
    if column in data.streamed:
        processor = {**data.inputs, **data.targets}[column]
        return as_seen(processor.encode(data.streamed[column][row]))
    return as_seen(np.asarray(data.arrays[column][row]))


def _side_by_side(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Pictures of one height in a row, in colour."""
    coloured = [_coloured(picture) for picture in pictures]
    height = max(picture.shape[0] for picture in coloured)
    gap = np.full((height, 4, 3), 255, dtype=np.uint8)
    parts = [np.pad(picture, ((0, height - len(picture)), (0, 0), (0, 0))) for picture in coloured]
    return np.concatenate([parts[0], *(item for part in parts[1:] for item in (gap, part))], axis=1)


def _coloured(picture: np.ndarray) -> np.ndarray:
    """A gray picture, or one of three bands or more, as `[H, W, 3]`."""
    bands = picture.reshape(*picture.shape[:2], -1)
    return np.broadcast_to(bands[..., :3] if bands.shape[2] >= 3 else bands[..., :1], (*picture.shape[:2], 3))


def original_pixels(raw: Any) -> np.ndarray:
    """A picture `[H, W, 3]` uint8, upright and in its own size. Raises `BadSample`."""
    seen = look(raw)
    if seen is None:
        raise BadSample("the picture cannot be read")
    processor = ImageProcessor(size=list(seen.size), mode="rgb" if seen.bands <= 4 else "bands")
    processor.inspect([raw])
    return as_seen(processor.encode(raw))
