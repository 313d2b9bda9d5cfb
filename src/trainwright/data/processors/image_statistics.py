"""What is known of the values of many images: per channel, or for every pixel."""

from __future__ import annotations

import base64
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.processors.image_bands import SCALE
from trainwright.errors import RecipeError

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_SUMMED_AT_ONCE = 256  # images whose sum of squares, 256 * 255**2 < 2**24, float32 holds exactly
_SUMMED_VALUES = 1 << 18  # values that stay in the L2 cache as float32
_SORTED_VALUES = 1 << 24  # values that a median looks at together

Floats = npt.NDArray[np.float32]


def sums(images: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Exact sums and sums of squares per value of an image, `[H * W * C]`, of `[N, H, W, C]` uint8.

    Those of uint16 are in steps of 8 bits, 257 of theirs, to the precision of float64.

    Returns:
        Both, and the number of images.
    """
    count, *shape = images.shape
    row = int(np.prod(shape))
    step = max(1, min(_SUMMED_AT_ONCE, _SUMMED_VALUES // max(1, row)))
    total, squares = np.zeros(row), np.zeros(row)
    for start in range(0, count, step):
        part = images[start : start + step].reshape(-1, row)
        wide = part.dtype == np.uint16
        chunk = part.astype(np.float64) / SCALE if wide else part.astype(np.float32)
        ones = np.ones(len(chunk), dtype=chunk.dtype)
        total += ones @ chunk
        squares += ones @ np.square(chunk, out=chunk)
    return total, squares, count


@dataclass(frozen=True)
class PixelStatistics:
    """Statistics of every value of an image over many images, float32 `[H, W, C]`, from 0 to 255."""

    mean: Floats
    std: Floats
    median: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, images: Any) -> PixelStatistics:
        """Statistics of `[N, H, W, C]` uint8 or uint16."""
        total, squares, count = sums(images)
        shape = tuple(images.shape[1:])
        mean = total / max(1, count)
        deviation = np.sqrt(np.maximum(squares / max(1, count) - mean**2, 0.0))
        rows = max(1, _SORTED_VALUES // max(1, count * shape[1] * shape[2]))
        parts = []
        for top in range(0, shape[0], rows):
            # Some rows of all images at a time, so that the data need not fit into memory.
            part = np.concatenate([images[i : i + 64][:, top : top + rows] for i in range(0, count, 64)])
            part = part / SCALE if part.dtype == np.uint16 else part
            parts.append((np.median(part, axis=0), part.min(axis=0), part.max(axis=0)))
        median, low, high = (np.concatenate(items) for items in zip(*parts, strict=True))
        arrays = (mean.reshape(shape), deviation.reshape(shape), median, low, high)
        return cls(*(array.astype(np.float32) for array in arrays))

    def offset_and_factor(self) -> tuple[np.ndarray, np.ndarray]:
        """Per value of an image, `[H * W * C]` each, b and a of x * a + b."""
        spread = np.where(self.std > 0, self.std, 255).reshape(-1).astype(np.float64)
        return -self.mean.reshape(-1) / spread, 1 / spread

    def state(self) -> dict[str, Any]:
        """JSON: the shape, and each array as base64 of little-endian float32."""
        arrays = {item.name: getattr(self, item.name).astype("<f4").tobytes() for item in fields(self)}
        texts = {name: base64.b64encode(data).decode("ascii") for name, data in arrays.items()}
        return {"shape": list(self.mean.shape), **texts}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> PixelStatistics:
        """What `state` was taken of."""
        texts = {item.name: state[item.name] for item in fields(cls)}
        return cls(
            **{
                name: np.frombuffer(base64.b64decode(text), dtype="<f4").reshape(state["shape"]).copy()
                for name, text in texts.items()
            }
        )


def given(normalise: Any) -> tuple[list[float], list[float]]:
    """Mean and standard deviation of a rule in units of [0, 1], per channel or one for all."""
    if normalise == "imagenet":
        return list(IMAGENET[0]), list(IMAGENET[1])
    if normalise == "symmetric":
        return [0.5], [0.5]
    if not isinstance(normalise, dict):
        return [0.0], [1.0]
    if set(normalise) != {"mean", "std"} or len(normalise["mean"]) != len(normalise["std"]):
        raise RecipeError(
            "normalise needs mean and std of equal length",
            where="normalise",
            fix="give as many of `mean` as of `std`",
        )
    if not all(value > 0 for value in normalise["std"]):
        raise RecipeError("normalise.std must be positive", where="normalise.std", fix="give numbers above 0")
    return list(normalise["mean"]), list(normalise["std"])


def offset_and_factor(
    normalise: Any, mean: list[float], std: list[float], channels: int
) -> tuple[np.ndarray, np.ndarray]:
    """Per channel b and a of x * a + b, for x from 0 to 255, by mean and deviation in units of [0, 1]."""
    means, spreads = np.array(mean), np.array(std)
    if len(means) != channels and len(means) > 1:
        means, spreads = np.full(channels, means.mean()), np.full(channels, spreads.mean())
    means, spreads = np.broadcast_to(means, channels), np.broadcast_to(spreads, channels)
    if normalise == "none":
        return np.zeros(channels), np.ones(channels)
    return -means / spreads, 1 / (255 * spreads)
