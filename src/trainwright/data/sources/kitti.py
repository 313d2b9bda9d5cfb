"""KITTI's object benchmark: pictures with boxes in the picture and in space, and the camera's projection.

Format: Geiger et al., "Are we ready for Autonomous Driving?", devkit of the object benchmark. A line of a
label file: type, truncated, occluded, alpha, box (left, top, right, bottom), height, width, length, x, y,
z of the box's bottom centre in metres (camera: right, down, forward), rotation around the vertical axis;
detections have a score after it.
"""

from __future__ import annotations

import math
from pathlib import PurePosixPath

import numpy as np
import numpy.typing as npt

from trainwright.data.objects import Objects
from trainwright.data.picture_sizes import PictureSizes, Size
from trainwright.data.processors.category import natural_key
from trainwright.data.sources.annotated import AnnotatedSource, box_problems
from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.split_words import split_of_word

IGNORED = "DontCare"
_FIELDS = 15
_PICTURES = ("image_2", "image_02", "images")


class KittiSource(AnnotatedSource):
    """Pictures of `image_2` with the objects of `label_2` and the projection of `calib`.

    Columns:
        image: The picture's file.
        objects: `Objects` with `box3d` (centre x, y, z in metres, height, width, length, yaw), `truncated`,
            `occluded` and `alpha`, and the camera's projection; regions marked DontCare are crowds without
            `box3d` (NaN).
        projection: The matrix P2 from camera coordinates to pixels, float64 `[N, 12]`, row by row.

    Args:
        root: Folder or zip archive; `training` and `testing` below it are looked through.
    """

    columns = {"image": "image", "objects": "objects", "projection": "number"}  # noqa: RUF012

    def __init__(self, *, root: str) -> None:
        super().__init__()
        self._files = FileSet(existing(root, "data.source.root"))
        self._read: list[list[tuple[int, str, list[float]]]] = []
        self._labels: list[str] = []
        self._sizes: list[Size] = []
        projections: list[list[float]] = []
        folders = [name for name in self._files.folders() if PurePosixPath(name).name in _PICTURES]
        pictures = [name for folder in folders for name in self._files.directly_in(folder)]
        sizes = PictureSizes(self._files.root).all([self._files.file(name) for name in pictures])
        for picture, size in zip(pictures, sizes, strict=True):
            found = self._projection(picture)
            if found is not None and self._add(picture, size):
                projections.append(found)
        self.class_names = tuple(
            sorted({label for items in self._read for _, label, _ in items} - {IGNORED}, key=natural_key)
        )
        self.values = {"projection": np.array(projections, dtype=np.float64).reshape(-1, 12)}
        self.finish(str(self._files.root), "looked for image_2/*.png, label_2/*.txt and calib/*.txt")

    def objects(self, row: int) -> Objects:
        """The objects of one picture, in the order of the file."""
        items = self._read[row]
        numbers = np.array([values for _, _, values in items], dtype=np.float64).reshape(-1, _FIELDS - 1)
        ignored = np.array([label == IGNORED for _, label, _ in items], dtype=bool)
        return Objects(
            size=self._sizes[row],
            labels=tuple(label for _, label, _ in items),
            boxes=numbers[:, 3:7],
            crowd=ignored,
            names=tuple(f"{self._labels[row]}:{line}" for line, _, _ in items),
            projection=self.values["projection"][row].reshape(3, 4),
            extra={
                "truncated": numbers[:, 0],
                "occluded": numbers[:, 1],
                "alpha": numbers[:, 2],
                "box3d": _boxes_in_space(numbers, ignored),
            },
        )

    def _sibling(self, picture: str, folder: str) -> str:
        path = PurePosixPath(picture)
        return str(path.parent.parent / folder / f"{path.stem}.txt")

    def _add(self, picture: str, size: Size | None) -> bool:
        label_file = self._sibling(picture, "label_2")
        if label_file not in self._files:
            self._notes["pictures have no label file and were left out"] += 1
            return False
        if size is None:
            self.faults.append((picture, "the picture's header cannot be read"))
            return False
        self._extra_files += self._files.paths([label_file, self._sibling(picture, "calib")])
        part = PurePosixPath(picture).parent.parent.name
        self.put_in_split(split_of_word(part), len(self.names))
        self.names.append(picture)
        self.pictures.append(self._files.file(picture))
        self._labels.append(label_file)
        self._sizes.append(size)
        self._read.append(self._lines(label_file, size))
        return True

    def _lines(self, name: str, size: Size) -> list[tuple[int, str, list[float]]]:
        """Line number, type and 14 numbers of each object that can be used."""
        read: list[tuple[int, str, list[float]]] = []
        lines = self._files.read(name).decode("utf-8-sig", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words:
                continue
            values = numbers_of(words[1:_FIELDS])
            if len(words) not in (_FIELDS, _FIELDS + 1) or values is None:
                said = f"{len(words)} words" if len(words) < _FIELDS else "a word that is no finite number"
                self.faults.append((f"{name}:{number}", f"{said} where a type and 14 numbers belong"))
                continue
            read.append((number, words[0], values))
        boxes = np.array([values[3:7] for _, _, values in read], dtype=np.float64).reshape(-1, 4)
        problems, beyond = box_problems(boxes, np.tile(np.array(size, dtype=np.float64), (len(boxes), 1)))
        self._notes["boxes reach beyond their picture; they are clipped when encoded"] += beyond
        self.faults += [(f"{name}:{read[place][0]}", reason) for place, reason in problems.items()]
        return [item for place, item in enumerate(read) if place not in problems]

    def _projection(self, picture: str) -> list[float] | None:
        name = self._sibling(picture, "calib")
        if name not in self._files:
            self.faults.append((picture, f"its calibration {name} is not there"))
            return None
        for line in self._files.read(name).decode("utf-8-sig", errors="replace").splitlines():
            key, _, rest = line.partition(":")
            values = numbers_of(rest.split()) if key.strip() == "P2" else None
            if values is not None and len(values) == 12:
                return values
        self.faults.append((name, "it has no line `P2:` with 12 numbers"))
        return None


def numbers_of(words: list[str]) -> list[float] | None:
    """Finite numbers from words, None where one is none."""
    try:
        values = [float(word) for word in words]
    except ValueError:
        return None
    return values if all(map(math.isfinite, values)) else None


def _boxes_in_space(
    numbers: npt.NDArray[np.float64], ignored: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Centre, size and yaw; KITTI gives the centre of the bottom, and y points down."""
    size, bottom, yaw = numbers[:, 7:10], numbers[:, 10:13], numbers[:, 13:14]
    centre = bottom.copy()
    centre[:, 1] -= size[:, 0] / 2
    boxes = np.concatenate([centre, size, yaw], axis=1)
    boxes[ignored] = np.nan
    return boxes
