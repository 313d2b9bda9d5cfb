"""The table columns of a target's answers, by the type of the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainwright.data.batch import Value
from trainwright.data.objects import OBJECT_TYPES, Objects
from trainwright.data.run_lengths import from_mask, to_text
from trainwright.data.types import Processor
from trainwright.inference.answer_pictures import class_maps
from trainwright.inference.similarities import similarities
from trainwright.inference.vector_columns import (
    categories_columns,
    category_columns,
    distribution_columns,
    number_columns,
)
from trainwright.metrics import sparse_confusion
from trainwright.metrics.class_maps import miou_per_picture
from trainwright.metrics.crps import of_samples
from trainwright.metrics.detection.boxes_in_space import corners_in_space
from trainwright.metrics.pit import transform
from trainwright.tasks.supervised.target import answer_of

Sizes = Sequence[tuple[int, int] | None]
"""Height and width of each sample's original picture, in whose pixels places are told; None where unknown."""

Records = list[dict[str, Any]]
"""The objects of one sample, see `object_records`."""

IN_PICTURES = (*OBJECT_TYPES, "mask", "image")
"""Target types whose answer is told in pixels of the original picture."""


def answer_columns(
    name: str,
    processor: Processor,
    output: Value,
    target: Value | None = None,
    loss: Any = None,
    sizes: Sizes | None = None,
) -> dict[str, Any]:
    """Columns as `predictions` describes them.

    Args:
        name: The target.
        processor: Of the target.
        output: Raw outputs `[n, ...]` of the task, or several of them by name.
        target: The truth, where it is known.
        loss: Loss per sample `[n]`.
        sizes: Of the samples' pictures; the processed ones when absent.
    """
    losses = None if loss is None else loss.double().numpy()
    answer: Any = answer_of(output)
    truth: Any = target
    if processor.type == "category":
        return category_columns(
            name,
            processor.spec().classes,
            answer.double().softmax(1).numpy(),
            true=None if truth is None else truth.numpy(),
            loss=losses,
        )
    if processor.type == "categories":
        return categories_columns(
            name,
            processor.spec().classes,
            answer.double().sigmoid().numpy(),
            true=None if truth is None else truth.numpy(),
            loss=losses,
        )
    if processor.type == "distribution" and not isinstance(answer, dict):
        return _of_bins(name, processor, answer.double().softmax(1).numpy(), truth, losses)
    if processor.type in OBJECT_TYPES:
        columns: dict[str, Any] = {} if truth is None else {name: true_objects(processor, truth, sizes)}
        columns[f"{name}_predicted"] = _objects(processor, answer, sizes)
        if truth is not None:
            _tell_overlaps(processor.type, columns[f"{name}_predicted"], answer, truth)
    elif processor.type == "mask" and isinstance(answer, dict) and "confusion" in answer:
        columns = _of_confusion(name, answer["confusion"].numpy())
    elif processor.type == "mask" and not isinstance(answer, dict):
        shares = [map.shares() for map in class_maps(processor, answer, sizes)]
        columns = {f"{name}_shares": np.array(shares).reshape(len(shares), -1)}
    elif isinstance(answer, dict):
        columns = _scores(name, answer)
    elif processor.type == "image":
        columns = {}
    else:
        true = None if truth is None else processor.decode(truth)
        return number_columns(name, processor.decode(answer), true=true, loss=losses)
    if losses is not None:
        columns[f"{name}_loss"] = losses
    return columns


def _of_bins(
    name: str, processor: Processor, probabilities: np.ndarray, truth: Any, losses: np.ndarray | None
) -> dict[str, Any]:
    true = None if truth is None else processor.decode(truth)
    predicted, edges = processor.decode(probabilities), processor.spec().edges
    if true is None:
        return distribution_columns(name, predicted, probabilities, loss=losses)
    return distribution_columns(
        name,
        predicted,
        probabilities,
        true=true,
        below=transform(probabilities, true[:, None], edges),
        crps=of_samples(probabilities, true[:, None], edges),
        loss=losses,
    )


def _of_confusion(name: str, counts: np.ndarray) -> dict[str, Any]:
    """Columns of a mask whose truth is known, from matrices `[N, C, C]` with true classes in rows."""
    pixels = np.maximum(counts.sum(axis=(1, 2)), 1)
    hits = counts.diagonal(axis1=1, axis2=2)
    known = counts.any(axis=(1, 2))
    return {
        f"{name}_shares": counts.sum(axis=1) / pixels[:, None],
        f"{name}_accuracy": np.where(known, hits.sum(axis=1) / pixels, np.nan),
        f"{name}_miou": miou_per_picture(counts),
        f"{name}_confusion": sparse_confusion.written(counts),
    }


