"""Between pixels of a picture and metres in front of its camera."""

from __future__ import annotations

import torch
from torch import Tensor


def projected(centres: Tensor, projection: Tensor) -> Tensor:
    """Where points in space lie in the picture.

    Args:
        centres: x, y, z in metres `[..., 3]`.
        projection: Matrices from metres to pixels `[..., 3, 4]`.

    Returns:
        x and y in pixels `[..., 2]`; of a point behind the camera, as if it were just in front of it.
    """
    found = (projection[..., :3] @ centres[..., None])[..., 0] + projection[..., 3]
    return found[..., :2] / found[..., 2:].clamp_min(1e-3)


def lifted(places: Tensor, depth: Tensor, projection: Tensor) -> Tensor:
    """Points in space that are seen at places of the picture: the inverse of `projected`.

    The two equations of a projection are linear in x and y once the depth is known.

    Args:
        places: x and y in pixels `[..., 2]`.
        depth: z in metres `[...]`.
        projection: Matrices from metres to pixels `[..., 3, 4]`.

    Returns:
        x, y, z `[..., 3]`; x and y are 0 where the matrix is no camera's.
    """
    # Of each row: what is left of it once the row of the divisor, times the place, is taken off.
    rows = projection[..., :2, :] - places[..., None] * projection[..., 2:, :]
    wanted = -(rows[..., 2] * depth[..., None] + rows[..., 3])
    (a, b), (c, d) = rows[..., 0, :2].unbind(-1), rows[..., 1, :2].unbind(-1)
    determinant = a * d - b * c
    sure = torch.where(determinant.abs() > 1e-9, determinant, torch.inf)
    x = (wanted[..., 0] * d - b * wanted[..., 1]) / sure
    y = (a * wanted[..., 1] - wanted[..., 0] * c) / sure
    return torch.stack([x, y, depth], -1)


def focal_length(projection: Tensor) -> Tensor:
    """Pixels per metre at a depth of one metre, the mean of both directions `[...]`, at least 1e-3."""
    a, b, c, d = (projection[..., row, column] for row in range(2) for column in range(2))
    return (a * d - b * c).abs().sqrt().clamp_min(1e-3)


def ray_angle(centres: Tensor) -> Tensor:
    """Angle around the vertical from straight ahead to points `[..., 3]`, radians."""
    return torch.atan2(centres[..., 0], centres[..., 2])
