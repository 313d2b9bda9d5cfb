"""Keypoints: named points of the objects of a picture, with their boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.objects import Keypoints, Objects
from trainwright.data.processors.object_column import ObjectColumn, Selection, as_array, name_of
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import DataError
from trainwright.fields import NonNegative

if TYPE_CHECKING:
    from torch import Tensor


class KeypointsProcessor(ObjectColumn):
    """Points, boxes and classes, stored as float32 `[M, 5 + 3 K]`: a box's row, then x, y, visibility.

    Visibility is 0 where a point is not annotated or lies outside of the processed image (its x and y are
    0 then), 1 where it is annotated but hidden, 2 where it is visible. Boxes are as in `boxes`.

    Args:
        classes: Names of the classes in the order of their ids; when absent those that the source names,
            and further ones of the training split.
        others: An object of another class makes a bad sample, or is left out and counted.
        crowd: An object that stands for a group is left out and counted, or is kept.
        min_size: Boxes narrower or lower than this many pixels of the processed image are left out.
        unannotated: Objects without one annotated point are kept, or left out and counted.
        image: The image input whose size and resize rule they follow; the only one when absent.
    """

    type = "keypoints"

    def __init__(
        self,
        *,
        classes: list[str] | None = None,
        others: Literal["error", "drop"] = "error",
        crowd: Literal["drop", "keep"] = "drop",
        min_size: NonNegative = 1.0,
        unannotated: Literal["keep", "drop"] = "drop",
        image: str | None = None,
    ) -> None:
        super().__init__(classes=classes, others=others, crowd=crowd, min_size=min_size, image=image)
        self.unannotated = unannotated
        self.names: list[str] = []
        self.mirrored: list[int] = []
        self.edges: list[list[int]] = []

    def fit(self, values: Values) -> None:
        """Finds classes and the names of the points. Raises `DataError` where nothing has points."""
        super().fit(values)
        known = next((item.keypoints for item in values if getattr(item, "keypoints", None)), None)
        if known is None:
            raise DataError(
                "no object of the training split has keypoints",
                fix="use `type: boxes`, or point the source at annotations with keypoints",
            )
        self.names = list(known.names)
        self.mirrored = list(known.mirrored) or list(range(len(known.names)))
        self.edges = [list(edge) for edge in known.edges]

    def select(self, raw: Any) -> Selection:
        """The objects that count. Raises `BadSample`."""
        selection = super().select(raw)
        if self.unannotated == "keep":
            return selection
        kept = self._points_of(raw, selection)[:, :, 2].any(axis=1)
        left_out = selection.left_out
        left_out["without one annotated point, left out"] += int((~kept).sum())
        chosen = (selection.places[kept], selection.boxes[kept], selection.ids[kept])
        return Selection(*chosen, selection.placement, +left_out)

    def encode(self, raw: Any) -> np.ndarray:
        """Boxes, class ids and points, float32 `[M, 5 + 3 K]`. Raises `BadSample` naming the object."""
        selection = self.select(raw)
        points = self._points_of(raw, selection)
        placed = selection.placement.forward(points[:, :, :2])
        height, width = self.size
        inside = ((placed >= 0) & (placed < (width, height))).all(axis=2)
        seen = np.where(inside, points[:, :, 2], 0.0)
        placed = np.where(seen[:, :, None] > 0, placed, 0.0)
        stored = self.rows(selection, 5 + 3 * len(self.names))
        stored[: len(placed), 5:] = np.concatenate([placed, seen[:, :, None]], axis=2).reshape(
            len(placed), 3 * len(self.names)
        )
        return stored

    def holds_truth(self, stored: np.ndarray) -> bool:
        """Whether a point is annotated."""
        return bool((stored[:, 7::3] > 0).any())

    def spec(self) -> TensorSpec:
        """Up to M objects of K points with x, y and visibility."""
        shape = (self.capacity, len(self.names), 3)
        classes, counts = tuple(self.classes), tuple(self.counts)
        return TensorSpec("keypoints", shape, "float32", classes, counts, points=tuple(self.names))

    def to_tensor(self, stored: Tensor) -> dict[str, Tensor]:
        """`boxes` `[B, M, 4]`, `labels` int64 `[B, M]` and `points` `[B, M, K, 3]`, floats float32."""
        points = stored[..., 5:].unflatten(-1, (len(self.names), 3))
        return {"boxes": stored[..., :4], "labels": stored[..., 4].long(), "points": points}

    def decode(self, value: Any, size: tuple[int, int] | None = None) -> Objects:
        """The objects of one picture with class names and points.

        Args:
            value: `boxes`, `labels`, `points` and perhaps `scores`, as `to_tensor` gives them.
            size: Height and width of the original picture, for coordinates in its pixels.
        """
        rows, objects = self.found(value, size)
        points = as_array(value["points"])[rows].astype(np.float64)
        if size is not None:
            placed = self.place(*size).backward(points[:, :, :2])
            points[:, :, :2] = np.where(points[:, :, 2:] > 0, placed, 0.0)
        edges = tuple((first, second) for first, second in self.edges)
        named = Keypoints(points, tuple(self.names), tuple(self.mirrored), edges)
        return replace(self.cut(objects), keypoints=named)

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return super().parameters() | {"unannotated": self.unannotated}

    def fitted(self) -> dict[str, Any]:
        """Those of boxes, and the points' names, mirror images and edges."""
        own = {"names": self.names, "mirrored": self.mirrored, "edges": self.edges}
        return super().fitted() | own

    def _points_of(self, objects: Objects, selection: Selection) -> npt.NDArray[np.float64]:
        """x, y and visibility in the original picture of the objects that count, `[k, K, 3]`."""
        found = objects.keypoints
        if found is None:
            return np.zeros((len(selection.places), len(self.names), 3))
        if list(found.names) != self.names:
            raise BadSample(f"its {len(found.names)} points are not the {len(self.names)} of training")
        points = np.asarray(found.points, dtype=np.float64)[selection.places]
        broken = (~np.isfinite(points[:, :, :2]).all(axis=2) & (points[:, :, 2] > 0)).any(axis=1)
        if broken.any():
            place = int(selection.places[np.flatnonzero(broken)[0]])
            raise BadSample(f"a point of {name_of(objects, place)} is not a number")
        return np.where(points[:, :, 2:] > 0, points, 0.0)
