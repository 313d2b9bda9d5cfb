"""A table of landmarks: per row the name of a picture, and x and y of the same points."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np

from trainwright.data.objects import Keypoints, Objects
from trainwright.data.picture_sizes import PictureSizes, Size
from trainwright.data.sources.annotated import AnnotatedSource
from trainwright.data.sources.base import existing
from trainwright.data.sources.coco_categories import mirror_places
from trainwright.data.sources.file_set import leaves_root, read
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES
from trainwright.data.sources.kitti import numbers_of
from trainwright.data.types import BadSample, RawFile
from trainwright.errors import DataError
from trainwright.fields import Location

_FACE_68 = [
    *range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1),
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    *range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), *range(67, 64, -1),
]  # fmt: skip


class LandmarksSource(AnnotatedSource):
    """One object per picture, with keypoints; the box is the smallest around its points.

    A line with a wrong number of fields or a value that is no finite number is a fault, and so is a
    picture that is not there. All points count as visible.

    Columns:
        image: The picture's file.
        objects: `Objects` with one object.

    Args:
        path: CSV file whose first line is a header, or one per split: `{train: a.csv, test: b.csv}`.
            The first column, or the one with names of image files, names the picture; all others are
            x0, y0, x1, y1, ...
        images: Folder of the pictures, or one per split; the table's own, or the one in it where the
            first picture lies, when absent.
        label: Class of the objects.
        points: Names of the points; their numbers when absent.
        mirrored: For each point its place in a mirror image. When absent: by left and right in the names,
            and for 68 numbered points the places of the iBUG 300-W mark-up of faces.
    """

    kind = "keypoints"

    def __init__(
        self,
        *,
        path: Location | dict[str, Location],
        images: Location | dict[str, Location] | None = None,
        label: str = "object",
        points: list[str] | None = None,
        mirrored: list[int] | None = None,
    ) -> None:
        super().__init__()
        self.class_names = (label,)
        self._points: list[np.ndarray] = []
        self._places: list[str] = []
        self._sizes: list[Size] = []
        self._count = 0
        for split, file in ({"": path} if isinstance(path, str) else path).items():
            self._read(file, images.get(split) if isinstance(images, dict) else images, split)
        self._names = tuple(points or map(str, range(self._count)))
        if len(self._names) != self._count:
            raise DataError(
                f"{len(self._names)} points are named, the table has {self._count}",
                where="data.source.points",
                fix="name every point of the table, in its order",
            )
        self._mirrored = self._mirror(points, mirrored)
        self.finish(str(path), "the table names pictures and points")

    def objects(self, row: int) -> Objects:
        """The one object of a picture."""
        points = self._points[row]
        low, high = points.min(axis=0), points.max(axis=0)
        marked = np.concatenate([points, np.full((len(points), 1), 2.0)], axis=1)
        return Objects(
            size=self._sizes[row],
            labels=self.class_names,
            boxes=np.concatenate([low, high])[None],
            keypoints=Keypoints(marked[None], self._names, self._mirrored),
            crowd=np.zeros(1, dtype=bool),
            names=(self._places[row],),
        )

    def _mirror(self, points: list[str] | None, mirrored: list[int] | None) -> tuple[int, ...]:
        if mirrored is not None:
            if sorted(mirrored) != list(range(self._count)):
                raise DataError(
                    f"it must hold each number from 0 to {self._count - 1} once",
                    where="data.source.mirrored",
                    fix="give for every point the one on the other side; one in the middle is its own",
                )
            return tuple(mirrored)
        if points is None and self._count == len(_FACE_68):
            self.notices.append(
                "68 points are taken for the iBUG mark-up of faces; `mirrored` says otherwise"
            )
            return tuple(_FACE_68)
        return mirror_places(self._names)

    def _read(self, path: str, images: str | None, split: str) -> None:
        table = existing(path, "data.source.path")
        self._extra_files.append(table)
        text = read(RawFile(str(table))).decode("utf-8-sig", errors="replace")
        reader = csv.reader(io.StringIO(text, newline=""))
        try:
            header = next(reader, [])
            lines = [(reader.line_num, fields) for fields in reader if fields]
        except csv.Error as error:
            raise DataError(
                f"not a CSV file: {error}",
                where=f"{table}:{reader.line_num}",
                fix="save it as comma-separated text with a header",
            ) from None
        width = len(header)
        if width < 3 or width % 2 == 0:
            raise DataError(
                f"the header names {width} columns; a picture and x and y of every point are needed",
                where=f"{table}:1",
                fix="give two columns, x and y, for every point behind that of the picture",
            )
        if self._count not in (0, width // 2):
            raise DataError(
                f"it has {width // 2} points, the tables before it {self._count}",
                where=str(table),
                fix="give all tables the same points",
            )
        self._count = width // 2
        place = _picture_column(lines)
        names = [fields[place] for _, fields in lines if len(fields) == width]
        folder = existing(images, "data.source.images") if images else picture_folder(table, names)
        sizes = PictureSizes(folder)
        for line, fields in lines:
            where = f"{table.name}:{line}"
            problem = (
                self._add(fields, place, folder, sizes, where, split)
                if len(fields) == width
                else (f"{len(fields)} fields where {width} belong")
            )
            if problem:
                self.faults.append((where, problem))
        sizes.save()

    def _add(
        self, fields: list[str], place: int, folder: Path, sizes: PictureSizes, where: str, split: str
    ) -> str | None:
        name = fields[place]
        values = numbers_of(fields[:place] + fields[place + 1 :])
        if values is None:
            return "a coordinate is no finite number"
        if leaves_root(name) or not (folder / name).is_file():
            return f"its picture {name!r} is not in {folder}"
        picture = RawFile(str(folder / name))
        points = np.array(values).reshape(-1, 2)
        try:
            size = sizes.of(picture)
        except BadSample as problem:
            return f"{name}: {problem.reason}"
        if (points.max(axis=0) <= 0).any() or (points.min(axis=0) >= size[::-1]).any():
            return f"all its points lie outside the picture of {size[1]}x{size[0]} pixels"
        if (points.max(axis=0) - points.min(axis=0) <= 0).any():
            return "its points have no extent"
        self.put_in_split(split, len(self.names))
        self.names.append(f"{split}/{name}" if split else name)
        self.pictures.append(picture)
        self._points.append(points)
        self._places.append(where)
        self._sizes.append(size)
        return None


def picture_folder(table: Path, names: list[str]) -> Path:
    """The table's folder, or the first in it, that holds the first picture. Raises `DataError`."""
    first = names[0] if names else ""
    near = [table.parent, *sorted(item for item in table.parent.iterdir() if item.is_dir())]
    held = [folder for folder in near if first and not leaves_root(first) and (folder / first).is_file()]
    if not held:
        raise DataError(
            f"the first picture {first!r} is not found",
            where=str(table),
            why=f"looked in {table.parent} and the folders in it",
            fix="name the folder: data.source.images",
        )
    # Where several hold a picture of that name, the one that has the table's word in its name.
    return max(held, key=lambda folder: (table.stem.split("_")[0] == folder.name, -held.index(folder)))


def _picture_column(lines: list[tuple[int, list[str]]]) -> int:
    for _, fields in lines[:1]:
        for place, field in enumerate(fields):
            if Path(field).suffix.lower() in IMAGE_SUFFIXES:
                return place
    return 0
