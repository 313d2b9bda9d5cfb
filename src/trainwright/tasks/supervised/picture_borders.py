"""Found objects end at the borders of their picture, not of the padding that it was fitted into."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


def has_boxes(answer: Mapping[str, Tensor]) -> bool:
    """Whether an answer has boxes as they have to be; one that has not is refused later, with its author."""
    boxes, labels = answer.get("boxes"), answer.get("labels")
    return boxes is not None and labels is not None and boxes.shape == (*labels.shape, 4)


def within_picture(answer: Mapping[str, Tensor], frame: Tensor) -> dict[str, Tensor]:
    """The parts of an answer that are others when boxes end at the picture's borders.

    Args:
        answer: `boxes` `[B, K, 4]` and `labels` `[B, K]`.
        frame: Where the picture lies in the processed one, x1, y1, x2, y2 `[B, 4]`.

    Returns:
        `boxes`, and `labels`, which are -1 where a box lies in the padding alone.
    """
    boxes, (low, high) = answer["boxes"], frame.to(answer["boxes"].dtype)[:, None].split(2, -1)
    # Boxes that are NaN lie nowhere: they stay what they are, so that they are found out.
    beside = ((boxes[..., 2:] <= low) | (boxes[..., :2] >= high)).any(-1)
    ended = torch.minimum(torch.maximum(boxes, low.repeat(1, 1, 2)), high.repeat(1, 1, 2))
    return {"boxes": ended, "labels": torch.where(beside, -1, answer["labels"])}
