"""COCO JSON with captions: pictures with texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from typing import Any, Literal

from trainwright.data.sources.coco_file import scalar
from trainwright.data.sources.coco_images import CocoImages
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.sources.json_text import JsonText
from trainwright.data.types import RawFile
from trainwright.errors import DataError
from trainwright.fields import Location


class CocoCaptionsSource(GatheredSource):
    """Image-text pairs of COCO's captions files.

    Columns:
        image: The picture's file.
        caption: Its text.

    Args:
        annotations: The JSON file, or one per split: `{train: a.json, val: b.json}`.
        images: Folder or zip archive of the pictures; looked for beside the JSON file when absent.
        captions: `first` takes the first caption of each picture, so that no picture can be in two splits;
            `each` makes a row of every caption.
    """

    columns = {"image": "image", "caption": "text"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image",)

    def __init__(
        self,
        *,
        annotations: Location | dict[str, Location],
        images: Location | None = None,
        captions: Literal["first", "each"] = "first",
    ) -> None:
        super().__init__()
        self._each = captions == "each"
        self._pictures: list[RawFile] = []
        self._captions: list[str] = []
        paths = {"": annotations} if isinstance(annotations, str) else annotations
        for split, path in paths.items():
            self._add(path, images, split)
        self.values = {"image": self._pictures, "caption": self._captions}
        self.finish(str(annotations), "a captions file lists pictures and texts")

    def _add(self, path: str, folder: str | None, split: str) -> None:
        text = JsonText(path, "data.source.annotations")
        listed: list[tuple[Any, int]] = []
        found: list[Any] = []
        text.scan(
            {
                "images": lambda item, start, _: listed.append((item, start)),
                "annotations": lambda item, *_: found.append(item),
            }
        )
        images = CocoImages(listed, text.path, folder, self.faults)
        self._extra_files.append(text.path)
        by_row = self._by_row(found, images, text.path.name)
        if not by_row and found:
            raise DataError("the file has no captions", where=str(text.path), fix="use the source `coco`")
        for row, name in enumerate(images.names):
            texts = by_row.get(row, [])
            if row in images.lost_rows:
                continue
            if not texts:
                self._notes["pictures have no caption and were left out"] += 1
            if not self._each:
                self._notes["further captions of the same pictures were left out"] += max(0, len(texts) - 1)
                texts = texts[:1]
            for number, caption in enumerate(texts):
                self.put_in_split(split, len(self.names))
                self.names.append(name if len(texts) == 1 else f"{name} caption {number + 1}")
                self._pictures.append(images.files[row])
                self._captions.append(caption)

    def _by_row(self, found: list[Any], images: CocoImages, file: str) -> dict[int, list[str]]:
        by_row: dict[int, list[str]] = defaultdict(list)
        for place, item in enumerate(found):
            fields = item if isinstance(item, dict) else {}
            row = images.row_of(scalar(fields.get("image_id")))
            caption = fields.get("caption")
            name = f"{file}: annotation {fields.get('id', f'number {place}')}"
            if not isinstance(caption, str) or not caption.strip():
                self.faults.append((name, "it has no caption"))
            elif row < 0:
                said = f"its image {fields.get('image_id')!r} is not among the file's images"
                self.faults.append((name, said))
            else:
                by_row[row].append(caption.strip())
        return by_row
