"""What boxes, instances and keypoints share: which objects of a picture count, and where they land."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.geometry import Placement
from trainwright.data.objects import Objects
from trainwright.data.processors.category import natural_key, unknown_class
from trainwright.data.processors.picture_space import PictureSpace
from trainwright.data.types import BadSample, Values
from trainwright.errors import RecipeError
from trainwright.fields import NonNegative

_OUTSIDE = 0.01  # pixels by which rounded numbers of an annotation may leave the picture


@dataclass(frozen=True)
class Selection:
    """The objects of one picture that count.

    Attributes:
        places: Their places among all objects, int64 `[k]`.
        boxes: Left, top, right, bottom in pixels of the processed image, clipped to it, float64 `[k, 4]`.
        ids: Class ids, int64 `[k]`.
        placement: Where the picture's pixels go.
        left_out: Why others do not count, each with a number.
    """

    places: npt.NDArray[np.int64]
    boxes: npt.NDArray[np.float64]
    ids: npt.NDArray[np.int64]
    placement: Placement
    left_out: Counter[str]


class ObjectColumn(PictureSpace):
    """A column of `Objects`, fitted to the classes that the source names, or of the training split.

    Boxes are clipped to the processed image. What is narrower or lower than `min_size` then is left out, and
    so are, unless asked for, objects that stand for a crowd; both are counted. A box with a coordinate that
    is no finite number makes a bad sample, and so does an unknown class.

    Attributes:
        selecting: Parameters that say which objects are left out, and change nothing of what was fitted but
            the counts.
    """

    needs_fit: ClassVar[bool] = True
    selecting: ClassVar[tuple[str, ...]] = ("others", "crowd", "min_size")

    def __init__(
        self,
        *,
        classes: list[str] | None = None,
        others: Literal["error", "drop"] = "error",
        crowd: Literal["drop", "keep"] = "drop",
        min_size: NonNegative = 1.0,
        image: str | None = None,
    ) -> None:
        """Objects that are left out are counted, with the reason.

        Args:
            classes: Names of the classes in the order of their ids; when absent those that the source names,
                and further ones of the training split.
            others: An object of another class makes a bad sample, or is left out and counted.
            crowd: An object that stands for a group is left out and counted, or is kept.
            min_size: Boxes narrower or lower than this many pixels of the processed image are left out.
            image: The image input whose size and resize rule they follow; the only one when absent.
        """
        super().__init__(image)
        if classes is not None and len(set(classes)) != len(classes):
            raise RecipeError(
                "a class is named twice", where="classes", why=", ".join(classes), fix="name each class once"
            )
        self._given = classes
        self._named: tuple[str, ...] = ()
        self.others, self.crowd, self.min_size = others, crowd, min_size
        self.classes: list[str] = classes or []
        self.counts: list[int] = []
        self.capacity = 0

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return {
            "classes": self._given,
            "others": self.others,
            "crowd": self.crowd,
            "min_size": self.min_size,
            "image": self.image,
        }

    def fitted(self) -> dict[str, Any]:
        """The image's geometry, classes, objects per class in training, and the largest count."""
        own = {"classes": self.classes, "counts": self.counts, "capacity": self.capacity}
        return super().fitted() | own

    def name_classes(self, names: Sequence[str]) -> None:
        """Takes the source's classes, also those without an object in training, in its order."""
        self._named = tuple(dict.fromkeys(names))

    def fit(self, values: Values) -> None:
        """Finds the classes, unless they are given, and counts the objects of the training split."""
        found: Counter[str] = Counter()
        for objects in values:
            if isinstance(objects, Objects):
                found.update(objects.labels)
        if self._given is None:
            further = found.keys() - set(self._named)
            self.classes = [*self._named, *sorted(further, key=natural_key)]
        self.counts = [found[name] for name in self.classes]

    def survey(self, values: Values) -> list[str]:
        """Settles the capacity: the largest count over all pictures.

        Returns:
            What is clipped and left out, each with its count.
        """
        told: Counter[str] = Counter()
        for objects in values:
            try:
                selection = self.select(objects)
            except BadSample:
                continue
            self.capacity = max(self.capacity, len(selection.places))
            told += selection.left_out
        return [f"{count:,} {self.type}: {what}" for what, count in told.items()]

    def select(self, raw: Any) -> Selection:
        """The objects that count. Raises `BadSample` for a box that is no box, or an unknown class."""
        objects = _objects(raw)
        placement = self.place(*objects.size)
        boxes = np.asarray(objects.boxes, dtype=np.float64).reshape(-1, 4)
        if len(boxes) != len(objects):
            raise BadSample(f"{len(boxes)} boxes for {len(objects)} objects")
        broken = ~np.isfinite(boxes).all(axis=1)
        if broken.any():
            place = int(np.flatnonzero(broken)[0])
            raise BadSample(f"the box of {name_of(objects, place)} is {boxes[place].tolist()}")
        left_out: Counter[str] = Counter()
        kept = self._wanted(objects, left_out)
        height, width = objects.size
        outside = (boxes[:, :2].min(axis=1, initial=0.0) < -_OUTSIDE) | (
            (boxes[:, 2:] - (width, height)).max(axis=1, initial=0.0) > _OUTSIDE
        )
        left_out["reach out of their picture and are clipped"] += int((outside & kept).sum())
        tall, wide = placement.size
        placed = placement.forward_boxes(boxes).clip(0, (wide, tall, wide, tall))
        small = ((placed[:, 2:] - placed[:, :2]) < max(self.min_size, 1e-6)).any(axis=1)
        reason = f"less than {self.min_size:g} pixels wide or high after clipping, left out"
        left_out[reason] += int((small & kept).sum())
        places = np.flatnonzero(kept & ~small)
        ids = np.array([self._ids[objects.labels[place]] for place in places], dtype=np.int64)
        return Selection(places, placed[places], ids, placement, +left_out)

    def rows(self, selection: Selection, width: int = 5) -> npt.NDArray[np.float32]:
        """Stored rows `[capacity, width]`: the box, the class id (-1 in rows without an object), zeros."""
        count = len(selection.places)
        if count > self.capacity:
            raise BadSample(f"{count} objects where {self.capacity} are the most that are expected")
        stored = np.zeros((self.capacity, width), dtype=np.float32)
        stored[:, 4] = -1
        stored[:count, :4], stored[:count, 4] = selection.boxes, selection.ids
        return stored

    def holds_truth(self, stored: np.ndarray) -> bool:
        """Whether a stored value of one picture holds an object that can be learned."""
        return bool((stored[:, 4] >= 0).any())

    def found(self, value: Any, size: tuple[int, int] | None) -> tuple[npt.NDArray[np.int64], Objects]:
        """Which rows of a model-side value hold an object, and these with class names.

        Args:
            value: `boxes` `[M, 4]`, `labels` `[M]` (-1 for none) and perhaps `scores` `[M]` of one picture.
            size: Height and width of the original picture, whose pixels are then the unit; the pixels of
                the processed image when absent.

        Returns:
            Rows `[m]` and objects. Their boxes may reach over the picture's borders, into padding: see `cut`.
        """
        parts = {name: as_array(part) for name, part in value.items()}
        rows = np.flatnonzero(parts["labels"] >= 0)
        boxes = parts["boxes"][rows].astype(np.float64)
        if size is not None:
            height, width = size
            boxes = self.place(height, width).backward_boxes(boxes)
            # What lies in the padding alone is no object of the picture.
            there = ((boxes[:, 2:] > 0) & (boxes[:, :2] < (width, height))).all(1)
            rows, boxes = rows[there], boxes[there]
        labels = tuple(self.classes[int(label)] for label in parts["labels"][rows])
        extra = {"score": parts["scores"][rows].astype(np.float64)} if "scores" in parts else {}
        return rows, Objects(size or self.size, labels, boxes, extra=extra)

    @staticmethod
    def cut(objects: Objects) -> Objects:
        """The same objects with boxes that end at the picture's borders."""
        height, width = objects.size
        return replace(objects, boxes=objects.boxes.clip(0, [width, height, width, height]))

    @property
    def _ids(self) -> dict[str, int]:
        # Kept until the list of classes is another one.
        if getattr(self, "_ids_of", None) is not self.classes:
            self._ids_of = self.classes
            self._ids_by_name = {name: place for place, name in enumerate(self.classes)}
        return self._ids_by_name

    def _wanted(self, objects: Objects, left_out: Counter[str]) -> npt.NDArray[np.bool_]:
        """Which objects are of a known class and single, bool `[n]`."""
        known = np.array([label in self._ids for label in objects.labels], dtype=bool)
        if self.others == "error" and not known.all():
            place = int(np.flatnonzero(~known)[0])
            label = objects.labels[place]
            raise BadSample(f"{name_of(objects, place)}: {unknown_class(label, self.classes)}")
        left_out["of other classes, left out"] += int((~known).sum())
        if self.crowd == "keep" or objects.crowd is None:
            return known
        crowd = np.asarray(objects.crowd, dtype=bool)
        left_out["stand for a crowd, left out"] += int((known & crowd).sum())
        return known & ~crowd


def name_of(objects: Objects, place: int) -> str:
    """What a person calls an object."""
    return str(objects.names[place]) if len(objects.names) > place else f"object {place}"


def as_array(value: Any) -> np.ndarray:
    """A tensor or array as a NumPy array."""
    return value.detach().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)


def _objects(raw: Any) -> Objects:
    if not isinstance(raw, Objects):
        raise BadSample(f"a {type(raw).__name__} is no annotation of objects")
    return raw
