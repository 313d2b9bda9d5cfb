"""Losses of found boxes, value by value: parts that detection heads are built of.

Unlike the losses beside this package they are no components: a head chooses among them by a parameter.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from torch import Tensor

from trainwright.losses.boxes.overlap import ciou, diou, giou, iou

OverlapName: TypeAlias = Literal["iou", "giou", "diou", "ciou"]

OVERLAP_LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "iou": iou,
    "giou": giou,
    "diou": diou,
    "ciou": ciou,
}
"""Name in a recipe -> loss of boxes `[..., 4]` against true ones, `[...]`."""
