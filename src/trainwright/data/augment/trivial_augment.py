"""One random operation of random strength (Müller and Hutter, 2021, arXiv:2103.10158)."""

from __future__ import annotations

import numpy as np

from trainwright.data.augment.policy import Policy


class TrivialAugment(Policy):
    """Applies one of 14 operations to each image, each as likely, with a strength evenly up to the strongest.

    Boxes, masks and points follow the five that move pixels.
    """

    def __init__(self) -> None:
        super().__init__(layers=1, shift=0.33, degrees=90.0)

    def magnitudes(self, draws: np.ndarray) -> np.ndarray:
        """Evenly in [-1, 1]; brightness, contrast and the like stay above -0.99."""
        return (2 * draws - 1) * 0.99
