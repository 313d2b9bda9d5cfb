"""Answers that are pictures, as files."""

from __future__ import annotations

from pathlib import Path

from trainwright.errors import UserError
from trainwright.inference.predictions import Predictions
from trainwright.runs.atomic import write_bytes
from trainwright.workflows.drawing_answers import free_name


def write_pictures(predictions: Predictions, folder: Path) -> int:
    """Writes a PNG per item and target whose answers are pictures, named after the item.

    The answers get a column `<target>_picture`, the path of each item's file.

    Args:
        predictions: Answers.
        folder: An existing folder; names stay inside, doubled ones are numbered. Several targets get a folder
            each within it.

    Returns:
        Number of pictures written; items that could not be read have none.

    Raises:
        UserError: No target's answers are pictures.
        StorageError: A file cannot be written.
    """
    if not predictions.pictures:
        raise UserError("no answer of the run is a picture", where="--pictures", fix="leave it out")
    written = 0
    folders: set[str] = set()
    for target, pictures in predictions.pictures.items():
        alone = len(predictions.pictures) == 1
        place = folder if alone else folder / free_name(target, folders).removesuffix(".png")
        place.mkdir(exist_ok=True)
        taken: set[str] = set()
        paths: list[str | None] = [None] * len(pictures)
        for number, (sample, picture) in enumerate(zip(predictions["sample"], pictures, strict=True)):
            if picture is not None:
                path = place / free_name(str(sample), taken)
                write_bytes(path, picture.png())
                paths[number] = str(path)
        predictions.columns[f"{target}_picture"] = paths
        written += sum(path is not None for path in paths)
    return written
