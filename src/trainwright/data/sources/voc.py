"""Pascal VOC: one XML file per picture, and lists of names per split."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from trainwright.data.objects import Objects
from trainwright.data.picture_sizes import PictureSizes
from trainwright.data.processors.category import natural_key
from trainwright.data.sources.annotated import AnnotatedSource, box_problems, check_sizes, told_as_stored
from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import FileSet, examples, stem
from trainwright.data.sources.voc_file import FLAGS, VocFile, read_voc
from trainwright.data.turning import turned
from trainwright.data.types import BadSample
from trainwright.errors import DataError, closest

_SPLITS = ("train", "val", "test")


class VocSource(AnnotatedSource):
    """Pictures with boxes in XML files, in VOC's folders (`Annotations`, `JPEGImages`, `ImageSets/Main`)
    or anywhere below the root, each XML beside its picture or in a folder of its own.

    Rows are the XML files whose picture is there, in natural order. The files are read without
    document types, so no entity is ever expanded. `difficult`, `truncated` and `occluded` are kept as
    further numbers of the objects.

    Columns:
        image: The picture's file.
        objects: `Objects`.

    Args:
        root: Folder or zip archive.
        classes: Names of the classes in order; all that occur, in natural order, when absent.
        first_pixel: What the files call the first pixel. 1, as the standard says: pixels xmin to xmax
            belong to the box, which so begins at xmin - 1. 0: the corners are taken as they stand.
        splits: `auto` takes train, val and test of ImageSets/Main; `ignore` takes no notice of them.
    """

    def __init__(
        self,
        *,
        root: str,
        classes: list[str] | None = None,
        first_pixel: Literal[0, 1] = 1,
        splits: Literal["auto", "ignore"] = "auto",
    ) -> None:
        super().__init__()
        self._files = FileSet(existing(root, "data.source.root"))
        self._first_pixel = first_pixel
        self._sizes = PictureSizes(self._files.root)
        self._read: list[VocFile] = []
        annotations = self._files.under("", [".xml"])
        pictures = {PurePosixPath(stem(name)).name: name for name in reversed(self._files.under(""))}
        beside = {stem(name): name for name in reversed(self._files.under(""))}
        self._sources: list[str] = []
        for name in annotations:
            self._add(name, pictures, beside)
        self._extra_files += self._files.paths(annotations)
        self._check(classes)
        self._note_pictures_without(beside)
        if splits == "auto":
            self._read_splits()
        self.finish(str(self._files.root), "looked for XML files with <annotation> and their pictures")

    def objects(self, row: int) -> Objects:
        """The objects of one picture, in the order of the file."""
        read = self._read[row]
        boxes = self._corners(read)
        flags = np.array([item.flags for item in read.objects], dtype=np.float64).reshape(-1, len(FLAGS))
        found = Objects(
            size=read.size or self._header_size(row),
            labels=tuple(item.label for item in read.objects),
            boxes=boxes,
            crowd=np.zeros(len(boxes), dtype=bool),
            names=tuple(f"{self._sources[row]}:{item.place}" for item in read.objects),
            extra={name: flags[:, place] for place, name in enumerate(FLAGS)},
        )
        return turned(found, read.orientation)

    def _header_size(self, row: int) -> tuple[int, int]:
        try:
            return self._sizes.of(self.pictures[row])
        except BadSample:
            return (0, 0)  # the image column says what is wrong with the picture

    def _corners(self, read: VocFile) -> np.ndarray:
        boxes = np.array([item.box for item in read.objects], dtype=np.float64).reshape(-1, 4)
        boxes[:, :2] -= self._first_pixel
        return boxes

    def _add(self, name: str, pictures: dict[str, str], beside: dict[str, str]) -> None:
        read = read_voc(self._files.read(name))
        if read.damage and "where <annotation> belongs" in read.damage[1] and not read.objects:
            self._notes["XML files hold no <annotation> and were left out"] += 1
            return
        known = len(self.faults)
        self.faults += [(f"{name}:{place}", reason) for place, reason in read.problems]
        if read.damage is not None:
            self.faults.append((f"{name}:{read.damage[0]}", read.damage[1]))
        self._report_corners(name, read)
        if read.damage is not None:
            return
        if len(self.faults) > known and not read.objects:
            self.faults.append((name, "none of its objects can be used; as background it would mislead"))
            return
        own = PurePosixPath(read.picture.replace("\\", "/")).name
        base = PurePosixPath(stem(name)).name
        picture = beside.get(stem(name)) or pictures.get(PurePosixPath(stem(own)).name) or pictures.get(base)
        if picture is None:
            self.faults.append((name, f"its picture {own or base!r} is not there"))
            return
        self.names.append(picture)
        self._sources.append(name)
        self.pictures.append(self._files.file(picture))
        self._read.append(read)
        self.unread += read.unread

    def _report_corners(self, name: str, read: VocFile) -> None:
        """Objects whose box is upside down are faults, also where no picture is there to measure by."""
        kept = []
        for item in read.objects:
            left, top, right, bottom = item.box
            first = self._first_pixel
            if right - left + first <= 0 or bottom - top + first <= 0:
                said = f"xmin {left:g}, ymin {top:g}, xmax {right:g}, ymax {bottom:g}"
                self.faults.append((f"{name}:{item.place}", f"the box of {item.label!r} has no area: {said}"))
            else:
                kept.append(item)
                self._notes["boxes are one pixel wide or high"] += (right == left or bottom == top) and first
        read.objects = kept

    def _check(self, classes: list[str] | None) -> None:
        """Sizes against headers, then all boxes at once."""
        found = sorted({item.label for read in self._read for item in read.objects}, key=natural_key)
        self.class_names = tuple(classes if classes is not None else found)
        wrong, as_stored = check_sizes([read.size for read in self._read], self.pictures, self._files.root)
        for row, orientation in as_stored.items():
            self._read[row].orientation = orientation
        self.notices += told_as_stored(len(as_stored))
        self.faults += [(self._sources[row], reason) for row, reason in wrong.items()]
        self._drop(set(wrong))
        counts = [len(read.objects) for read in self._read]
        boxes = np.concatenate([np.zeros((0, 4)), *(self._corners(read) for read in self._read)])
        stated = np.array([read.size or (np.nan, np.nan) for read in self._read], dtype=np.float64)
        sizes = np.repeat(stated.reshape(-1, 2), counts, axis=0)
        problems, beyond = box_problems(boxes, sizes)
        starts = np.cumsum([0, *counts])
        for row, read in enumerate(self._read):
            self._keep(row, read, problems, int(starts[row]))
        if beyond:
            self._notes["boxes reach beyond their picture; they are clipped when encoded"] = beyond

    def _keep(self, row: int, read: VocFile, problems: dict[int, str], start: int) -> None:
        """Reports objects that have a reason to be left out, or an unknown class."""
        kept = []
        for place, item in enumerate(read.objects, start=start):
            reason = problems.get(place)
            if item.label not in self.class_names:
                near = closest(item.label, self.class_names)
                hint = f" (did it mean {near!r}?)" if near else ""
                reason = f"its class {item.label!r} is not among the recipe's classes{hint}"
            if reason:
                self.faults.append((f"{self._sources[row]}:{item.place}", reason))
            else:
                kept.append(item)
        read.objects = kept

    def _drop(self, rows: set[int]) -> None:
        kept = [row for row in range(len(self._read)) if row not in rows]
        self._read = [self._read[row] for row in kept]
        self._sources = [self._sources[row] for row in kept]
        self.names = [self.names[row] for row in kept]
        self.pictures = [self.pictures[row] for row in kept]

    def _note_pictures_without(self, beside: dict[str, str]) -> None:
        used = set(self.names)
        left = [name for name in beside.values() if name not in used]
        if left:
            self.notices = [
                f"{len(left)} pictures have no usable XML file and are left out: {examples(left)}"
            ]

    def _read_splits(self) -> None:
        """ImageSets/Main/train.txt and the like; a name in two of them is an error."""
        rows = {PurePosixPath(stem(name)).name: row for row, name in enumerate(self._sources)}
        owner: dict[int, str] = {}
        for split in _SPLITS:
            lists = [
                name
                for name in self._files.under("", [".txt"])
                if name.endswith(f"ImageSets/Main/{split}.txt") or name == f"{split}.txt"
            ]
            for name in lists:
                self._extra_files += self._files.paths([name])
                self._read_list(name, split, rows, owner)

    def _read_list(self, name: str, split: str, rows: dict[str, int], owner: dict[int, str]) -> None:
        lines = self._files.read(name).decode("utf-8-sig", errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            words = line.split()
            if not words or (len(words) > 1 and words[1] == "-1"):
                continue
            row = rows.get(PurePosixPath(words[0]).name)
            if row is None:
                self._notes[f"names of {name} have no usable XML file and are left out"] += 1
            elif row in owner and owner[row] != split:
                raise DataError(
                    f"{words[0]} is in {owner[row]} already",
                    where=f"{self._files.where(name)}:{number}",
                    fix="keep every picture in one split, or set data.source.splits: ignore",
                )
            elif row not in owner:
                owner[row] = split
                self.put_in_split(split, row)
