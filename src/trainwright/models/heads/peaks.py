"""From a map per point to the place of its peak, finer than a cell."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def gaussians(centres: Tensor, size: tuple[int, int], sigma: float) -> Tensor:
    """Maps with a peak of 1 each: exp(-d^2 / (2 sigma^2)) of the distance d to a centre.

    Args:
        centres: x and y in cells, (0, 0) the centre of the first cell, float32 `[B, K, 2]`.
        size: Height and width of the maps.
        sigma: In cells.

    Returns:
        float32 `[B, K, h, w]`.
    """
    height, width = size
    x, y = (
        torch.exp(
            -((torch.arange(count, device=centres.device) - centres[..., axis, None]) ** 2) / (2 * sigma**2)
        )
        for axis, count in ((0, width), (1, height))
    )
    return y[..., :, None] * x[..., None, :]


def highest(heat: Tensor, margin: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Value, column and row of the highest cell of each map, `[B, K]` each.

    Args:
        heat: `[B, K, h, w]`.
        margin: Columns and rows are moved at least this far away from the border, where the map allows it.
    """
    height, width = heat.shape[2:]
    value, place = heat.flatten(2).max(2)
    x, y = place % width, place.div(width, rounding_mode="floor")
    near_x, near_y = min(margin, (width - 1) // 2), min(margin, (height - 1) // 2)
    return value, x.clamp(near_x, width - 1 - near_x), y.clamp(near_y, height - 1 - near_y)


def windows(heat: Tensor, x: Tensor, y: Tensor, reach: int) -> Tensor:
    """The surroundings of one cell of each map; 0 beyond the border.

    Args:
        heat: `[B, K, h, w]`.
        x: Column of the cell `[B, K]`.
        y: Row of the cell `[B, K]`.
        reach: Cells to each side.

    Returns:
        `[B, K, 2 reach + 1, 2 reach + 1]`.
    """
    padded = F.pad(heat, (reach, reach, reach, reach))
    steps = torch.arange(2 * reach + 1, device=heat.device)
    rows, columns = y[..., None, None] + steps[:, None], x[..., None, None] + steps
    flat = (rows * padded.shape[3] + columns).flatten(2)
    return padded.flatten(2).gather(2, flat).unflatten(2, (2 * reach + 1, 2 * reach + 1))


def soft_argmax(heat: Tensor, sigma: float) -> Tensor:
    """Centre of mass around the highest cell, within three sigma: x and y in cells `[B, K, 2]`.

    The whole map would draw every peak to the middle (Sun et al., Integral Human Pose Regression, ECCV 2018).

    Args:
        heat: Not negative, `[B, K, h, w]`.
        sigma: Of the peaks, in cells.
    """
    reach = max(1, round(3 * sigma))
    _, x, y = highest(heat)
    near = windows(heat, x, y, reach)
    # At a border as far to one side as to the other: half a peak would draw it inwards.
    inside = windows(torch.ones_like(heat), x, y, reach)
    near = near * inside.flip(2) * inside.flip(3)
    near = near / near.sum((2, 3), keepdim=True).clamp(min=torch.finfo(near.dtype).tiny)
    steps = torch.arange(-reach, reach + 1, device=heat.device, dtype=heat.dtype)
    return torch.stack([x + (near.sum(2) * steps).sum(2), y + (near.sum(3) * steps).sum(2)], 2)


def quadratic_peak(heat: Tensor) -> Tensor:
    """Peak of the paraboloid through the logarithm of the cells around the highest one: x and y `[B, K, 2]`.

    Exact for Gaussians: DARK (Zhang et al., CVPR 2020, arXiv:1910.06278), eq. 9. The highest cell stands
    where the surroundings have no maximum near it.

    Args:
        heat: Not negative, `[B, K, h, w]`.
    """
    if min(heat.shape[2:]) < 3:  # too small for differences of second order
        _, x, y = highest(heat)
        return torch.stack([x, y], 2).to(heat.dtype)
    _, x, y = highest(heat, margin=1)
    near = windows(heat, x, y, 1).clamp(min=1e-12).log()
    across, down = (near[..., 1, 2] - near[..., 1, 0]) / 2, (near[..., 2, 1] - near[..., 0, 1]) / 2
    xx = near[..., 1, 2] - 2 * near[..., 1, 1] + near[..., 1, 0]
    yy = near[..., 2, 1] - 2 * near[..., 1, 1] + near[..., 0, 1]
    xy = (near[..., 2, 2] - near[..., 2, 0] - near[..., 0, 2] + near[..., 0, 0]) / 4
    determinant = xx * yy - xy * xy
    is_peak = (determinant > 1e-12) & (xx < 0)
    safe = torch.where(is_peak, determinant, 1.0)
    step = torch.stack([xy * down - yy * across, xy * across - xx * down], 2) / safe[..., None]
    # Within the surroundings of the highest cell, which itself may be beside the middle at the border.
    step = torch.where(is_peak[..., None] & (step.abs() <= 2).all(2, keepdim=True), step, 0.0)
    _, top_x, top_y = highest(heat)
    moved = torch.stack([x, y], 2) + step
    return torch.where((step != 0).any(2, keepdim=True), moved, torch.stack([top_x, top_y], 2).to(heat.dtype))


def divergence(raw: Tensor, centres: Tensor, sigma: float) -> Tensor:
    """Kullback-Leibler divergence of maps, as distributions over their cells, from Gaussians: nats `[B, K]`.

    Args:
        raw: Logits `[B, K, h, w]`.
        centres: x and y in cells, (0, 0) the centre of the first cell, `[B, K, 2]`.
        sigma: In cells.
    """
    wanted = gaussians(centres, (raw.shape[2], raw.shape[3]), sigma).flatten(2)
    wanted = wanted / wanted.sum(2, keepdim=True).clamp(min=torch.finfo(wanted.dtype).tiny)
    return (torch.special.xlogy(wanted, wanted) - wanted * raw.flatten(2).log_softmax(2)).sum(2)


def share_at_peak(heat: Tensor, sigma: float) -> Tensor:
    """Share of each map `[B, K, h, w]` of sum 1 that lies within three sigma of its highest cell `[B, K]`."""
    _, x, y = highest(heat)
    return windows(heat, x, y, max(1, round(3 * sigma))).sum((2, 3)).clamp(0, 1)
