"""Mean average precision of found keypoints, as COCO defines it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainwright.fields import PositiveInt
from trainwright.metrics.arrays import Floats, Ints, floats, ids
from trainwright.metrics.detection.areas import pixel_sizes
from trainwright.metrics.detection.curves import THRESHOLDS, summary
from trainwright.metrics.detection.evidence import gather
from trainwright.metrics.detection.overlap import box_areas
from trainwright.metrics.keypoint_similarity import keypoint_similarity, point_sigmas

GREATER_IS_BETTER = dict.fromkeys(
    ("map", "map50", "map75", "map_medium", "map_large", "ar_k", "ar_medium", "ar_large"), True
)
TARGETS = ("keypoints",)


def keypoint_map(
    output: Mapping[str, Any],
    target: Mapping[str, Any],
    *,
    sigmas: float | list[float] | None = None,
    detections: PositiveInt = 20,
) -> dict[str, float]:
    """Average precision and recall by the similarity of keypoints (OKS), equal to those of COCO's evaluation.

    Medium objects cover 32 x 32 to 96 x 96 pixels of the original picture, large ones more. An object's area
    is that of its box where the truth does not tell it; of what was found, that of the box around its points.
    Distances are measured in pixels of the original as well.
    True objects without an annotated point need not be found.

    Args:
        output: `labels` `[N, D]` (-1 for none), `scores` `[N, D]` and `points` `[N, D, K, 3]`.
        target: `labels` `[N, M]`, `boxes` `[N, M, 4]`, `points` `[N, M, K, 3]`, and perhaps `areas`
            `[N, M]` and `pixel_size` `[N, 2]`, see `OriginalPixels`.
        sigmas: Spread of annotators for each point, or for all of them, as a share of the root of the area;
            those of COCO for its 17 points when absent.
        detections: Objects per picture and class that count, the surest first.

    Returns:
        `map`, `map50`, `map75`, `map_medium`, `map_large`, `ar_20`, `ar_medium`, `ar_large`, all in 0..1,
        NaN where there is nothing of the kind to be found.
    """
    found, true, boxes = floats(output["points"]), floats(target["points"]), floats(target["boxes"])
    spread = point_sigmas(sigmas, true.shape[2])
    sizes = pixel_sizes(target, len(true))[:, None]
    # Visibility keeps its value.
    stretch = np.concatenate([sizes, np.ones((len(true), 1, 1))], axis=2)[:, None]
    found, true = found * stretch, true * stretch
    boxes = boxes * np.concatenate([sizes, sizes], axis=2)
    areas = box_areas(boxes)
    if "areas" in target:
        stated = floats(target["areas"]).astype(np.float64)
        areas = np.where(stated >= 0, stated, areas)

    def similarity(n: Ints, k: Ints, m: Ints) -> Floats:
        return keypoint_similarity(found[n, k], true[n, m], areas[n, m], boxes[n, m], spread)

    extent = (found[..., :2].max(axis=2) - found[..., :2].min(axis=2)).astype(np.float64)
    annotated = (true[..., 2] > 0).any(axis=2)
    evidence = gather(
        ids(output["labels"]),
        floats(output["scores"]),
        extent[..., 0] * extent[..., 1],
        ids(target["labels"]),
        # Of no range of size: such a truth is neither missed nor wrong to find.
        np.where(annotated, areas, np.inf),
        similarity,
        least=float(THRESHOLDS[0]),
        limit=detections,
    )
    values = summary(evidence, [detections])
    # COCO annotates no points of small objects.
    return {name: value for name, value in values.items() if not name.endswith("_small")}
