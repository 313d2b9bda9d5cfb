"""Where the pixels of a batch of pictures go, and everything that lives in their space along with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from trainwright.data.augment.base import like_stored, to_floats

Fill = Literal["zero", "edge", "reflect"]
_PADDING = {"zero": "zeros", "edge": "border", "reflect": "reflection"}
_LEAST_SIDE = 1.0  # pixels below which a clipped box is gone


@dataclass(frozen=True)
class Warp:
    """One projective map per picture, from its pixels to those of the result.

    Coordinates have (0, 0) in the outer corner of the first pixel, so that a mirror image maps x to
    width - x. Images are interpolated bilinearly; masks take the nearest pixel; boxes become the bounds of
    their moved corners, clipped; points that leave the result are no longer seen.

    Attributes:
        matrices: float64 `[B, 3, 3]`.
        source: Height and width of the pictures.
        size: Height and width of the result.
        fill: What lies outside of a picture.
    """

    matrices: np.ndarray
    source: tuple[int, int]
    size: tuple[int, int]
    fill: Fill = "zero"

    def pixels(self, images: Tensor) -> Tensor:
        """Images `[B, h, w, C]` of images `[B, H, W, C]`, of the same dtype."""
        height, width = self.source
        across, down = self._origins(images.device)
        grid = torch.stack([across * (2 / width) - 1, down * (2 / height) - 1], dim=3)
        channels = images.permute(0, 3, 1, 2).float()
        moved = functional.grid_sample(channels, grid, padding_mode=_PADDING[self.fill], align_corners=False)
        return like_stored(moved, images.dtype).permute(0, 2, 3, 1)

    def then(self, other: Warp) -> Warp | None:
        """One warp that gives images the pixels that both give one after the other, where there is one."""
        return None

    def nearest(self, values: Tensor, border: float) -> Tensor:
        """Values `[B, h, w, C]` of values `[B, H, W, C]`, none of them mixed; `border` outside."""
        count, height, width, channels = values.shape
        across, down = (part.floor().long() for part in self._origins(values.device))
        inside = (across >= 0) & (across < width) & (down >= 0) & (down < height)
        if self.fill == "reflect":
            across, down = _reflected(across, width), _reflected(down, height)
        across, down = across.clamp(0, width - 1), down.clamp(0, height - 1)
        base = torch.arange(count, device=values.device)[:, None, None] * (height * width)
        flat = (base + down * width + across).reshape(-1)
        picked = values.reshape(-1, channels).index_select(0, flat).view(count, *self.size, channels)
        if self.fill != "zero":
            return picked
        return torch.where(inside[..., None], picked, torch.full((), border, dtype=values.dtype))

    def points(self, points: Tensor) -> Tensor:
        """Where points `[B, ..., 2]` go, float32."""
        matrices = to_floats(self.matrices, points.device)
        shape = (-1,) + (1,) * (points.dim() - 2)
        x, y = points[..., 0], points[..., 1]
        a, b, c, d, e, f, g, h, i = (matrices[:, j, k].view(shape) for j in range(3) for k in range(3))
        scale = g * x + h * y + i
        return torch.stack([(a * x + b * y + c) / scale, (d * x + e * y + f) / scale], dim=-1)

    def objects(
        self, objects: dict[str, Tensor], min_visible: float, mirrored: list[int] | None
    ) -> dict[str, Tensor]:
        """Objects `boxes`, `labels`, and perhaps `masks`, `points` and `boxes3d`, moved along.

        Args:
            objects: As the processors' `to_tensor` gives them.
            min_visible: Share of a moved box that must lie inside; else the label becomes -1.
            mirrored: For each point its place in a mirror image.
        """
        boxes, labels = self._boxes(objects["boxes"], objects["labels"], min_visible)
        moved = {**objects, "boxes": boxes, "labels": labels}
        if "masks" in objects:
            masks = self.nearest(objects["masks"].permute(0, 2, 3, 1), 0).permute(0, 3, 1, 2)
            moved["masks"] = masks * (labels >= 0)[:, :, None, None].to(masks.dtype)
        if "points" in objects:
            moved["points"] = self._keypoints(objects["points"], labels, mirrored)
        if "projection" in objects:
            moved |= self._in_space(objects["boxes3d"], objects["projection"])
        return moved

    def _in_space(self, boxes: Tensor, projection: Tensor) -> dict[str, Tensor]:
        """The camera that takes the moved picture, and boxes in front of it.

        A map that turns the plane over shows the mirror image of the space: x and the heading change sides.

        Args:
            boxes: x, y, z, height, width, length, yaw `[B, M, 7]`.
            projection: `[B, M, 3, 4]`.
        """
        mirror = torch.from_numpy(np.linalg.det(self.matrices) < 0).to(boxes.device)[:, None, None]
        matrices = to_floats(self.matrices, boxes.device)[:, None]
        flipped = torch.cat([-boxes[..., :1], boxes[..., 1:6], torch.pi - boxes[..., 6:]], dim=-1)
        moved = matrices @ projection
        signs = torch.tensor([-1.0, 1, 1, 1], device=boxes.device)
        return {
            "boxes3d": torch.where(mirror, flipped, boxes),
            "projection": torch.where(mirror[..., None], moved * signs, moved),
        }

    def _boxes(self, boxes: Tensor, labels: Tensor, min_visible: float) -> tuple[Tensor, Tensor]:
        left, top, right, bottom = boxes.unbind(-1)
        corners = torch.stack([left, top, right, top, right, bottom, left, bottom], dim=-1)
        moved = self.points(corners.unflatten(-1, (4, 2)))
        low, high = moved.amin(dim=2), moved.amax(dim=2)
        height, width = self.size
        limits = torch.tensor([width, height], dtype=low.dtype, device=low.device)
        # No more than the limit, and no less than zero.
        inner_low, inner_high = low.clamp_min(0).minimum(limits), high.clamp_min(0).minimum(limits)
        sides = inner_high - inner_low
        visible = sides.prod(dim=-1) >= min_visible * (high - low).prod(dim=-1)
        kept = (labels >= 0) & visible & (sides >= _LEAST_SIDE).all(dim=-1)
        clipped = torch.cat([inner_low, inner_high], dim=-1) * kept[..., None]
        return clipped, torch.where(kept, labels, -1)

    def _keypoints(self, points: Tensor, labels: Tensor, mirrored: list[int] | None) -> Tensor:
        moved = self.points(points[..., :2])
        height, width = self.size
        inside = ((moved >= 0) & (moved < torch.tensor([width, height], device=moved.device))).all(dim=-1)
        seen = points[..., 2] * inside * (labels >= 0)[:, :, None]
        moved = torch.where(seen[..., None] > 0, moved, 0.0)
        result = torch.cat([moved, seen[..., None]], dim=-1)
        if not mirrored or mirrored == sorted(mirrored):
            return result
        # A map that turns the plane over makes a left hand of a right one.
        turned = torch.from_numpy(np.linalg.det(self.matrices) < 0).to(points.device)
        swapped = result[:, :, torch.tensor(mirrored, device=points.device)]
        return torch.where(turned[:, None, None, None], swapped, result)

    def _origins(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Where the centre of each pixel of the result comes from: x and y `[B, h, w]`."""
        inverse = to_floats(np.linalg.inv(self.matrices), device)
        height, width = self.size
        x = torch.arange(width, device=device, dtype=torch.float32)[None, None, :] + 0.5
        y = torch.arange(height, device=device, dtype=torch.float32)[None, :, None] + 0.5
        rows = [[inverse[:, j, k, None, None] for k in range(3)] for j in range(3)]
        across, down = (a * x + (b * y + c) for a, b, c in rows[:2])
        if (self.matrices[:, 2] == (0, 0, 1)).all():
            return across, down
        a, b, c = rows[2]
        scale = a * x + (b * y + c)
        return across / scale, down / scale


