"""Pictures without labels: the images of a folder, however deep, or one image file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.file_tree import ArchiveTree, FolderTree, Tree
from trainwright.data.types import RawFile, Values
from trainwright.errors import DataError


class PicturesSource(BaseSource):
    """Every image of a folder or zip archive, in the order of their names; or a single image file.

    Columns:
        image: The file.

    Args:
        root: Folder, `.zip` archive, or image file.
    """

    columns = {"image": "image"}  # noqa: RUF012
    slow_columns: Collection[str] = ("image",)

    def __init__(self, *, root: str) -> None:
        path = existing(root, "data.source.root")
        self._tree: Tree | None = None
        if path.is_file() and path.suffix.lower() != ".zip":
            self._file, self._names = path, [path.name]
            return
        self._tree = FolderTree(path) if path.is_dir() else ArchiveTree(path)
        self._names = self._tree.images("")
        self.notices = list(self._tree.notices)
        if not self._names:
            raise DataError(
                "there are no images",
                where=str(path),
                why="; ".join(self.notices),
                fix="name the folder that holds the pictures",
            )

    def __len__(self) -> int:
        return len(self._names)

    def column(self, name: str) -> Values:
        """`RawFile`s of the images."""
        self.require(name)
        if self._tree is None:
            return [RawFile(str(self._file))]
        tree = self._tree
        return LazySequence(len(self), lambda row: tree.file(self._names[row]))

    def sample_names(self) -> Sequence[str]:
        """Paths relative to the root, with `/`."""
        return self._names

    def files(self) -> list[Path]:
        """Every image, or the one archive."""
        return [self._file] if self._tree is None else self._tree.paths(self._names)
