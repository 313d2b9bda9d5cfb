"""One run after another: what the first finds in pictures, the second is asked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from trainwright.data.objects_cut import cut, window_of
from trainwright.data.types import BadSample
from trainwright.errors import UserError
from trainwright.inference.predictions import Predictions
from trainwright.inference.predictor import Predictor
from trainwright.workflows.data_pictures import original_pixels
from trainwright.workflows.drawing_answers import picture_of_item


def answer_crops(
    found: Predictions,
    items: Sequence[Any],
    image: str,
    second: Predictor,
    *,
    margin: float,
    least_score: float,
) -> int:
    """Asks a second run about every found object, whose record gets its answers under `then`.

    Args:
        found: Answers of a run that finds objects, in the order of the items.
        items: As the first run's predictor took them.
        image: Source column of the picture, for items that are mappings.
        second: A run with one image input.
        margin: Added around every box, as a share of its width and height; as in training.
        least_score: Objects of a lower score are not asked about.

    Returns:
        Number of objects that were asked about.

    Raises:
        UserError: The first run finds no objects, or the second reads something else than one image.
    """
    columns = found.found_objects()
    if not columns:
        raise UserError("the run finds no objects to go on with", where="--then", fix="leave it out")
    if [item.type for item in second.inputs.values()] != ["image"]:
        raise UserError(
            "the second run does not read one picture",
            where="--then",
            why=", ".join(f"{name} is {item.type}" for name, item in second.inputs.items()),
            fix="train it on the objects cut out (data.source: {name: crops, of: ...})",
        )
    asked = 0
    for place, item in enumerate(items):
        records = [
            record
            for values in columns
            for record in values[place] or ()
            if record.get("score", 1.0) >= least_score
        ]
        if records:
            asked += _ask(records, item, image, second, margin)
    return asked


def _ask(records: list[dict[str, Any]], item: Any, image: str, second: Predictor, margin: float) -> int:
    try:
        pixels = original_pixels(picture_of_item(item, image))
    except BadSample:
        return 0  # its row of the answers says why
    size = (pixels.shape[0], pixels.shape[1])
    windows = [window_of(record["box"], size, margin) for record in records]
    crops = [cut(pixels, window) for window in windows if window is not None]
    answers = iter(second.predict(crops).records() if crops else [])
    for record, window in zip(records, windows, strict=True):
        if window is not None:
            record["then"] = _without_name(next(answers))
    return len(crops)


def _without_name(answer: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in answer.items() if name != "sample"}
