"""Pictures with what a run found in them: objects, and the classes of their pixels."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from PIL import Image

from trainwright.data.types import BadSample, RawFile
from trainwright.errors import UserError
from trainwright.inference.answer_pictures import ClassMap
from trainwright.inference.predictions import Predictions
from trainwright.report.drawing import with_classes
from trainwright.report.found import with_found
from trainwright.runs.atomic import write_bytes
from trainwright.workflows.data_pictures import original_pixels

LARGEST = 2048  # pixels of a drawn picture's longer side


def draw_answers(
    predictions: Predictions, items: Sequence[Any], image: str, folder: Path, least_score: float
) -> int:
    """Writes a PNG per item with its found objects and in the colours of its pixels' classes, named after it.

    The answers get a column `drawn`, the path of each item's file.

    Args:
        predictions: Answers, in the order of the items.
        items: As the predictor took them.
        image: Source column of the picture, for items that are mappings.
        folder: An existing folder; names stay inside, doubled ones are numbered.
        least_score: Objects of a lower score are not drawn.

    Returns:
        Number of pictures written; items that could not be read have none.

    Raises:
        UserError: The run finds neither objects nor classes of pixels.
        StorageError: A file cannot be written.
    """
    columns = predictions.found_objects()
    maps = [
        values for values in predictions.pictures.values() if any(isinstance(v, ClassMap) for v in values)
    ]
    if not columns and not maps:
        raise UserError(
            "the run finds no objects or classes of pixels that could be drawn",
            where="--draw",
            fix="leave it out",
        )
    taken: set[str] = set()
    paths: list[str | None] = [None] * len(items)
    for place, item in enumerate(items):
        try:
            pixels = original_pixels(picture_of_item(item, image))
        except BadSample:
            continue  # its row of the answers says why
        records = [
            record
            for values in columns
            for record in values[place] or ()
            if record.get("score", 1.0) >= least_score
        ]
        for values in maps:
            if values[place] is not None:
                pixels = with_classes(pixels, values[place].original(), values[place].processor.void_id)
        drawn = Image.fromarray(with_found(pixels, [], records, LARGEST))
        file = io.BytesIO()
        drawn.save(file, "png", compress_level=3)
        path = folder / free_name(str(predictions["sample"][place]), taken)
        write_bytes(path, file.getvalue())
        paths[place] = str(path)
    predictions.columns["drawn"] = paths
    return sum(path is not None for path in paths)


def picture_of_item(item: Any, image: str) -> Any:
    """The raw picture of an item as the predictor takes it."""
    value = item[image] if isinstance(item, Mapping) else item
    return RawFile(str(value)) if isinstance(value, str | Path) else value


def free_name(sample: str, taken: set[str]) -> str:
    """A PNG's name after that of a sample, which is added to those that are taken."""
    stem = re.sub(r"[^\w.-]", "_", PurePath(sample).stem).lstrip(".") or "picture"
    name, number = f"{stem}.png", 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}.png"
    taken.add(name)
    return name
