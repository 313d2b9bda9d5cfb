"""The objects of annotated pictures, each cut out as a picture of its own."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from trainwright import registry
from trainwright.data.geometry import Geometry
from trainwright.data.objects_cut import cut, window_of
from trainwright.data.processors import image_decoding as decoding
from trainwright.data.processors.image_raw import file_bytes
from trainwright.data.sources.base import LazySequence
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.types import BadSample, Role, Source
from trainwright.errors import DataError
from trainwright.fields import ComponentOf, NonNegative, PositiveInt


class CropsSource(GatheredSource):
    """A row per annotated object: to classify what another run finds (`predict RUN --then THIS_RUN`).

    Rows stay in the split of their picture. Where the source has no splits of its own, split by groups
    (`split: {group: picture}`), or objects of one picture come to stand on both sides.

    Columns:
        image: The object's window of its picture, uint8 `[h, w, C]`.
        label: Its class.
        picture: Name of its picture.

    Args:
        of: A source of pictures with boxes: coco, voc, yolo, ...
        margin: Added around every box, as a share of its width and height.
        least: Windows of a smaller side, in pixels, are left out.
    """

    columns: dict[str, Role] = {"image": "image", "label": "category", "picture": "text"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image",)

    def __init__(
        self,
        *,
        of: Annotated[dict[str, Any], ComponentOf("source")],
        margin: NonNegative = 0.1,
        least: PositiveInt = 4,
    ) -> None:
        super().__init__()
        inner: Source = registry.build("source", of, where="data.source.of")
        if "objects" not in inner.columns.values() or "image" not in inner.columns.values():
            raise DataError(
                f"{of['name']} has no annotated objects",
                where="data.source.of",
                why=f"it has {', '.join(inner.columns)}",
                fix="name a source of pictures with boxes, such as coco, voc or yolo",
            )
        roles = {role: name for name, role in reversed(inner.columns.items())}
        self.pictures, annotated = inner.column(roles["image"]), inner.column(roles["objects"])
        self.faults, self.notices = list(inner.faults), list(inner.notices)
        self._extra_files = list(inner.files())
        owners, numbers, labels = self._gather(annotated, inner.sample_names(), margin, least)
        self.windows = numbers
        self.owners = np.array(owners, dtype=np.int64)
        for split, rows in (inner.splits() or {}).items():
            for row in np.flatnonzero(np.isin(self.owners, rows)).tolist():
                self.put_in_split(split, row)
        names = [str(inner.sample_names()[owner]) for owner in owners]
        self.values = {
            "image": LazySequence(len(self.names), self._window),
            "label": labels,
            "picture": names,
        }
        self._last: tuple[int, np.ndarray] | None = None
        self.finish("data.source.of", "looked for objects with boxes")

    def _gather(
        self, annotated: Any, names: Any, margin: float, least: int
    ) -> tuple[list[int], list[tuple[int, int, int, int]], list[str]]:
        owners, windows, labels = [], [], []
        for owner in range(len(annotated)):
            objects = annotated[owner]
            for place, label in enumerate(objects.labels):
                window = window_of(objects.boxes[place], objects.size, margin)
                if window is None or min(window[2] - window[0], window[3] - window[1]) < least:
                    self._notes[f"objects are smaller than {least} pixels and were left out"] += 1
                    continue
                self.names.append(f"{names[owner]}#{place}")
                owners.append(owner)
                windows.append(window)
                labels.append(label)
        return owners, windows, labels

    def _window(self, row: int) -> np.ndarray | Any:
        """Pixels of an object; its picture where that cannot be read, for its reader to say why."""
        owner = int(self.owners[row])
        last = self._last
        if last is None or last[0] != owner:
            raw = self.pictures[owner]
            try:
                data = file_bytes(raw)
                if data is None:
                    return cut(np.asarray(raw), self.windows[row])
                mode = decoding.size_and_mode(data)[2]
                pixels = decoding.decode(data, mode, Geometry(None), "white", "pillow")
            except BadSample:
                return raw
            # Objects of one picture are read one after the other: it is decoded once.
            last = self._last = (owner, pixels)
        return cut(last[1], self.windows[row])

    def files(self) -> list[Path]:
        """Those of the source of the pictures."""
        return self._extra_files
