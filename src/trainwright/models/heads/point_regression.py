"""Keypoints as numbers: coordinates from pooled maps."""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainwright.data.batch import Value
from trainwright.data.types import TensorSpec
from trainwright.fields import OpenFraction, Positive, PositiveInt
from trainwright.models.heads.base import Features, Head
from trainwright.models.heads.single_object import (
    ObjectClass,
    check_single,
    mean_over_seen,
    one_answer,
    only_object,
)

TARGETS = ("keypoints",)
DEAD_WHEN = {
    "PointRegression": {
        "beta": "distance != 'smooth_l1'",
        "wing_width": "distance != 'wing'",
        "wing_curvature": "distance != 'wing'",
    }
}


class PointRegression(Head):
    """Two numbers per point, for pictures of one object, from the coarsest map pooled to a small grid.

    Points of visibility 0 do not count. Differences are measured in percent of the image's longer side, for x
    and y apart. The answer holds no doubt: the confidence of every point is 1, and the object's score is the
    probability of its class.

    Args:
        target: What is learned.
        channels: Channels of the maps.
        image_size: Height and width of the processed image.
        grid: Cells per side that the map is pooled to; one cell alone would tell nothing of places.
        hidden: Width of each hidden layer.
        dropout: In front of the last layer, in training.
        distance: `l1`; `smooth_l1`, quadratic near the truth; `wing`, which is steep near the truth (Feng et
            al., CVPR 2018, arXiv:1711.06753).
        beta: Percent below which `smooth_l1` is quadratic.
        wing_width: Percent below which `wing` is logarithmic.
        wing_curvature: Percent; the smaller, the steeper is `wing` near the truth.
    """

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        image_size: tuple[int, int],
        *,
        grid: PositiveInt = 4,
        hidden: list[PositiveInt] = [256],  # noqa: B006 - never changed
        dropout: OpenFraction = 0.0,
        distance: Literal["l1", "smooth_l1", "wing"] = "wing",
        beta: Positive = 1.0,
        wing_width: Positive = 10.0,
        wing_curvature: Positive = 2.0,
    ) -> None:
        super().__init__()
        check_single(target, "point_regression")
        self.image_size, self.grid, self.distance, self.beta = image_size, grid, distance, beta
        self.wing_width, self.wing_curvature = wing_width, wing_curvature
        width = channels[-1] * grid * grid
        parts: list[nn.Module] = []
        for features in hidden:
            parts += [nn.Linear(width, features), nn.ReLU()]
            width = features
        if dropout:
            parts.append(nn.Dropout(dropout))
        last = nn.Linear(width, 2 * target.shape[1])
        nn.init.normal_(last.weight, std=0.001)  # all points begin in the middle of the image
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*parts, last)
        self.kind = ObjectClass(channels[-1], len(target.classes))

    def loss(self, features: Features, target: Value) -> dict[str, Tensor]:
        """`points`, the mean over those that count, and `class` where there are several: `[B]` each."""
        points, seen, label = only_object(target, "point_regression")
        difference = (self._placed(features) - points) * (100 / max(self.image_size))
        parts = {"points": mean_over_seen(self._each(difference).mean(2), seen)}
        kind = self.kind.loss(features, label, seen)
        return parts if kind is None else parts | {"class": kind}

    def predict(self, features: Features) -> dict[str, Tensor]:
        """`boxes`, `labels`, `scores` and `points` of the one object of each picture."""
        placed = self._placed(features)
        label, probability = self.kind(features)
        return one_answer(placed, torch.ones_like(placed[..., 0]), label, probability)

    def _placed(self, features: Features) -> Tensor:
        """x and y in pixels of the processed image, float32 `[B, K, 2]`."""
        pooled = F.adaptive_avg_pool2d(features[-1], self.grid).flatten(1)
        numbers = self.layers(pooled).float().unflatten(1, (-1, 2))
        height, width = self.image_size
        return torch.stack([(numbers[..., 0] + 0.5) * width, (numbers[..., 1] + 0.5) * height], 2)

    def _each(self, difference: Tensor) -> Tensor:
        zero = torch.zeros_like(difference)
        if self.distance == "l1":
            return difference.abs()
        if self.distance == "smooth_l1":
            return F.smooth_l1_loss(difference, zero, reduction="none", beta=self.beta)
        return wing_values(difference, self.wing_width, self.wing_curvature)


def wing_values(difference: Tensor, width: float, curvature: float) -> Tensor:
    """w ln(1 + |x| / e) within w, |x| - c beyond, with c so that both meet (arXiv:1711.06753, eq. 5)."""
    size = difference.abs()
    near = width * torch.log1p(size / curvature)
    offset = width - width * math.log1p(width / curvature)
    return torch.where(size < width, near, size - offset)
