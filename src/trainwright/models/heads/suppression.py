"""From many scored candidates to the few objects that are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import torch
from torch import Tensor


@dataclass(frozen=True)
class Suppression:
    """Non-maximum suppression within each image and class.

    Attributes:
        candidates: Of each level that come into question.
        least_score: Candidates below it are left out.
        overlap: Of two of a class that overlap by more the surer one stays.
        detections: Objects that are told per image.
    """

    candidates: int
    least_score: float
    overlap: float
    detections: int

    def __call__(
        self, boxes: Tensor, labels: Tensor, scores: Tensor, more: Mapping[str, Tensor] = MappingProxyType({})
    ) -> dict[str, Tensor]:
        """The objects among candidates.

        Args:
            boxes: `[B, K, 4]`, float32.
            labels: Their classes, int64 `[B, K]`.
            scores: `[B, K]`.
            more: What else is known of the candidates, `[B, K, ...]`, by name.

        Returns:
            `boxes` `[B, detections, 4]`, `labels` `[B, detections]` (-1 for none), `scores`, which fall, and
            the rest likewise, 0 where there is no object.
        """
        # torchvision takes seconds to import.
        from torchvision.ops import nms

        count, told = len(boxes), self.detections
        values = {"boxes": boxes, "labels": labels, "scores": scores, **more}
        found = {
            name: part.new_full((count, told, *part.shape[2:]), -1 if name == "labels" else 0)
            for name, part in values.items()
        }
        # Classes lie side by side, so that they do not meet; in float64 that moves no box. An image at a
        # time, because nms compares all pairs: of a whole batch these are many more.
        apart = 2 * boxes.abs().amax((1, 2), keepdim=True)[..., 0] + 1
        placed = boxes.double() + (labels * apart)[..., None]
        for place in range(count):
            likely = (scores[place] >= self.least_score).nonzero()[:, 0]
            kept = likely[nms(placed[place, likely], scores[place, likely].double(), self.overlap)[:told]]
            for name, part in values.items():
                found[name][place, : len(kept)] = part[place, kept]
        return found


def best_of_levels(scores: list[Tensor], limit: int) -> tuple[Tensor, Tensor, Tensor]:
    """The surest candidates of each level.

    Args:
        scores: Of each level `[B, n, C]` for its n places and C classes.
        limit: Candidates per level.

    Returns:
        Places among those of all levels, int64 `[B, K]`, classes, likewise, and scores `[B, K]`.
    """
    places, labels, values, start = [], [], [], 0
    for level in scores:
        classes = level.shape[2]
        value, best = level.flatten(1).topk(min(limit, level.shape[1] * classes), dim=1)
        values.append(value)
        places.append(best // classes + start)
        labels.append(best % classes)
        start += level.shape[1]
    return torch.cat(places, 1), torch.cat(labels, 1), torch.cat(values, 1)
