"""Random finds and truths, and COCO's own evaluation of them."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np

KEYS = ("map", "map50", "map75", "map_small", "map_medium", "map_large")
KEYS += ("ar_1", "ar_10", "ar_100", "ar_small", "ar_medium", "ar_large")


def random_case(
    seed: int, pictures: int = 6, finds: int = 14, truths: int = 8, classes: int = 3, spread: int = 60
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Padded finds and truths whose scores and overlaps are often equal; some pictures have none of either.

    Returns:
        Output and target of the metric.
    """
    rng = np.random.default_rng(seed)

    def boxes(shape: tuple[int, ...]) -> np.ndarray:
        corner = rng.integers(0, spread // 4, (*shape, 2)) * 4
        sides = rng.integers(0, 20, (*shape, 2)) * rng.choice([2, 5, 10], (*shape, 1))
        return np.concatenate([corner, corner + sides], -1).astype(np.float32)

    def labels(shape: tuple[int, int]) -> np.ndarray:
        found = rng.integers(0, classes, shape)
        found[rng.random(shape) < 0.2] = -1
        found[rng.random(shape[0]) < 0.2] = -1
        return found

    true = boxes((pictures, truths))
    guess = boxes((pictures, finds))
    # Half of the finds lie near a truth, some exactly on it.
    near = rng.integers(0, truths, (pictures, finds))
    moved = np.take_along_axis(true, near[..., None], 1) + rng.integers(-3, 4, (pictures, finds, 1))
    guess = np.where(rng.random((pictures, finds, 1)) < 0.5, moved, guess).astype(np.float32)
    output = {
        "boxes": guess,
        "labels": labels((pictures, finds)),
        "scores": (rng.integers(1, 6, (pictures, finds)) / 5).astype(np.float32),
    }
    target = {
        "boxes": true,
        "labels": labels((pictures, truths)),
        "crowd": rng.random((pictures, truths)) < rng.choice([0.0, 0.2]),
    }
    return output, target


def coco_summary(
    output: dict[str, np.ndarray], target: dict[str, np.ndarray], limits: tuple[int, ...] = (1, 10, 100)
) -> dict[str, float]:
    """The numbers of pycocotools, NaN for its -1.

    With `similarity`, `areas` and `true_areas` in the output these take the place of the boxes'.
    """
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = _dataset(target["boxes"], target["labels"], output.get("true_areas"), crowd=target["crowd"])
        found = _dataset(output["boxes"], output["labels"], output.get("areas"), scores=output["scores"])
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.params.imgIds = list(range(1, len(output["labels"]) + 1))
        evaluation.params.catIds = list(range(1, 100))
        evaluation.params.maxDets = list(limits)
        if "similarity" in output:
            evaluation.computeIoU = lambda image, kind: _part(evaluation, output["similarity"], image, kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {key: value if value > -1 else np.nan for key, value in zip(KEYS, evaluation.stats, strict=True)}


def _part(evaluation: Any, similarity: np.ndarray, image: int, kind: int) -> Any:
    finds, truths = evaluation._dts[image, kind], evaluation._gts[image, kind]
    if not finds and not truths:
        return []
    order = np.argsort([-find["score"] for find in finds], kind="mergesort")[: evaluation.params.maxDets[-1]]
    rows = np.array([finds[place]["column"] for place in order], dtype=int)
    columns = np.array([true["column"] for true in truths], dtype=int)
    return similarity[image - 1][np.ix_(rows, columns)]


def _dataset(
    boxes: np.ndarray,
    labels: np.ndarray,
    areas: np.ndarray | None,
    scores: np.ndarray | None = None,
    crowd: np.ndarray | None = None,
) -> Any:
    from pycocotools.coco import COCO

    entries = []
    for image, column in zip(*np.nonzero(labels >= 0), strict=True):
        left, top, right, bottom = boxes[image, column].astype(float)
        width, height = right - left, bottom - top
        entry = {
            "id": len(entries) + 1,
            "image_id": int(image) + 1,
            "category_id": int(labels[image, column]) + 1,
            "bbox": [left, top, width, height],
            "area": width * height if areas is None else float(areas[image, column]),
            "iscrowd": 0 if crowd is None else int(crowd[image, column]),
            "column": int(column),
        }
        if scores is not None:
            entry["score"] = float(scores[image, column])
        entries.append(entry)
    dataset = COCO()
    dataset.dataset = {
        "images": [{"id": image + 1} for image in range(len(labels))],
        "categories": [{"id": number} for number in range(1, 100)],
        "annotations": entries,
    }
    dataset.createIndex()
    return dataset
