"""Keypoints as maps: a Gaussian around each point on the finest level."""

from __future__ import annotations

import math
from typing import Literal

from torch import Tensor, nn

from trainwright.data.batch import Value
from trainwright.data.types import TensorSpec
from trainwright.fields import NonNegativeInt, Positive, PositiveInt
from trainwright.models.heads.base import Features, Head
from trainwright.models.heads.peaks import (
    divergence,
    gaussians,
    highest,
    quadratic_peak,
    share_at_peak,
    soft_argmax,
)
from trainwright.models.heads.single_object import (
    ObjectClass,
    check_single,
    mean_over_seen,
    one_answer,
    only_object,
)

TARGETS = ("keypoints",)


class Heatmaps(Head):
    """One map per point, for pictures of one object: where the map is high, there the point is.

    Points of visibility 0 do not count. The third number of a point of the answer is its confidence: the
    share of its map within three sigma of the peak (`softmax`), or the height of the peak (`mse`). An
    object's score is the mean confidence of its points, times the probability of its class where there are
    several.

    Args:
        target: What is learned.
        channels: Channels of the maps.
        strides: Their strides.
        width: Channels of the convolutions in front of the maps.
        convolutions: How many of them, 3x3 each.
        sigma: Of the Gaussians, in cells of the finest map.
        maps: `softmax` learns each map as a distribution over its cells (Kullback-Leibler divergence to the
            Gaussian, in nats); `mse` learns its values (squared error, summed over the cells).
        decode: How a peak is placed between cells: a paraboloid through the logarithm of its surroundings
            (`quadratic`, DARK), or the centre of mass within three sigma (`soft_argmax`).
    """

    def __init__(
        self,
        target: TensorSpec,
        channels: tuple[int, ...],
        strides: tuple[int, ...],
        *,
        width: PositiveInt = 64,
        convolutions: NonNegativeInt = 1,
        sigma: Positive = 1.5,
        maps: Literal["softmax", "mse"] = "softmax",
        decode: Literal["quadratic", "soft_argmax"] = "quadratic",
    ) -> None:
        super().__init__()
        check_single(target, "heatmaps")
        self.stride, self.sigma, self.maps, self.place = strides[0], sigma, maps, decode
        parts: list[nn.Module] = []
        inside = channels[0]
        for _ in range(convolutions):
            # Groups instead of batches: what a sample gives depends on no other one.
            parts += [nn.Conv2d(inside, width, 3, padding=1), nn.GroupNorm(math.gcd(width, 8), width)]
            parts.append(nn.ReLU(inplace=True))
            inside = width
        last = nn.Conv2d(inside, target.shape[1], 1)
        nn.init.normal_(last.weight, std=0.01)
        nn.init.zeros_(last.bias)
        self.layers = nn.Sequential(*parts, last)
        self.kind = ObjectClass(channels[-1], len(target.classes))

    def loss(self, features: Features, target: Value) -> dict[str, Tensor]:
        """`points`, the mean over those that count, and `class` where there are several: `[B]` each."""
        points, seen, label = only_object(target, "heatmaps")
        raw = self._raw(features)
        centres = points / self.stride - 0.5
        if self.maps == "softmax":
            each = divergence(raw, centres, self.sigma)
        else:
            wanted = gaussians(centres, (raw.shape[2], raw.shape[3]), self.sigma)
            each = (raw - wanted).square().sum((2, 3))
        parts = {"points": mean_over_seen(each, seen)}
        kind = self.kind.loss(features, label, seen)
        return parts if kind is None else parts | {"class": kind}

    def predict(self, features: Features) -> dict[str, Tensor]:
        """`boxes`, `labels`, `scores` and `points` of the one object of each picture."""
        raw = self._raw(features)
        heat = raw.flatten(2).softmax(2).view_as(raw) if self.maps == "softmax" else raw.clamp(min=0)
        placed = quadratic_peak(heat) if self.place == "quadratic" else soft_argmax(heat, self.sigma)
        if self.maps == "softmax":
            confidence = share_at_peak(heat, self.sigma)
        else:
            confidence = highest(heat)[0].clamp(0, 1)
        label, probability = self.kind(features)
        return one_answer((placed + 0.5) * self.stride, confidence, label, confidence.mean(1) * probability)

    def _raw(self, features: Features) -> Tensor:
        maps: Tensor = self.layers(features[0])
        return maps.float()
