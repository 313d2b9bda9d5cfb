"""What keypoint heads share that find one object per picture: its truth, its class, and its answer."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainwright.data.batch import Value
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError


def check_single(target: TensorSpec, head: str) -> None:
    """Refuses data whose pictures show several objects. Raises `ModelError`."""
    if target.shape[0] > 1:
        raise _several(f"a picture of this data shows up to {target.shape[0]}", head)


def _several(why: str, head: str) -> ModelError:
    return ModelError(
        f"head {head} finds the points of one object per picture",
        why=why,
        fix="use keypoint_rcnn, which finds several; or train on pictures of one object each: crop the "
        "objects out, or choose a class with `classes` and `others: drop`",
    )


def only_object(target: Value, head: str) -> tuple[Tensor, Tensor, Tensor]:
    """The object of each picture.

    Args:
        target: `labels` `[B, M]` and `points` `[B, M, K, 3]` with M of 0 or 1.
        head: Name of the head, for the error.

    Returns:
        x and y float32 `[B, K, 2]`, whether each point counts (0 or 1) float32 `[B, K]`, and class ids `[B]`,
        -1 where a picture shows no object. No point counts there.

    Raises:
        ModelError: M is larger: an augmentation has joined pictures.
    """
    assert isinstance(target, dict)
    labels, points = target["labels"], target["points"].float()
    if labels.shape[1] > 1:
        raise _several("an augmentation joins pictures", head)
    if labels.shape[1] == 0:
        labels = F.pad(labels, (0, 1), value=-1)
        points = F.pad(points, (0, 0, 0, 0, 0, 1))
    label, rows = labels[:, 0], points[:, 0]
    seen = (rows[..., 2] > 0) & (label >= 0)[:, None]
    # Where nothing is annotated x and y may be anything, and infinity times 0 is no number.
    return torch.where(seen[..., None], rows[..., :2], 0.0), seen.float(), label


def mean_over_seen(values: Tensor, seen: Tensor) -> Tensor:
    """Mean of a value per point `[B, K]` over the points that count: `[B]`, 0 where none does."""
    return (values * seen).sum(1) / seen.sum(1).clamp(min=1)


class ObjectClass(nn.Module):
    """The class of the one object, from the pooled coarsest map; nothing is learned where there is one class.

    Args:
        channels: Channels of the coarsest map.
        classes: Number of classes.
    """

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.layer = nn.Linear(channels, classes) if classes > 1 else None

    def forward(self, features: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Class ids int64 `[B]` and their probability float32 `[B]`."""
        if self.layer is None:
            first = features[-1][:, 0, 0, 0]
            return torch.zeros_like(first, dtype=torch.int64), torch.ones_like(first, dtype=torch.float32)
        probability, label = self._logits(features).softmax(1).max(1)
        return label, probability

    def loss(self, features: list[Tensor], label: Tensor, seen: Tensor) -> Tensor | None:
        """Cross-entropy `[B]`, 0 where no point counts; None where there is one class.

        Args:
            features: Maps.
            label: Class ids `[B]`, -1 for none.
            seen: Which points count `[B, K]`.
        """
        if self.layer is None:
            return None
        each = F.cross_entropy(self._logits(features), label.clamp(min=0), reduction="none")
        return each * seen.amax(1)

    def _logits(self, features: list[Tensor]) -> Tensor:
        assert self.layer is not None
        logits: Tensor = self.layer(features[-1].mean((2, 3)))
        return logits.float()


def one_answer(points: Tensor, confidence: Tensor, label: Tensor, score: Tensor) -> dict[str, Tensor]:
    """The answer in the form of a keypoints target, with the one object of each picture.

    Args:
        points: x and y in pixels of the processed image, float32 `[B, K, 2]`.
        confidence: Of each point, in (0, 1], float32 `[B, K]`.
        label: Class ids int64 `[B]`.
        score: Of the object, float32 `[B]`.

    Returns:
        `boxes` `[B, 1, 4]`, the smallest around the points, `labels` `[B, 1]`, `scores` `[B, 1]` and `points`
        `[B, 1, K, 3]` with the confidence where a truth has the visibility.
    """
    boxes = torch.cat([points.amin(1), points.amax(1)], 1)
    # What has the visibility 0 is no point at all, whatever its x and y.
    shown = confidence.clamp(min=1e-6)
    return {
        "boxes": boxes[:, None],
        "labels": label[:, None],
        "scores": score[:, None],
        "points": torch.cat([points, shown[..., None]], 2)[:, None],
    }
