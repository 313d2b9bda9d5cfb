"""Vary brightness, contrast, saturation and hue."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval
from torch import Tensor

from trainwright.data.augment import colour
from trainwright.data.augment.base import Address, Augment, like_stored, to_floats
from trainwright.fields import Fraction


class ColourJitter(Augment):
    """Changes brightness, contrast, saturation and hue of each image, in this order.

    The first three are multiplied by a factor evenly between 1 - amount and 1 + amount.

    Args:
        brightness: Amount as above.
        contrast: Amount as above.
        saturation: Amount as above; images that are not RGB keep theirs.
        hue: Largest turn to either side, as a share of the colour circle.
        probability: Share of the images that are changed.
    """

    def __init__(
        self,
        *,
        brightness: Fraction = 0.3,
        contrast: Fraction = 0.3,
        saturation: Fraction = 0.3,
        hue: Annotated[float, Interval(ge=0, le=0.5)] = 0.0,
        probability: Fraction = 1.0,
    ) -> None:
        self.amounts = (brightness, contrast, saturation, hue)
        self.probability = probability

    def __call__(self, images: Tensor, address: Address) -> Tensor:
        """Images `[B, H, W, C]` in other colours."""
        draws = address.uniform(5)
        spread = np.where(draws[:, :1] < self.probability, 2 * draws[:, 1:] - 1, 0.0)
        changed = images.float()
        operations = (colour.brightness, colour.contrast, colour.saturation, colour.hue)
        for operation, amount, drawn in zip(operations, self.amounts, spread.T, strict=True):
            if amount:
                neutral = 0.0 if operation is colour.hue else 1.0
                changed = operation(changed, to_floats(neutral + amount * drawn, images.device))
                # As between two files: what is brighter than white is white.
                changed = changed.clamp(0, 255)
        return like_stored(changed.clone() if changed is images else changed, images.dtype)
