"""Mean average precision of found objects, as COCO defines it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainwright.fields import PositiveInt
from trainwright.metrics.arrays import floats, ids
from trainwright.metrics.detection.areas import in_original_pixels
from trainwright.metrics.detection.curves import THRESHOLDS, summary
from trainwright.metrics.detection.evidence import Evidence, Floats, Ints, gather
from trainwright.metrics.detection.overlap import box_areas, box_overlaps

GREATER_IS_BETTER = dict.fromkeys(
    (
        *("map", "map50", "map75", "map_small", "map_medium", "map_large"),
        *("ar_1", "ar_10", "ar_100", "ar_k", "ar_small", "ar_medium", "ar_large"),
    ),
    True,
) | {"unowned": False}
TARGETS = ("boxes", "instances")


def map(
    output: Mapping[str, Any],
    target: Mapping[str, Any],
    classes: Sequence[str] | None = None,
    *,
    detections: list[PositiveInt] = [1, 10, 100],  # noqa: B006 - never changed
) -> dict[str, float]:
    """Mean average precision and average recall, equal to those of COCO's own evaluation.

    Small objects cover up to 32 x 32 pixels of the original picture, large ones more than 96 x 96, by the
    area that the annotation states or else by that of their boxes, or masks.

    Args:
        output: `labels` `[N, K]` (-1 for none) and `scores` `[N, K]`, with `boxes` `[N, K, 4]` or, of other
            objects, `similarity` `[N, K, M]`, `areas` `[N, K]` and `true_areas` `[N, M]`.
        target: `labels` `[N, M]`, `boxes` `[N, M, 4]` and perhaps `crowd` `[N, M]`; also perhaps, where the
            pictures were resized, `pixel_size` `[N, 2]` and `areas` `[N, M]`, see `OriginalPixels`.
        classes: Not used: classes without a true object do not count.
        detections: Objects per picture and class that count, the surest first, rising: each gives an average
            recall, and the last one holds for everything else.

    Returns:
        `map`, `map50`, `map75`, `map_small`, `map_medium`, `map_large`, `ar_1`, `ar_10`, `ar_100`,
        `ar_small`, `ar_medium`, `ar_large`, all in 0..1, NaN where there is nothing of the kind to be found.
        `unowned`, where the head tells it: true objects that no cell of it can learn.
    """
    values = summary(evidence_of(output, target, detections[-1]), detections)
    if "unowned" in output:
        values["unowned"] = float(ids(output["unowned"]).sum())
    return values


def evidence_of(output: Mapping[str, Any], target: Mapping[str, Any], limit: int = 100) -> Evidence:
    """Finds and truths of a split, from what `map` gets.

    Args:
        output: See `map`.
        target: See `map`.
        limit: Finds per sample and class that count.
    """
    crowd = np.asarray(target["crowd"]).astype(bool) if "crowd" in target else None
    if "similarity" in output:
        alike = floats(output["similarity"])
        areas, true_areas = floats(output["areas"]), floats(output["true_areas"])

        def similarity(n: Ints, k: Ints, m: Ints) -> Floats:
            return alike[n, k, m]
    else:
        boxes, true = floats(output["boxes"]), floats(target["boxes"])
        areas, true_areas = box_areas(boxes), box_areas(true)

        def similarity(n: Ints, k: Ints, m: Ints) -> Floats:
            return box_overlaps(boxes[n, k], true[n, m], None if crowd is None else crowd[n, m])

    areas, true_areas = in_original_pixels(target, areas, true_areas)
    return gather(
        ids(output["labels"]),
        floats(output["scores"]),
        areas,
        ids(target["labels"]),
        true_areas,
        similarity,
        crowd=crowd,
        least=float(THRESHOLDS[0]),
        limit=limit,
    )
