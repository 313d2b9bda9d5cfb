"""YOLO: `images`, `labels` and `data.yaml`; keypoints where there are any, else outlines, else boxes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from trainwright.data.objects import Keypoints, Objects
from trainwright.data.writers.base import (
    WHOLE,
    Lost,
    Sample,
    copy_picture,
    lost_crowds,
    lost_numbers,
    picture_names,
)
from trainwright.recipe.writing import flow

_ROUNDED = 1e-3  # pixels


def write(samples: Sequence[Sample], classes: Sequence[str], folder: Path) -> Lost:
    """Writes pictures and objects, coordinates as shares of the picture.

    Args:
        samples: Pictures with objects.
        classes: Names of the classes; their numbers count from 0.
        folder: An empty folder.

    Returns:
        What the format cannot hold, with counts.
    """
    lost: Lost = Lost()
    ids = {name: place for place, name in enumerate(classes)}
    points = next((s.objects.keypoints for s in samples if s.objects and s.objects.keypoints), None)
    splits: dict[str, None] = {}
    for sample, name in zip(samples, picture_names(samples), strict=True):
        assert sample.objects is not None
        split = sample.split or WHOLE
        splits[split] = None
        copy_picture(sample, folder / "images" / split / name)
        lines = [
            _line(sample.objects, place, ids, points is not None, lost)
            for place in range(len(sample.objects))
        ]
        path = folder / "labels" / split / f"{PurePosixPath(name).with_suffix('')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        lost_crowds(lost, sample.objects)
        lost_numbers(lost, sample.objects, [])
    if points is not None:
        lost["lines between keypoints (the skeleton)"] += len(points.edges)
    (folder / "data.yaml").write_text(_configuration(classes, list(splits), points), encoding="utf-8")
    return lost


def _line(objects: Objects, place: int, ids: dict[str, int], pose: bool, lost: Lost) -> str:
    height, width = objects.size
    scale = np.array([width, height], dtype=np.float64)
    box = objects.boxes[place]
    segment = objects.segments[place] if objects.segments else None
    if not pose and isinstance(segment, tuple) and len(segment) == 1:
        low, high = segment[0].min(axis=0), segment[0].max(axis=0)
        if np.abs(np.concatenate([low, high]) - box).max() > _ROUNDED:
            lost["boxes that are not the bounds of their outline"] += 1
        return _words(ids[objects.labels[place]], (segment[0] / scale).reshape(-1))
    if segment is not None:
        lost["outlines that are not one polygon (their boxes are written)" if not pose else "outlines"] += 1
    values = np.concatenate([(box[:2] + box[2:]) / 2 / scale, (box[2:] - box[:2]) / scale])
    if pose and objects.keypoints is not None:
        marked = objects.keypoints.points[place] / np.append(scale, 1.0)
        values = np.concatenate([values, marked.reshape(-1)])
    return _words(ids[objects.labels[place]], values)


def _words(kind: int, values: np.ndarray) -> str:
    return " ".join([str(kind), *(repr(float(value)) for value in values)])


def _configuration(classes: Sequence[str], splits: list[str], points: Keypoints | None) -> str:
    lines = ["path: ."]
    lines += [f"{split}: images/{split}" for split in splits if split != WHOLE]
    lines += ["names:", *(f"  {place}: {flow(name)}" for place, name in enumerate(classes))]
    if points is not None:
        lines += [f"kpt_shape: [{len(points.names)}, 3]", f"kpt_names: {{0: {flow(list(points.names))}}}"]
        lines += [f"flip_idx: {flow(list(points.mirrored))}"] if points.mirrored else []
    return "\n".join(lines) + "\n"
