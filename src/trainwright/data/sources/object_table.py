"""A table with one object per line: picture, class and box."""

from __future__ import annotations

import csv
import io

import numpy as np

from trainwright.data.objects import Objects
from trainwright.data.picture_sizes import PictureSizes, Size
from trainwright.data.processors.category import natural_key
from trainwright.data.sources.annotated import AnnotatedSource, box_problems
from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import leaves_root, read
from trainwright.data.sources.folder import SPLIT_NAMES
from trainwright.data.sources.kitti import numbers_of
from trainwright.data.types import RawFile
from trainwright.errors import DataError
from trainwright.fields import Location

COLUMNS = {
    "image": ("image", "filename", "file_name", "image_id", "image_path", "path", "img"),
    "label": ("label", "class", "category", "name", "class_name"),
    "left": ("left", "xmin", "x1", "x_min"),
    "top": ("top", "ymin", "y1", "y_min"),
    "right": ("right", "xmax", "x2", "x_max"),
    "bottom": ("bottom", "ymax", "y2", "y_max"),
    "split": ("split", "set", "subset"),
}
_CORNERS = ("left", "top", "right", "bottom")
Line = tuple[int, str, list[float]]


class ObjectTableSource(AnnotatedSource):
    """Boxes of a CSV file with a header, as AutoML and TensorFlow's converters write them.

    Rows are the pictures in the order in which they are first named. Columns are found by their usual
    names (`image` or `filename`, `label` or `class`, `left` or `xmin` or `x1`, ..., `split`). A line with a
    picture and no box stands for a picture without objects. All else that cannot be used is a fault.

    Columns:
        image: The picture's file.
        objects: `Objects`.

    Args:
        path: The CSV file.
        images: Folder of the pictures; the table's own when absent.
    """

    def __init__(self, *, path: str, images: Location | None = None) -> None:
        super().__init__()
        self._path = existing(path, "data.source.path")
        self._folder = existing(images, "data.source.images") if images else self._path.parent
        self._extra_files.append(self._path)
        self._lines: list[list[Line]] = []
        self._sizes: list[Size] = []
        self._rows: dict[str, int] = {}
        self._splits_of: dict[str, str] = {}
        header, lines = self._read()
        self._places = object_columns(header)
        for number, fields in lines:
            problem = (
                self._add(number, fields)
                if len(fields) == len(header)
                else f"{len(fields)} fields where {len(header)} belong"
            )
            if problem:
                self.faults.append((f"{self._path.name}:{number}", problem))
        self._settle()
        self.finish(str(self._path), "the table names pictures, classes and boxes")

    def objects(self, row: int) -> Objects:
        """The objects of one picture, in the order of the table."""
        lines = self._lines[row]
        return Objects(
            size=self._sizes[row],
            labels=tuple(label for _, label, _ in lines),
            boxes=np.array([box for _, _, box in lines], dtype=np.float64).reshape(-1, 4),
            crowd=np.zeros(len(lines), dtype=bool),
            names=tuple(f"{self._path.name}:{number}" for number, _, _ in lines),
        )

    def _read(self) -> tuple[list[str], list[tuple[int, list[str]]]]:
        text = read(RawFile(str(self._path))).decode("utf-8-sig", errors="replace")
        reader = csv.reader(io.StringIO(text, newline=""))
        try:
            header = [name.strip().lower() for name in next(reader, [])]
            return header, [(reader.line_num, fields) for fields in reader if fields]
        except csv.Error as error:
            raise DataError(
                f"not a CSV file: {error}",
                where=f"{self._path}:{reader.line_num}",
                fix="save it as comma-separated text with a header",
            ) from None

    def _add(self, number: int, fields: list[str]) -> str | None:
        """Takes one line down, and says what is wrong with it."""
        word = {key: fields[place].strip() for key, place in self._places.items()}
        name = word["image"]
        split = SPLIT_NAMES.get(word.get("split", "").lower(), "")
        if word.get("split") and not split:
            return f"{word['split']!r} names no split"
        if not name or leaves_root(name):
            return f"{name!r} is no picture of the folder"
        if name not in self._rows:
            if not (self._folder / name).is_file():
                return f"its picture {name!r} is not in {self._folder}"
            self._rows[name] = len(self._rows)
            self._splits_of[name] = split
            self._lines.append([])
        if self._splits_of[name] != split:
            return f"its picture is in split {self._splits_of[name] or 'none'} by an earlier line"
        corners = [word[corner] for corner in _CORNERS]
        if not word["label"] and not any(corners):
            return None
        box = numbers_of(corners)
        if not word["label"] or box is None:
            return "it has no class" if box else f"its box {', '.join(corners)} is not of finite numbers"
        self._lines[self._rows[name]].append((number, word["label"], box))
        return None

    def _settle(self) -> None:
        """Reads the headers, checks all boxes, and makes rows of pictures that can be read."""
        names = sorted(self._rows, key=lambda name: self._rows[name])
        files = [RawFile(str(self._folder / name)) for name in names]
        kept_lines = self._lines
        self._lines = []
        for name, file, lines, size in zip(
            names, files, kept_lines, PictureSizes(self._folder).all(files), strict=True
        ):
            if size is None:
                self.faults.append((name, "the picture's header cannot be read"))
                continue
            boxes = np.array([box for _, _, box in lines], dtype=np.float64).reshape(-1, 4)
            problems, beyond = box_problems(boxes, np.tile(np.array(size, np.float64), (len(boxes), 1)))
            self._notes["boxes reach beyond their picture; they are clipped when encoded"] += beyond
            self.faults += [(f"{self._path.name}:{lines[place][0]}", why) for place, why in problems.items()]
            self.put_in_split(self._splits_of[name], len(self.names))
            self.names.append(name)
            self.pictures.append(file)
            self._sizes.append(size)
            self._lines.append([line for place, line in enumerate(lines) if place not in problems])
        labels = {label for lines in self._lines for _, label, _ in lines}
        self.class_names = tuple(sorted(labels, key=natural_key))


def object_columns(header: list[str]) -> dict[str, int]:
    """Place of each column that is needed, by its usual names.

    Raises:
        DataError: One of them is missing.
    """
    places: dict[str, int] = {}
    for key, names in COLUMNS.items():
        found = [header.index(name) for name in names if name in header]
        if found:
            places[key] = found[0]
        elif key != "split":
            raise DataError(
                f"the table has no column for {key}",
                where="data.source.path",
                why=f"looked for {', '.join(names)}; it has {', '.join(header)}",
                fix="name the column with the columns of the source",
            )
    return places


def is_object_table(header: list[str]) -> bool:
    """Whether a header names all columns of such a table."""
    names = {name.strip().lower() for name in header}
    return all(names & set(options) for key, options in COLUMNS.items() if key != "split")
