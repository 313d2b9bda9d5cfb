"""COCO JSON: one file per split in `annotations`, pictures in `images`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data import run_lengths
from trainwright.data.objects import Keypoints, Objects, RunLengths, Segment
from trainwright.data.sources.coco_categories import mirror_places
from trainwright.data.writers.base import (
    WHOLE,
    Lost,
    Sample,
    area_of,
    copy_picture,
    lost_numbers,
    number,
    picture_names,
)


def write(
    samples: Sequence[Sample],
    classes: Sequence[str],
    folder: Path,
    supercategories: Mapping[str, str] | None = None,
) -> Lost:
    """Writes pictures and objects.

    Args:
        samples: Pictures with objects.
        classes: Names of the classes; their ids count from 1.
        folder: An empty folder.
        supercategories: Class -> the class above it.

    Returns:
        What the format cannot hold, with counts.
    """
    lost: Lost = Lost()
    names = picture_names(samples)
    points = next((s.objects.keypoints for s in samples if s.objects and s.objects.keypoints), None)
    categories = [_category(place, name, points) for place, name in enumerate(classes, start=1)]
    for category in categories:
        if above := (supercategories or {}).get(category["name"]):
            category["supercategory"] = above
    if points is not None and points.mirrored and tuple(points.mirrored) != mirror_places(points.names):
        lost["keypoints that mirror another one, which names do not tell"] += sum(
            place != other for place, other in enumerate(points.mirrored)
        )
    parts: dict[str, dict[str, list[Any]]] = {}
    ids = {name: place for place, name in enumerate(classes, start=1)}
    count = 0
    for place, (sample, name) in enumerate(zip(samples, names, strict=True), start=1):
        assert sample.objects is not None
        split = sample.split or WHOLE
        part = parts.setdefault(split, {"images": [], "annotations": []})
        path = f"{split}/{name}"
        copy_picture(sample, folder / "images" / path)
        height, width = sample.objects.size
        part["images"].append({"id": place, "file_name": path, "width": width, "height": height})
        for item in _annotations(sample.objects, ids):
            count += 1
            part["annotations"].append({"id": count, "image_id": place, **item})
        lost_numbers(lost, sample.objects, ["area"])
    (folder / "annotations").mkdir()
    for split, part in parts.items():
        text = json.dumps({**part, "categories": categories}, ensure_ascii=False, allow_nan=False)
        (folder / "annotations" / f"instances_{split}.json").write_text(text, encoding="utf-8")
    return lost


def _category(place: int, name: str, points: Keypoints | None) -> dict[str, Any]:
    category: dict[str, Any] = {"id": place, "name": name}
    if points is not None:
        category["keypoints"] = list(points.names)
        category["skeleton"] = [[start + 1, end + 1] for start, end in points.edges]
    return category


def _annotations(objects: Objects, ids: dict[str, int]) -> list[dict[str, Any]]:
    items = []
    areas = objects.extra.get("area")
    for place, label in enumerate(objects.labels):
        segment = objects.segments[place] if objects.segments else None
        left, top, right, bottom = objects.boxes[place].tolist()
        stated = areas is not None and np.isfinite(areas[place])
        area = float(areas[place]) if areas is not None and stated else area_of(segment, objects.boxes[place])
        item: dict[str, Any] = {
            "category_id": ids[label],
            "bbox": [number(value) for value in (left, top, right - left, bottom - top)],
            "area": number(area),
            "iscrowd": int(objects.crowd[place]) if objects.crowd is not None else 0,
        }
        if segment is not None:
            item["segmentation"] = _outline(segment)
        if objects.keypoints is not None:
            values = objects.keypoints.points[place]
            item["keypoints"] = [number(value) for value in values.reshape(-1).tolist()]
            item["num_keypoints"] = int((values[:, 2] > 0).sum())
        items.append(item)
    return items


def _outline(segment: Segment) -> Any:
    if isinstance(segment, np.ndarray):
        segment = run_lengths.from_mask(segment)
    if isinstance(segment, RunLengths):
        return {"size": list(segment.size), "counts": run_lengths.to_text(segment)}
    return [[number(value) for value in polygon.reshape(-1).tolist()] for polygon in segment]
