"""Found objects in the form of COCO's results file, https://cocodataset.org/#format-results."""

from __future__ import annotations

import json
from pathlib import PurePath
from typing import Any

from trainwright.errors import UserError
from trainwright.inference.predictions import Predictions


def coco_results(predictions: Predictions) -> bytes:
    """JSON: an entry per found object with `image_id`, `category_id`, `bbox` (x, y, width, height), `score`.

    `image_id` is the number that a file's name consists of, as in COCO's own pictures, else the name;
    `category_id` counts the classes from 1, and `category` has the name. Points follow as `keypoints`, masks
    as `segmentation` (run lengths).

    Raises:
        UserError: The run finds no objects, or objects of several targets.
    """
    targets = [name for name in predictions.columns if _holds_objects(predictions.columns[name])]
    if len(targets) != 1:
        several = ", ".join(name.removesuffix("_predicted") for name in targets)
        raise UserError(
            f"COCO's results hold the objects of one target, and the run has {several or 'none'}",
            where="--format",
            fix="use json, which holds every answer",
        )
    classes = predictions.classes[targets[0].removesuffix("_predicted")]
    ids = {name: place for place, name in enumerate(classes, start=1)}
    found: list[dict[str, Any]] = []
    for sample, records in zip(predictions["sample"], predictions[targets[0]], strict=True):
        for record in records or ():
            left, top, right, bottom = record["box"]
            entry = {
                "image_id": _image_id(sample),
                "category_id": ids[record["class"]],
                "category": record["class"],
                "bbox": [left, top, round(right - left, 3), round(bottom - top, 3)],
                "score": record.get("score"),
            }
            if "mask" in record:
                entry["segmentation"] = record["mask"]
            if "points" in record:
                entry["keypoints"] = [value for point in record["points"] for value in point]
            found.append(entry)
    return (json.dumps(found, ensure_ascii=False) + "\n").encode()


def _holds_objects(values: Any) -> bool:
    return isinstance(values, list) and any(isinstance(value, list) for value in values)


def _image_id(sample: str) -> int | str:
    stem = PurePath(sample).stem
    return int(stem) if stem.isascii() and stem.isdigit() else sample
