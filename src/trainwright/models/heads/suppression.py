"""From many scored candidates to the few objects that are told."""

from __future__ import annotations

import torch
from torch import Tensor


def suppressed(
    boxes: Tensor,
    labels: Tensor,
    scores: Tensor,
    *,
    least_score: float,
    overlap: float,
    detections: int,
) -> dict[str, Tensor]:
    """Non-maximum suppression within each image and class.

    Args:
        boxes: Candidates `[B, K, 4]`, float32.
        labels: Their classes, int64 `[B, K]`.
        scores: `[B, K]`.
        least_score: Candidates below it are left out.
        overlap: Of two of a class that overlap by more the surer one stays.
        detections: Objects that are told per image.

    Returns:
        `boxes` `[B, detections, 4]`, `labels` `[B, detections]` (-1 for none), `scores`, which fall.
    """
    # torchvision takes seconds to import.
    from torchvision.ops import nms

    count = len(boxes)
    found = {
        "boxes": boxes.new_zeros((count, detections, 4)),
        "labels": labels.new_full((count, detections), -1),
        "scores": scores.new_zeros((count, detections)),
    }
    # Classes lie side by side, so that they do not meet; in float64 that moves no box. An image at a time,
    # because nms compares all pairs: of a whole batch these are many more.
    apart = boxes.double() + (labels * (2 * boxes.abs().amax((1, 2), keepdim=True)[..., 0] + 1))[..., None]
    for place in range(count):
        candidates = (scores[place] >= least_score).nonzero()[:, 0]
        kept = nms(apart[place, candidates], scores[place, candidates].double(), overlap)[:detections]
        kept = candidates[kept]
        for name, values in (("boxes", boxes), ("labels", labels), ("scores", scores)):
            found[name][place, : len(kept)] = values[place, kept]
    return found


def best_of_levels(scores: list[Tensor], limit: int) -> tuple[Tensor, Tensor]:
    """The surest candidates of each level.

    Args:
        scores: Of each level `[B, n, C]` for its n places and C classes.
        limit: Candidates per level.

    Returns:
        Places among those of all levels and classes, int64 `[B, K]` each.
    """
    places, labels, start = [], [], 0
    for level in scores:
        classes = level.shape[2]
        best = level.flatten(1).topk(min(limit, level.shape[1] * classes), dim=1).indices
        places.append(best // classes + start)
        labels.append(best % classes)
        start += level.shape[1]
    return torch.cat(places, 1), torch.cat(labels, 1)
