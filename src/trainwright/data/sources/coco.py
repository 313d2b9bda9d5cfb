"""COCO JSON: boxes, polygons, run lengths and keypoints."""

from __future__ import annotations

import bisect
from collections import Counter
from pathlib import Path

from trainwright.data.objects import Objects
from trainwright.data.sources.annotated import AnnotatedSource
from trainwright.data.sources.coco_file import CocoFile
from trainwright.errors import DataError
from trainwright.fields import Location


class CocoSource(AnnotatedSource):
    """Pictures with objects, as COCO's `instances` and `person_keypoints` files hold them.

    Every listed picture is a row, also without objects. Polygons, run lengths (plain or as text),
    keypoints, `iscrowd` and `area` are kept.

    Columns:
        image: The picture's file.
        objects: `Objects`.

    Args:
        annotations: The JSON file, or one per split: `{train: a.json, val: b.json}`.
        images: Folder or zip archive of the pictures, or one per split; looked for beside the JSON file
            when absent.
    """

    def __init__(
        self,
        *,
        annotations: Location | dict[str, Location],
        images: Location | dict[str, Location] | None = None,
    ) -> None:
        super().__init__()
        paths = {"": annotations} if isinstance(annotations, str) else annotations
        if not paths:
            raise DataError(
                "no file is named",
                where="data.source.annotations",
                fix="name the JSON file of at least one split",
            )
        self._parts: list[CocoFile] = []
        self._starts: list[int] = []
        for split, path in paths.items():
            folder = images.get(split) if isinstance(images, dict) else images
            where = f"data.source.annotations{f'.{split}' if split else ''}"
            self._add(CocoFile(path, folder, where), split)
        self._settle_classes()
        outlines = any(part.has_outlines for part in self._parts)
        points = any(part.has_points for part in self._parts)
        self.kind = "keypoints" if points else "instances" if outlines else "boxes"
        self.finish(str(self._parts[0].path), "a COCO file lists them under `images`")

    def objects(self, row: int) -> Objects:
        """The objects of one picture, in the order of the file."""
        part = bisect.bisect_right(self._starts, row) - 1
        return self._parts[part].objects(row - self._starts[part])

    def _add(self, part: CocoFile, split: str) -> None:
        start = len(self.pictures)
        self._parts.append(part)
        self._starts.append(start)
        self.pictures += part.images.files
        self.names += part.images.names
        self.faults += part.faults
        self.unread += part.unread
        self.supercategories |= part.categories.above
        self.notices = [*self.notices, *part.notices]
        self._extra_files.append(Path(part.path))
        if split:
            self._split_rows[split] = list(range(start, len(self.pictures)))

    def _settle_classes(self) -> None:
        first = self._parts[0]
        self.class_names = tuple(first.categories.names)
        for part in self._parts[1:]:
            if set(part.categories.names) != set(self.class_names):
                differ = Counter([*self.class_names, *part.categories.names])
                raise DataError(
                    f"{first.name} and {part.name} list different categories",
                    where="data.source.annotations",
                    why="only in one: " + ", ".join(name for name, count in differ.items() if count == 1),
                    fix="give all files the same categories",
                )
