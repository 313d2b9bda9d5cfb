"""The first stage: where in an image there may be any object at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from trainwright import registry
from trainwright.data.types import TensorSpec
from trainwright.errors import ModelError
from trainwright.losses.boxes.overlap import overlap
from trainwright.models.heads.base import Features
from trainwright.models.heads.located import below

_CANDIDATES = 2  # times the proposals that are told, before doubles are left out
_ROUNDS = 8
# What the second stage decides, or its own parameters say.
_SETTLED = ("candidates", "least_score", "overlap", "detections")


@dataclass(frozen=True)
class ProposalSuppression:
    """Non-maximum suppression of any class in fixed shapes, without waiting for the device.

    What is surer suppresses what is not, unless it is suppressed itself: settled for all pairs at once, again
    and again (Zheng et al., "Cluster-NMS", arXiv:2005.03572). Eight rounds are exact where no chain of
    suppressions is longer.

    Attributes:
        candidates: Of each level that come into question.
        overlap: Of two that overlap by more the surer one stays.
        count: Proposals per image.
    """

    candidates: int
    overlap: float
    count: int

    def __call__(self, boxes: Tensor, labels: Tensor, scores: Tensor) -> dict[str, Tensor]:
        """The proposals among candidates.

        Args:
            boxes: `[B, K, 4]`.
            labels: Not used: all are 0.
            scores: `[B, K]`.

        Returns:
            `boxes` `[B, count, 4]`, `labels` (0, or -1 for none) and falling `scores` `[B, count]`; fewer
            where there are fewer candidates.
        """
        scores, boxes = scores.detach(), boxes.detach()
        scores, places = scores.topk(min(_CANDIDATES * self.count, scores.shape[1]), dim=1)
        boxes = _taken(boxes, places)
        alike = overlap(boxes[:, :, None], boxes[:, None])
        beats = (alike > self.overlap).to(boxes.dtype).triu(1)
        kept = torch.ones_like(scores)
        for _ in range(_ROUNDS):
            kept = (kept[:, None] @ beats)[:, 0].le(0).to(boxes.dtype)
        values, order = torch.where(kept > 0, scores, -1.0).topk(min(self.count, scores.shape[1]), dim=1)
        return {
            "boxes": _taken(boxes, order),
            "labels": torch.where(values >= 0, 0, -1),
            "scores": values.clamp_min(0),
        }


def proposer(
    spec: Mapping[str, Any],
    channels: tuple[int, ...],
    strides: tuple[int, ...],
    image_size: tuple[int, int],
    *,
    count: int,
    overlap: float,
) -> nn.Module:
    """A head for boxes that knows one class only: that there is something.

    Args:
        spec: The recipe's words on it.
        channels: Channels of the maps.
        strides: Their strides.
        image_size: Height and width.
        count: Proposals per image.
        overlap: Of two proposals that overlap by more the surer one stays.

    Raises:
        ModelError: It is no head for boxes, or is told what the second stage settles.
    """
    where = ".first_stage"
    info = registry.describe("head", spec["name"])
    for name in _SETTLED:
        known = info.parameter(name)
        if known is not None and spec.get(name, known.default) != known.default:
            raise ModelError(
                f"`{name}` of {info.name} has no effect on proposals",
                where=where,
                fix="set `proposals` and `proposal_overlap` of the head that reads them",
            )
    if info.parameter("first_stage") is not None:
        raise _no_proposals(info.name, "it has two stages itself")
    with below(where):
        head: nn.Module = registry.build(
            "head",
            spec,
            where=where,
            target=TensorSpec("boxes", (1, 4), "float32", ("object",)),
            channels=channels,
            strides=strides,
            image_size=image_size,
            loss=None,
            class_weights=None,
        )
    if not hasattr(head, "suppression") or not hasattr(head, "judge"):
        raise _no_proposals(info.name, "it does not tell boxes by their scores")
    head.suppression = ProposalSuppression(count, overlap, count)
    return head


def _no_proposals(name: str, why: str) -> ModelError:
    return ModelError(
        f"head {name} makes no proposals",
        where=".first_stage",
        why=why,
        fix="name one for boxes: fcos, retinanet, ssd",
    )


def proposed(
    head: nn.Module, features: Features, target: Mapping[str, Tensor] | None, classes: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Losses of the first stage by name (none without a truth), and its proposals.

    Args:
        head: Of `proposer`.
        features: Maps.
        target: `boxes` and `labels`; an object of none of the classes is none.
        classes: Number of classes.
    """
    if target is None:
        return {}, head.predict(features)
    labels = target["labels"]
    anything = torch.where((labels >= 0) & (labels < classes), 0, -1)
    losses, found = head.judge(features, {"boxes": target["boxes"], "labels": anything})
    return {f"proposal_{name}": value for name, value in losses.items()}, found


def _taken(boxes: Tensor, places: Tensor) -> Tensor:
    return boxes.gather(1, places[..., None].expand(-1, -1, 4))
