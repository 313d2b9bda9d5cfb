"""YOLO text labels: boxes, outlines or keypoints, one text file per picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Literal

import numpy as np

from trainwright.data.objects import Keypoints, Objects
from trainwright.data.picture_sizes import PictureSizes, Size
from trainwright.data.sources.annotated import AnnotatedSource
from trainwright.data.sources.base import existing
from trainwright.data.sources.coco_categories import mirror_places
from trainwright.data.sources.file_set import FileSet, examples, stem
from trainwright.data.sources.split_words import split_of_path
from trainwright.data.sources.yolo_config import YoloConfig, find_config
from trainwright.data.sources.yolo_file import PointShape, YoloFile, YoloObject, read_yolo
from trainwright.errors import DataError


class YoloSource(AnnotatedSource):
    """Pictures with a text file of objects each, for detection, segmentation or pose.

    A picture's label file has its name, in the folder `labels` where the picture lies in `images`
    (`images/train/a.jpg`, `labels/train/a.txt`; `train/images/a.jpg`, `train/labels/a.txt`), else beside
    it. A picture whose file is empty or absent is background; absent ones are counted.

    Columns:
        image: The picture's file.
        objects: `Objects`; a line of five numbers is a box, a longer one an outline with its box around.

    Args:
        root: Folder or zip archive, or the `data.yaml` of a folder.
        config: YAML file or list of class names, relative to the root; found at its top when absent.
        images: Folder of the pictures, relative to the root; any when absent.
        labels: Folder of the label files, relative to the root, that mirrors the one of the pictures.
        classes: Names of the classes in the order of their numbers, in place of the file's.
        keypoints: Number of keypoints per object, and 2 or 3 numbers each; `kpt_shape` of the YAML file
            when absent.
        splits: `auto` takes the splits of the YAML file (folders, or text files that list pictures) or of
            folders named train, val and test; `ignore` takes no notice of them.
    """

    def __init__(
        self,
        *,
        root: str,
        config: str | None = None,
        images: str | None = None,
        labels: str | None = None,
        classes: list[str] | None = None,
        keypoints: list[int] | None = None,
        splits: Literal["auto", "ignore"] = "auto",
    ) -> None:
        super().__init__()
        path = existing(root, "data.source.root")
        if path.suffix.lower() in (".yaml", ".yml"):
            path, config = path.parent, path.name
        self._files = FileSet(path)
        self._images, self._labels = _folder(images), _folder(labels)
        self._config = find_config(self._files, config)
        if self._config.file:
            self._extra_files += self._files.paths([self._config.file])
        self._settle_names(classes, keypoints)
        self._read: list[YoloFile] = []
        self._sizes: list[Size] = []
        pictures = self._pictures()
        self._read_all(pictures)
        self._note_orphans(pictures)
        if splits == "auto":
            self._split(self._config)
        self._finish_classes()
        self.finish(str(path), "looked for pictures, and text files of the same names")

    def objects(self, row: int) -> Objects:
        """The objects of one picture, in the order of the file."""
        read, (height, width) = self._read[row], self._sizes[row]
        scale = np.array([width, height], dtype=np.float64)
        boxes = np.array([item.box for item in read.objects], dtype=np.float64).reshape(-1, 4)
        outlines = [
            (np.array(item.outline).reshape(-1, 2) * scale,) if item.outline else None
            for item in read.objects
        ]
        label_file = self._label_of(self.names[row])
        return Objects(
            size=(height, width),
            labels=tuple(item.label for item in read.objects),
            boxes=boxes * np.tile(scale, 2),
            segments=tuple(outlines) if any(outline is not None for outline in outlines) else (),
            keypoints=self._keypoints(read, scale),
            names=tuple(f"{label_file}:{item.line}" for item in read.objects),
        )

    def _keypoints(self, read: YoloFile, scale: np.ndarray) -> Keypoints | None:
        shape = self._points
        if shape is None:
            return None
        points = np.array([item.points for item in read.objects], dtype=np.float64)
        points = points.reshape(-1, shape.count, 3) * np.append(scale, 1.0)
        names = self._config.point_names or tuple(map(str, range(shape.count)))
        return Keypoints(points, names, self._config.mirrored or mirror_places(names))

    def _settle_names(self, classes: list[str] | None, keypoints: list[int] | None) -> None:
        if classes is not None:
            self._config.classes = dict(enumerate(classes))
        if keypoints is not None:
            if len(keypoints) != 2 or keypoints[0] < 1 or keypoints[1] not in (2, 3):
                raise DataError(
                    f"{keypoints} is not [number of keypoints, 2 or 3]",
                    where="data.source.keypoints",
                    fix="write it as keypoints: [17, 3]",
                )
            self._config.points = PointShape(*keypoints)
        self._points = self._config.points

    def _pictures(self) -> list[str]:
        if self._images is not None:
            return self._files.under(self._images)
        found = self._files.under("")
        inside = [name for name in found if "images" in name.split("/")[:-1]]
        return inside or found

    def _label_of(self, picture: str) -> str:
        if self._labels is not None:
            below = picture[len(self._images) + 1 :] if self._images else picture
            return f"{self._labels}/{stem(below)}.txt" if self._labels else f"{stem(below)}.txt"
        parts = stem(picture).split("/")
        for place in range(len(parts) - 2, -1, -1):
            if parts[place] == "images":
                return "/".join([*parts[:place], "labels", *parts[place + 1 :]]) + ".txt"
        return f"{stem(picture)}.txt"

    def _read_all(self, pictures: list[str]) -> None:
        classes = self._config.classes
        absent: list[str] = []
        sizes = PictureSizes(self._files.root).all([self._files.file(name) for name in pictures])
        for picture, size in zip(pictures, sizes, strict=True):
            label_file = self._label_of(picture)
            read = YoloFile()
            if label_file in self._files:
                read = read_yolo(self._files.read(label_file), classes, self._points)
                self._extra_files += self._files.paths([label_file])
            else:
                absent.append(picture)
            self.faults += [(f"{label_file}:{line}", reason) for line, reason in read.problems]
            if size is None:
                self.faults.append((picture, "the picture's header cannot be read"))
                continue
            if read.problems and not read.objects:
                self.faults.append(
                    (picture, "none of its labels can be used; as background it would mislead")
                )
                continue
            self.names.append(picture)
            self.pictures.append(self._files.file(picture))
            self._read.append(read)
            self._sizes.append(size)
        if len(absent) == len(pictures):
            raise DataError(
                "no picture has a label file",
                where=str(self._files.root),
                why=f"looked for {self._label_of(pictures[0])}" if pictures else "there are no pictures",
                fix="name the folders: data.source.images and data.source.labels",
            )
        if absent:
            self._notes[f"pictures have no label file and count as background: {examples(absent)}"] = len(
                absent
            )
        self._extra_files = list(dict.fromkeys(self._extra_files))

    def _note_orphans(self, pictures: list[str]) -> None:
        expected = {self._label_of(picture) for picture in pictures}
        folders = {str(PurePosixPath(name).parent) for name in expected}
        lists = {_inner(place) for places in self._config.splits.values() for place in places}
        orphans = [
            name
            for name in self._files.under("", [".txt"])
            if str(PurePosixPath(name).parent) in folders
            and name not in expected
            and name != self._config.file
            and name not in lists
        ]
        if orphans:
            self._notes[f"label files have no picture and are left out: {examples(orphans)}"] = len(orphans)

    def _split(self, config: YoloConfig) -> None:
        """By the YAML file where its folders are there, else by the names of folders."""
        listed = self._listed(config)
        found = [
            next((split for split, pictures in listed.items() if name in pictures), None)
            or next((split for split, places in config.splits.items() if _lies_in(name, places)), None)
            for name in self.names
        ]
        for split, places in config.splits.items():
            if split not in found:
                self._note_empty_split(split, places, listed[split], found)
        if not any(found):
            found = [split_of_path(name) for name in self.names]
        for row, word in enumerate(found):
            self.put_in_split(word, row)

    def _note_empty_split(
        self, split: str, places: list[str], listed: set[str], found: list[str | None]
    ) -> None:
        """Tells why a split has no pictures: none are here, or another split has them already."""
        taken = Counter(
            taker
            for name, taker in zip(self.names, found, strict=True)
            if taker and (name in listed or _lies_in(name, places))
        )
        file, said = self._config.file, f"{split} ({places[0]})"
        for taker, count in taken.items():
            told = f"pictures of {said} in {file} are used for {taker} already, so that {split} has none"
            self._notes[f"{told} of its own"] = count
        if not taken:
            self._notes[f"of the splits in {file} has no pictures here: {said}"] += 1

    def _listed(self, config: YoloConfig) -> dict[str, set[str]]:
        """Split -> pictures, from text files that name a picture a line."""
        found: dict[str, set[str]] = {split: set() for split in config.splits}
        names = set(self.names)
        for split, places in config.splits.items():
            for file in filter(self._files.__contains__, map(_inner, places)):
                self._extra_files += self._files.paths([file])
                lines = self._files.read(file).decode("utf-8-sig", errors="replace").splitlines()
                entries = [line.strip() for line in lines if line.strip()]
                pictures = [_present(entry, names) for entry in entries]
                found[split].update(filter(None, pictures))
                missing = [entry for entry, there in zip(entries, pictures, strict=True) if there is None]
                if missing:
                    note = f"entries of {file} are no pictures here: {examples(missing)}"
                    self._notes[note] = len(missing)
        return found

    def _finish_classes(self) -> None:
        classes = self._config.classes
        if classes:
            self.class_names = tuple(dict.fromkeys(classes[number] for number in sorted(classes)))
        else:
            labels = {item.label for item in self._objects()}
            self.class_names = tuple(sorted(labels, key=int))
            self._notes["classes have numbers only: there is no data.yaml and no classes.txt"] = len(labels)
        beyond = [item for item in self._objects() if min(item.box) < -1e-4 or max(item.box) > 1 + 1e-4]
        if beyond:
            self._notes["boxes reach beyond their picture; they are clipped when encoded"] = len(beyond)
        outlined = any(item.outline for item in self._objects())
        self.kind = "keypoints" if self._points else "instances" if outlined else "boxes"

    def _objects(self) -> Iterator[YoloObject]:
        return (item for read in self._read for item in read.objects)


def _inner(place: str) -> str:
    """A place without what leads out of the root."""
    return "/".join(part for part in PurePosixPath(place).parts if part not in ("..", ".", "/"))


def _lies_in(picture: str, places: list[str]) -> bool:
    """Whether a picture is in one of some folders, whatever stands before them."""
    return any(f"/{inner}/" in f"/{picture}" for inner in map(_inner, places) if inner)


def _present(entry: str, names: set[str]) -> str | None:
    """The picture that a line of a list means, whatever folder of another machine stands before it."""
    parts = _inner(entry.replace("\\", "/")).split("/")
    tails = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((tail for tail in tails if tail in names), None)


def _folder(name: str | None) -> str | None:
    """A folder relative to the root, without dots and slashes at its ends."""
    return None if name is None else "/".join(part for part in PurePosixPath(name).parts if part != ".")
