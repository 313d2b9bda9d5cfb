"""What scoring keeps of a map of classes: how often which class was taken for which, and met boundaries."""

from __future__ import annotations

import torch
from torch import Tensor


def confusion(predicted: Tensor, target: Tensor, classes: int) -> Tensor:
    """How often each class (row) was predicted as each class (column), per sample.

    Args:
        predicted: Class ids int64 `[B, H, W]`.
        target: Likewise; pixels with a negative id are not counted.
        classes: Number of classes C.

    Returns:
        int32 `[B, C, C]`.
    """
    cells = torch.where(target >= 0, target * classes + predicted, classes**2)
    return _counts(cells, classes**2).view(-1, classes, classes)


def boundary_matches(predicted: Tensor, target: Tensor, classes: int, tolerance: int) -> Tensor:
    """How many pixels of each class's boundary lie near the same class's boundary of the other map.

    A pixel is on the boundary of its class where one of its four neighbours has another class. Pixels without
    a true class are in no region and bound none.

    Args:
        predicted: Class ids int64 `[B, H, W]`.
        target: Likewise; negative where there is no class.
        classes: Number of classes C.
        tolerance: Distance in pixels, between the pixels' centres, that counts as near.

    Returns:
        int32 `[B, C, 4]`: predicted boundary pixels that are near a true one, all predicted ones, true
        boundary pixels that are near a predicted one, all true ones.
    """
    outside = target < 0
    found = _boundary(predicted.masked_fill(outside, -1)).to(torch.int16)
    true = _boundary(target.masked_fill(outside, -1)).to(torch.int16)
    met_found, met_true = _met(found, true, tolerance)
    maps = [(found, met_found), (found, found >= 0), (true, met_true), (true, true >= 0)]
    return torch.stack(
        [_counts(torch.where(kept, ids.long(), classes), classes) for ids, kept in maps], dim=2
    )


def _boundary(ids: Tensor) -> Tensor:
    """Class ids where a pixel is on its class's boundary, -1 elsewhere."""
    edge = torch.zeros_like(ids, dtype=torch.bool)
    for axis in (1, 2):
        size = ids.shape[axis] - 1
        first, second = ids.narrow(axis, 0, size), ids.narrow(axis, 1, size)
        differ = (first != second) & (first >= 0) & (second >= 0)
        edge.narrow(axis, 0, size).logical_or_(differ)
        edge.narrow(axis, 1, size).logical_or_(differ)
    return torch.where(edge, ids, -1)


def _met(first: Tensor, second: Tensor, tolerance: int) -> tuple[Tensor, Tensor]:
    """Boundary pixels of each map that have one of the same class in the other map within the tolerance.

    One shifted comparison per offset in the disc, so that no axis of classes is needed.
    """
    met_first, met_second = (torch.zeros_like(ids, dtype=torch.bool) for ids in (first, second))
    height, width = first.shape[1:]
    for down in range(-min(tolerance, height - 1), min(tolerance, height - 1) + 1):
        for right in range(-min(tolerance, width - 1), min(tolerance, width - 1) + 1):
            if down**2 + right**2 > tolerance**2:
                continue
            here = (slice(None), _part(down, height), _part(right, width))
            there = (slice(None), _part(-down, height), _part(-right, width))
            same = (first[here] == second[there]) & (first[here] >= 0)
            met_first[here] |= same
            met_second[there] |= same
    return met_first, met_second


def _part(shift: int, size: int) -> slice:
    return slice(max(shift, 0), size + min(shift, 0))


def _counts(ids: Tensor, kinds: int) -> Tensor:
    """How often each of the ids 0 to `kinds` - 1 stands in each sample `[B, H, W]`; int32 `[B, kinds]`."""
    count = len(ids)
    each = ids.flatten(1) + torch.arange(count, device=ids.device)[:, None] * (kinds + 1)
    found = torch.bincount(each.flatten(), minlength=count * (kinds + 1))
    return found.view(count, kinds + 1)[:, :kinds].to(torch.int32)
