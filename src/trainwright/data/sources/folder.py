"""Class folders of images: `ROOT/CLASS/...` or `ROOT/SPLIT/CLASS/...`, as a folder or a zip archive."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import numpy as np

from trainwright.data.processors.category import natural_key
from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.file_tree import ArchiveTree, FolderTree, Tree
from trainwright.data.types import Values
from trainwright.errors import DataError, closest
from trainwright.wording import with_count

SPLIT_NAMES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


class FolderSource(BaseSource):
    """Images in one folder per class, with or without folders for the splits above them.

    A zip archive is read in place, nothing is extracted. Images may lie deeper within their class.
    Hidden files, and files that are no images by name, are left out and counted in `notices`. A single
    folder that wraps everything is looked through.

    Columns:
        image: The file.
        label: Name of its class.

    Args:
        root: Folder, or `.zip` archive.
        splits: `auto` takes folders named train, val (valid, validation) and test as splits;
            `ignore` joins them, for a split by the recipe's fractions.
    """

    columns = {"image": "image", "label": "category"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image",)

    def __init__(self, *, root: str, splits: Literal["auto", "ignore"] = "auto") -> None:
        path = existing(root, "data.source.root")
        tree: Tree = FolderTree(path) if path.is_dir() else ArchiveTree(path)
        self._tree = tree
        self._where = str(path)
        prefix = _wrapper(tree)
        given = _split_folders(tree, prefix)
        self._notes: Counter[str] = Counter()
        self._members: list[str] = []
        self._classes: list[str] = []
        self._ids: list[int] = []
        self._rows: dict[str, tuple[int, int]] = {}
        found = {name: self._class_files(folders) for name, folders in (given or {"": [prefix]}).items()}
        self._settle_classes({name: files for name, files in found.items() if files}, bool(given))
        self._splits_used = bool(given) and splits == "auto"
        self.notices = [*tree.notices, *(with_count(count, text) for text, count in self._notes.items())]

    def __len__(self) -> int:
        return len(self._members)

    def column(self, name: str) -> Values:
        """`RawFile`s of the images, or class names."""
        self.require(name)
        if name == "label":
            return np.array(self._classes, dtype=object)[self._ids]
        return LazySequence(len(self), lambda row: self._tree.file(self._members[row]))

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows of the split folders, None without them."""
        if not self._splits_used:
            return None
        return {name: np.arange(start, stop) for name, (start, stop) in self._rows.items()}

    def sample_names(self) -> Sequence[str]:
        """Paths relative to the root, with `/`."""
        return self._members

    def files(self) -> list[Path]:
        """Every image, or the one archive."""
        return self._tree.paths(self._members)

    def _class_files(self, folders: Iterable[str]) -> dict[str, list[str]]:
        """Class -> its files, sorted, over all folders of one split."""
        files: dict[str, list[str]] = defaultdict(list)
        for folder in folders:
            loose = [name for name in self._tree.images(folder) if "/" not in name[len(folder) :].strip("/")]
            if loose:
                self._notes["images lie in no class folder and were left out"] += len(loose)
            for name in self._tree.folders(folder):
                files[PurePosixPath(name).name] += self._tree.images(name)
        for name, members in files.items():
            if not members and any(files.values()):
                raise DataError(
                    f"class folder {name!r} has no images",
                    where=self._where,
                    fix="put images into it, or remove the folder",
                )
        return files if any(files.values()) else {}

    def _settle_classes(self, found: Mapping[str, Mapping[str, list[str]]], given: bool) -> None:
        if not found:
            raise DataError(
                "there are no class folders with images",
                where=self._where,
                why="looked for ROOT/CLASS/*.jpg and ROOT/train/CLASS/*.jpg (and other image types)",
                fix="make one folder per class, or use the table source with a column of paths",
            )
        self._classes = sorted(
            next(iter(found.values())) if "train" not in found else found["train"], key=natural_key
        )
        if len(self._classes) < 2:
            raise DataError(
                f"there is one class only: {', '.join(self._classes)}",
                where=self._where,
                fix="the source needs a folder for each of at least two classes",
            )
        if given:
            _check_same_classes(found, self._classes, self._where)
        for split, files in found.items():
            start = len(self._members)
            for number, name in enumerate(self._classes):
                self._members += files[name]
                self._ids += [number] * len(files[name])
            self._rows[split] = (start, len(self._members))


def _wrapper(tree: Tree) -> str:
    """The folder below which the data begin: the root, or a single folder that wraps all others."""
    prefix = ""
    while True:
        folders = tree.folders(prefix)
        if len(folders) != 1 or not tree.folders(folders[0]) or _split_of(folders[0]):
            return prefix
        prefix = folders[0]


def _split_of(folder: str) -> str | None:
    return SPLIT_NAMES.get(PurePosixPath(folder).name.lower())


def _split_folders(tree: Tree, prefix: str) -> dict[str, list[str]]:
    """Split -> its folders, in the order train, val, test; empty where there is no training folder."""
    found: dict[str, list[str]] = {"train": [], "val": [], "test": []}
    for folder in tree.folders(prefix):
        split = _split_of(folder)
        if split:
            found[split].append(folder)
        elif any(_split_of(other) for other in tree.folders(prefix)):
            tree.notices.append(f"folder {folder} is no split and was left out")
    given = {name: folders for name, folders in found.items() if folders}
    for name, folders in given.items():
        if len(folders) > 1:
            raise DataError(
                f"folders {' and '.join(folders)} both name the {name} split",
                where=str(tree.root),
                fix="keep one of them, or set splits: ignore",
            )
    return given


def _check_same_classes(found: Mapping[str, Mapping[str, Any]], classes: list[str], where: str) -> None:
    for split, files in found.items():
        extra = sorted(set(files) - set(classes), key=natural_key)
        absent = sorted(set(classes) - set(files), key=natural_key)
        if not extra and not absent:
            continue
        said = [f"{split} has {', '.join(extra[:10])}, which train has not"] if extra else []
        said += [f"{split} lacks {', '.join(absent[:10])}"] if absent else []
        near = closest(extra[0], absent) if extra else None
        raise DataError(
            "the splits have different class folders",
            where=where,
            why="; ".join(said),
            fix=f"is {extra[0]!r} meant to be {near!r}?"
            if near
            else "give every split the same class folders",
        )