def _scores(name: str, kept: dict[str, Any]) -> dict[str, Any]:
    """What was kept of each sample for scoring and is one number."""
    return {
        f"{name}_{part}": values.double().numpy()
        for part, values in kept.items()
        if values.ndim == 1 and not part.startswith("loss")
    }


def _objects(processor: Any, value: Mapping[str, Any], sizes: Sizes | None) -> list[Records]:
    count = len(value["labels"])
    return [
        object_records(
            processor.decode(
                {part: values[place] for part, values in value.items() if not part.startswith("loss")},
                None if sizes is None else sizes[place],
            )
        )
        for place in range(count)
    ]


def true_objects(processor: Any, truth: Any, sizes: Sizes | None) -> list[Records]:
    """The annotated objects of each sample.

    Args:
        processor: Of the target.
        truth: Columns of several tensors by name, or one such mapping of a single sample after the other.
        sizes: Of the samples' pictures; the processed ones when absent.
    """
    if isinstance(truth, Mapping):
        return _objects(processor, truth, sizes)
    return [
        object_records(processor.decode(value, None if sizes is None else sizes[place]))
        for place, value in enumerate(truth)
    ]


def _tell_overlaps(
    type: str, found: list[Records], answer: Mapping[str, Any], truth: Mapping[str, Any]
) -> None:
    """Adds to each found object how it overlaps the true ones, in their order, where boxes do not decide."""
    for place, records in enumerate(found):
        rows, columns = (np.flatnonzero(value["labels"][place].numpy() >= 0) for value in (answer, truth))
        table = similarities(type, answer, truth, place, rows, columns)
        if table is None:
            return
        for record, overlaps in zip(records, table.round(4).tolist(), strict=True):
            record["overlaps"] = overlaps


def object_records(objects: Objects) -> Records:
    """Objects as JSON has them: `class`, `score`, `box`, `points`, `mask`, `box3d`, as far as there are any.

    Places are rounded to a thousandth of a pixel, lengths to a millimetre, the yaw of a box in space to a
    ten-thousandth. With it come its `corners` in the picture, see `drawn_corners`. A mask is run lengths as
    COCO writes them: `size` (height and width) and `counts`, a text.
    """
    records: Records = []
    corners = drawn_corners(objects)
    for place, label in enumerate(objects.labels):
        record: dict[str, Any] = {"class": label}
        if "score" in objects.extra:
            record["score"] = float(objects.extra["score"][place])
        record["box"] = np.round(objects.boxes[place], 3).tolist()
        if objects.keypoints is not None:
            record["points"] = np.round(objects.keypoints.points[place], 3).tolist()
        if len(objects.segments):
            mask = np.asarray(objects.segments[place], dtype=bool)
            record["mask"] = {"size": list(mask.shape), "counts": to_text(from_mask(mask))}
        if corners is not None:
            record["box3d"] = _in_space(objects.extra["box3d"][place])
            record["corners"] = corners[place].round(3).tolist()
        records.append(record)
    return records


def drawn_corners(objects: Objects) -> np.ndarray | None:
    """Where the corners of boxes in space lie in the picture, `[n, 8, 3]`: x, y, and the depth in metres.

    Their order is that of `corners_in_space`. A corner behind the camera (depth 0 and less) lies nowhere: its
    x and y are 0. None where there is no camera or nothing in space.
    """
    if objects.projection is None or "box3d" not in objects.extra:
        return None
    corners = corners_in_space(objects.extra["box3d"])
    seen = corners @ objects.projection[:, :3].T + objects.projection[:, 3]
    ahead = seen[..., 2:] > 0
    places = np.where(ahead, seen[..., :2] / np.where(ahead, seen[..., 2:], 1.0), 0.0)
    return np.concatenate([places, seen[..., 2:]], axis=-1)


def _in_space(box: np.ndarray) -> dict[str, Any]:
    """Centre (x, y, z), size (height, width, length) in metres, and yaw in radians."""
    centre, size = box[:3].round(3).tolist(), box[3:6].round(3).tolist()
    return {"centre": centre, "size": size, "yaw": round(float(box[6]), 4)}
