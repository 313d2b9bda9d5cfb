"""The pictures that a COCO file lists, and where they lie."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from trainwright.data.archive import ArchiveError, open_archive
from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import leaves_root
from trainwright.data.types import RawFile
from trainwright.errors import DataError

Size = tuple[int, int]
_TRIED = 20  # pictures by which the folder is chosen


class CocoImages:
    """Rows, names, files and stated sizes of the pictures of one file.

    Args:
        listed: Items of the file's `images`, with their places in the text.
        path: The JSON file.
        folder: Folder or archive of the pictures; looked for beside the file when absent.
        faults: Pictures that are left out are added here.

    Attributes:
        names: File name per row.
        files: File per row.
        sizes: Height and width per row, as stated.
        orientations: EXIF orientation of those that are annotated as stored, 1 of all others.
        folder: Where the pictures lie.
        notices: Findings with their counts.
        lost_rows: Rows that are going to be left out.
    """

    def __init__(
        self, listed: list[tuple[Any, int]], path: Path, folder: str | None, faults: list[tuple[str, str]]
    ) -> None:
        self._file, self._faults = path.name, faults
        self.names: list[str] = []
        self.ids: list[Any] = []
        self.sizes: list[Size] = []
        self.orientations: list[int] = []
        self.notices: list[str] = []
        self.lost_rows: set[int] = set()
        self._rows: dict[Any, int] = {}
        for place, (item, _) in enumerate(listed):
            problem = self._add(item)
            if problem:
                number = item.get("id", f"number {place}") if isinstance(item, dict) else f"number {place}"
                faults.append((f"{self._file}: image {number}", problem))
        found = existing(folder, "data.source.images") if folder is not None else None
        self.folder = found or picture_folder(path, self.names)
        self.files = [_file_in(self.folder, name) for name in self.names]
        for row in _missing(self.folder, self.names):
            self.lose(row, f"{self.names[row]} is not in {self.folder}")

    def row_of(self, value: Any) -> int:
        """Row of an image id; -1 for an unknown one."""
        return self._rows.get(value, -1)

    def lose(self, row: int, reason: str) -> None:
        """Marks a picture as one to leave out, with the annotations in it."""
        if row not in self.lost_rows:
            self.lost_rows.add(row)
            self._faults.append((f"{self._file}: image {self.ids[row]} ({self.names[row]})", reason))

    def drop_lost(self) -> npt.NDArray[np.int64]:
        """Takes the lost pictures out, and gives the new row of each old one, -1 for the lost ones."""
        kept = [row for row in range(len(self.names)) if row not in self.lost_rows]
        new = np.full(len(self.names) + 1, -1, dtype=np.int64)
        new[kept] = np.arange(len(kept))
        self.names = [self.names[row] for row in kept]
        self.files = [self.files[row] for row in kept]
        self.sizes = [self.sizes[row] for row in kept]
        self.orientations = [self.orientations[row] for row in kept]
        self.ids = [self.ids[row] for row in kept]
        self.lost_rows = set()
        return new

    def _add(self, item: Any) -> str | None:
        if not isinstance(item, dict):
            return "it is no object with fields"
        number, name = item.get("id"), item.get("file_name")
        if type(number) not in (int, str):
            return "it has no id"
        if not isinstance(name, str) or not name:
            return "it has no file_name"
        if leaves_root(name):
            return f"its file_name {name!r} leads out of the folder of the pictures"
        size = (item.get("height"), item.get("width"))
        if not all(type(side) is int and 0 < side < 1 << 20 for side in size):
            return f"its height {size[0]!r} and width {size[1]!r} are no size"
        if number in self._rows:
            return f"its id is that of {self.names[self._rows[number]]} already"
        self._rows[number] = len(self.names)
        self.names.append(name)
        self.ids.append(number)
        self.orientations.append(1)
        self.sizes.append(size)  # type: ignore[arg-type]
        return None


def picture_folder(path: Path, names: list[str]) -> Path:
    """The folder near a JSON file in which most of the first pictures lie.

    Raises:
        DataError: None of them is found in any of the usual places.
    """
    above = path.parent.parent
    word = path.stem.rpartition("_")[2]
    places = [path.parent, path.parent / "images", path.parent / word, path.parent / path.stem]
    places += [above, above / "images", above / word, above / "images" / word]
    tried = names[:_TRIED]
    counts = [sum((place / name).is_file() for name in tried) for place in places]
    best = max(counts, default=0)
    if best:
        return places[counts.index(best)]
    raise DataError(
        f"none of the first {len(tried)} pictures is found",
        where=str(path),
        why=f"looked for {tried[0] if tried else 'pictures'} in {', '.join(map(str, places))}",
        fix="name their folder: data.source.images",
    )


def _file_in(folder: Path, name: str) -> RawFile:
    return RawFile(str(folder / name)) if folder.is_dir() else RawFile(str(folder), name)


def _missing(folder: Path, names: list[str]) -> list[int]:
    if folder.is_dir():
        return [row for row, name in enumerate(names) if not (folder / name).is_file()]
    try:
        members = open_archive(str(folder)).members
    except (ArchiveError, OSError) as error:
        raise DataError(
            f"the archive cannot be read: {error}",
            where=str(folder),
            fix="download the archive again, or unpack it and name the folder",
        ) from error
    return [row for row, name in enumerate(names) if name not in members]