def _reflected(place: Tensor, length: int) -> Tensor:
    """Pixels of an axis mirrored at its ends, the border pixel repeated, as `grid_sample` does."""
    place = place.remainder(2 * length)
    return torch.minimum(place, 2 * length - 1 - place)


def identity(count: int) -> np.ndarray:
    """Maps that move nothing, float64 `[count, 3, 3]`."""
    return np.tile(np.eye(3), (count, 1, 1))


def shifts(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Maps that move by x and y pixels `[n]`, float64 `[n, 3, 3]`."""
    matrices = identity(len(x))
    matrices[:, 0, 2], matrices[:, 1, 2] = x, y
    return matrices


def about_centre(linear: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Linear maps `[n, 2, 2]` that leave the middle of a picture where it is, float64 `[n, 3, 3]`."""
    matrices = identity(len(linear))
    matrices[:, :2, :2] = linear
    middle = np.array([size[1] / 2, size[0] / 2])
    matrices[:, :2, 2] = middle - linear @ middle
    return matrices


def linear_maps(angle: np.ndarray, scale: np.ndarray, shear_x: np.ndarray, shear_y: np.ndarray) -> np.ndarray:
    """Rotation (radians, clockwise as seen) after shear after scale, float64 `[n, 2, 2]`."""
    cosine, sine = np.cos(angle), np.sin(angle)
    turn = np.stack([cosine, -sine, sine, cosine], axis=1).reshape(-1, 2, 2)
    ones = np.ones_like(shear_x)
    shear = np.stack([ones, np.tan(shear_x), np.tan(shear_y), ones], axis=1).reshape(-1, 2, 2)
    return turn @ shear * scale[:, None, None]
