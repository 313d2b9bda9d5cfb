"""Blend each sample with another one (Zhang et al., 2018, arXiv:1710.09412)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from trainwright.data.augment.base import Address, Mixing, to_floats
from trainwright.data.augment.beta import SymmetricBeta
from trainwright.data.augment.scene import Scene, joined
from trainwright.fields import Fraction, Positive


class Mixup(Mixing):
    """Adds pictures and targets of two samples with weights that sum to 1.

    Shares of classes, numbers and masks are weighed alike; of boxes and the like both samples' count.

    Args:
        alpha: The weight has the distribution Beta(alpha, alpha); small values mix little.
        probability: Share of the samples that are mixed.
    """

    blends = True

    def __init__(self, *, alpha: Positive = 0.2, probability: Fraction = 1.0) -> None:
        self.beta, self.probability = SymmetricBeta(alpha), probability

    def weights(self, address: Address) -> np.ndarray:
        """Weight of each sample itself, float64 `[B]`, 1 where it is not mixed."""
        chosen, drawn = address.uniform(2).T
        return np.where(chosen < self.probability, self.beta(drawn), 1.0)

    def mix(self, scene: Scene, others: list[Scene], address: Address) -> Scene:
        """The samples blended with those of the one other scene."""
        other, weights = others[0], self.weights(address)

        def blend(first: Tensor, second: Tensor) -> Tensor:
            weight = to_floats(weights, first.device).view(-1, *(1,) * (first.dim() - 1))
            mixed = first.float() * weight + second.float() * (1 - weight)
            return mixed.round_().to(first.dtype) if first.dtype == torch.uint8 else mixed

        def group(name: str) -> dict[str, Tensor]:
            return {key: blend(t, getattr(other, name)[key]) for key, t in getattr(scene, name).items()}

        alone = torch.from_numpy(weights == 1)
        objects = {}
        for name, item in scene.objects.items():
            guests = dict(other.objects[name])
            away = alone.to(guests["labels"].device)[:, None]
            guests["labels"] = torch.where(away, -1, guests["labels"])
            objects[name] = joined(item, guests)
        groups = {name: group(name) for name in ("images", "pictures", "masks", "labels")}
        return replace(scene, objects=objects, **groups)
