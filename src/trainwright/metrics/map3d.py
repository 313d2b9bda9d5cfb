"""Average precision of boxes in space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from trainwright.fields import Fraction, Positive, PositiveInt
from trainwright.metrics.arrays import Floats, finite_mean, floats, ids
from trainwright.metrics.detection.boxes_in_space import (
    Doubles,
    ground_distances,
    ground_overlaps,
    volume_overlaps,
)
from trainwright.metrics.detection.curves import curves
from trainwright.metrics.detection.evidence import Evidence, Ints, gather
from trainwright.metrics.detection.matching import match

GREATER_IS_BETTER = dict.fromkeys(
    ("map3d", "map3d_k", "map_bev", "map_bev_k", "map_distance"), True
) | dict.fromkeys(("unowned", "depth_error", "size_error", "yaw_error"), False)
TARGETS = ("boxes3d",)


def map3d(
    output: Mapping[str, Any],
    target: Mapping[str, Any],
    *,
    overlaps: list[Fraction] = [0.25, 0.5, 0.7],  # noqa: B006 - never changed
    distances: list[Positive] = [0.5, 1.0, 2.0, 4.0],  # noqa: B006 - never changed
    near: Positive = 2.0,
    detections: PositiveInt = 100,
) -> dict[str, float]:
    """Mean average precision by the overlap of volumes, by that seen from above, and by distance.

    Each find takes, the surest first, the true object of its class that it is nearest to. Precision is
    averaged over 101 places of the recall, as COCO does; KITTI's overlaps are 0.7 for cars and 0.5 for people
    (Geiger et al., CVPR 2012), the distances of the centres on the ground those of nuScenes (Caesar et al.,
    CVPR 2020, arXiv:1903.11027).

    Args:
        output: `labels` `[N, K]` (-1 for none), `scores` `[N, K]` and `boxes3d` `[N, K, 7]`.
        target: `labels` `[N, M]` and `boxes3d` `[N, M, 7]`.
        overlaps: Least intersection over union of a match.
        distances: Largest distance of the centres, seen from above, of a match in metres.
        near: Finds this near to a true object, in metres, tell the errors.
        detections: Objects per picture and class that count, the surest first.

    Returns:
        `map3d`, the mean over classes and overlaps of volumes, and `map3d_25`, ... of one overlap in percent;
        `map_bev` and `map_bev_25`, ... likewise as seen from above; `map_distance`, the mean over distances;
        all in 0..1. Over the finds near a true object, means: `depth_error` as a share of the true depth,
        `size_error` as a share of the true size (of the three sides), `yaw_error` in degrees, 0..180. NaN
        where there is nothing of the kind. `unowned`, where the head tells it.
    """
    found, true = floats(output["boxes3d"]), floats(target["boxes3d"])
    labels, scores, true_labels = ids(output["labels"]), floats(output["scores"]), ids(target["labels"])

    def gathered(measure: Callable[[Any, Any], Doubles], least: float) -> Evidence:
        """Finds matched to true objects where `measure`, of pairs of boxes `[P, 7]`, is `least` or more."""
        nothing = np.zeros(labels.shape), np.zeros(true_labels.shape)

        def similarity(n: Ints, k: Ints, m: Ints) -> Doubles:
            return measure(found[n, k], true[n, m])

        return gather(
            labels, scores, nothing[0], true_labels, nothing[1], similarity, least=least, limit=detections
        )

    values: dict[str, float] = {}
    for name, measure in (("map3d", volume_overlaps), ("map_bev", ground_overlaps)):
        each = _precisions(gathered(measure, min(overlaps)), sorted(overlaps))
        values[name] = finite_mean(np.array(each))
        values |= {
            f"{name}_{round(100 * at)}": value for at, value in zip(sorted(overlaps), each, strict=True)
        }
    nearness = gathered(lambda a, b: -ground_distances(a, b), -max(*distances, near))
    values["map_distance"] = finite_mean(np.array(_precisions(nearness, [-at for at in distances])))
    values |= _errors(nearness, near, found, true)
    if "unowned" in output:
        values["unowned"] = float(ids(output["unowned"]).sum())
    return values


def _precisions(evidence: Evidence, thresholds: Sequence[float]) -> list[float]:
    """Mean over the classes of the average precision at each threshold of similarity."""
    precision = curves(evidence, match(evidence, thresholds)).precision
    return [finite_mean(precision[:, 0, place]) for place in range(len(thresholds))]


def _errors(evidence: Evidence, near: float, found: Floats, true: Floats) -> dict[str, float]:
    """Mean errors of the finds that stand for a true object."""
    truth = match(evidence, [-near]).truth[:, 0, 0]
    right = truth >= 0
    mine = found[evidence.sample[right], evidence.place[right]].astype(np.float64)
    taken = truth[right]
    real = true[evidence.true_sample[taken], evidence.true_place[taken]].astype(np.float64)
    turn = np.remainder(mine[:, 6] - real[:, 6] + np.pi, 2 * np.pi) - np.pi
    errors = {
        "depth_error": np.abs(mine[:, 2] / real[:, 2] - 1),
        "size_error": np.abs(mine[:, 3:6] / real[:, 3:6] - 1),
        "yaw_error": np.abs(np.degrees(turn)),
    }
    return {name: finite_mean(value) for name, value in errors.items()}
