"""Found objects in the form of COCO's results file, https://cocodataset.org/#format-results."""

from __future__ import annotations

import json
from typing import Any

from trainwright.inference.coco_ids import ResultIds
from trainwright.inference.predictions import Predictions


def coco_results(predictions: Predictions, target: str, ids: ResultIds) -> bytes:
    """JSON: an entry per found object with `image_id`, `category_id`, `bbox` (x, y, width, height), `score`.

    `category` and `file_name` say in words what the ids mean. Points follow as `keypoints`, masks as
    `segmentation` (run lengths).

    Args:
        predictions: Answers.
        target: The target that finds objects.
        ids: Of the samples and classes; objects of classes without an id are left out.
    """
    found: list[dict[str, Any]] = []
    rows = zip(predictions["sample"], ids.images, predictions[f"{target}_predicted"], strict=True)
    for sample, image, records in rows:
        for record in records or ():
            if record["class"] not in ids.categories:
                continue
            left, top, right, bottom = record["box"]
            entry = {
                "image_id": image,
                "category_id": ids.categories[record["class"]],
                "category": record["class"],
                "file_name": sample,
                "bbox": [left, top, round(right - left, 3), round(bottom - top, 3)],
                "score": record.get("score"),
            }
            if "mask" in record:
                entry["segmentation"] = record["mask"]
            if "points" in record:
                entry["keypoints"] = [value for point in record["points"] for value in point]
            found.append(entry)
    return (json.dumps(found, ensure_ascii=False) + "\n").encode()
