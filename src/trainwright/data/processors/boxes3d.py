"""Boxes in space: the annotated objects of a picture with centre, size and heading in metres."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from trainwright.data.objects import Objects
from trainwright.data.processors.object_column import ObjectColumn, Selection, as_array, name_of
from trainwright.data.types import BadSample, Space, TensorSpec, Values
from trainwright.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

NEAREST = 0.1
"""Metres in front of the camera from which an object can be seen."""

_WIDTH = 5 + 7 + 12


class Boxes3dProcessor(ObjectColumn):
    """Boxes in space, stored as float32 `[M, 24]`.

    A row is a box's row of `boxes`, then centre x, y, z (metres; x to the right, y down, z forward), height,
    width, length (metres) and yaw (radians around y, 0 where the length lies along x), then the matrix that
    projects metres to pixels of the processed image, row by row. The matrix stands in rows without an object,
    too. A picture that comes without a camera is taken for one of the training pictures' camera: the median
    of those of the commonest size.
    """

    type = "boxes3d"
    camera: Sequence[float] = ()
    camera_size: Sequence[int] = ()
    sizes: Sequence[Sequence[float]] = ()
    depth = 1.0

    def fit(self, values: Values) -> None:
        """Finds classes, the camera and common sizes. Raises `DataError` where nothing is in space."""
        super().fit(values)
        known = [item for item in values if isinstance(item, Objects) and item.projection is not None]
        boxes = [(objects.labels, objects.extra["box3d"]) for objects in known if "box3d" in objects.extra]
        labels = np.array([label for names, _ in boxes for label in names], dtype=object)
        space = np.concatenate([np.zeros((0, 7)), *(part.reshape(-1, 7) for _, part in boxes)])
        usable = np.isfinite(space).all(axis=1) & (space[:, 2:6] > 0).all(axis=1)
        labels, space = labels[usable], space[usable]
        if not len(space):
            raise DataError(
                "no object of the training split has a box in space",
                fix="use `type: boxes`, or point the source at annotations like KITTI's",
            )
        [(size, _)] = Counter(objects.size for objects in known).most_common(1)
        cameras = [objects.projection for objects in known if objects.size == size]
        self.camera = (
            np.median(np.stack([camera for camera in cameras if camera is not None]), 0).ravel().tolist()
        )
        self.camera_size = list(size)
        everyone = space[:, 3:6].mean(axis=0)
        groups = [space[labels == name, 3:6] for name in self.classes]
        self.sizes = [(group.mean(axis=0) if len(group) else everyone).tolist() for group in groups]
        self.depth = float(np.exp(np.log(space[:, 2]).mean()))

    def select(self, raw: Any) -> Selection:
        """The objects that count. Raises `BadSample` naming an object whose box in space is none."""
        selection = super().select(raw)
        if not len(selection.places):
            return selection
        space = _in_space(raw)[selection.places]
        known = np.isfinite(space).all(axis=1)
        flat = known & (space[:, 3:6] <= 0).any(axis=1)
        if flat.any():
            place = int(np.flatnonzero(flat)[0])
            size = ", ".join(f"{value:g}" for value in space[place, 3:6])
            who = name_of(raw, int(selection.places[place]))
            raise BadSample(f"{who}: height, width and length are {size} m")
        behind = known & (space[:, 2] < NEAREST)
        left_out = selection.left_out
        left_out["without a box in space, left out"] += int((~known).sum())
        left_out["behind the camera, left out"] += int(behind.sum())
        kept = known & ~behind
        chosen = (selection.places[kept], selection.boxes[kept], selection.ids[kept])
        return Selection(*chosen, selection.placement, +left_out)

    def encode(self, raw: Any) -> np.ndarray:
        """Boxes in picture and space, and the camera, float32 `[M, 24]`. Raises `BadSample`."""
        selection = self.select(raw)
        stored = self.rows(selection, _WIDTH)
        if len(selection.places):
            stored[: len(selection.places), 5:12] = _in_space(raw)[selection.places]
        if raw.projection is not None:
            stored[:, 12:] = (selection.placement.matrix @ raw.projection).ravel()
        elif self.camera:
            stored[:, 12:] = self._camera().ravel()
        return stored

    def spec(self) -> TensorSpec:
        """Up to M boxes of seven numbers."""
        sizes = tuple((high, wide, long) for high, wide, long in self.sizes)
        space = Space(tuple(self._camera().ravel().tolist()), sizes, self.depth)
        classes, counts = tuple(self.classes), tuple(self.counts)
        return TensorSpec("boxes3d", (self.capacity, 7), "float32", classes, counts, space=space)

    def to_tensor(self, stored: Tensor) -> dict[str, Tensor]:
        """`boxes` `[B, M, 4]`, `labels` `[B, M]`, `boxes3d` `[B, M, 7]`, `projection` `[B, M, 3, 4]`."""
        return {
            "boxes": stored[..., :4],
            "labels": stored[..., 4].long(),
            "boxes3d": stored[..., 5:12],
            "projection": stored[..., 12:].unflatten(-1, (3, 4)),
        }

    def decode(self, value: Any, size: tuple[int, int] | None = None) -> Objects:
        """The objects of one picture with class names, `box3d` and the camera.

        Args:
            value: `boxes`, `labels`, `boxes3d`, perhaps `scores`, and `projection` `[any, 3, 4]`, whose first
                counts; that of the training pictures when absent.
            size: Height and width of the original picture, for places and a camera in its pixels.
        """
        rows, objects = self.found(value, size)
        given = as_array(value["projection"]).reshape(-1, 3, 4) if "projection" in value else np.zeros(0)
        camera = given[0].astype(np.float64) if len(given) else self._camera()
        if size is not None:
            camera = np.linalg.inv(self.place(*size).matrix) @ camera
        space = as_array(value["boxes3d"])[rows].astype(np.float64)
        return replace(self.cut(objects), projection=camera, extra=objects.extra | {"box3d": space})

    def fitted(self) -> dict[str, Any]:
        """Those of boxes, the camera and common sizes."""
        own = {
            "camera": self.camera,
            "camera_size": self.camera_size,
            "sizes": self.sizes,
            "depth": self.depth,
        }
        return super().fitted() | own

    def _camera(self) -> npt.NDArray[np.float64]:
        """The training pictures' projection to pixels of the processed image, `[3, 4]`."""
        camera = np.array(self.camera, dtype=np.float64).reshape(3, 4)
        height, width = self.camera_size
        return self.place(height, width).matrix @ camera


def _in_space(objects: Objects) -> npt.NDArray[np.float64]:
    """Boxes in space `[n, 7]` of a picture with objects. Raises `BadSample` where there are none at all."""
    space = objects.extra.get("box3d")
    if space is None:
        raise BadSample("its objects have no boxes in space")
    if objects.projection is None or not np.isfinite(objects.projection).all():
        raise BadSample("the projection of its camera is not known")
    return np.asarray(space, dtype=np.float64).reshape(-1, 7)
