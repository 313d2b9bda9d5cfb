"""A folder or a zip archive as one sorted tree of image files."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Protocol

from trainwright.data.archive import ArchiveError, open_archive
from trainwright.data.processors.category import natural_key
from trainwright.data.types import RawFile
from trainwright.errors import DataError
from trainwright.wording import with_count

_SUFFIXES = "jpg jpeg jpe jfif png bmp gif tif tiff webp avif ppm pgm pbm pnm tga jp2 ico"
IMAGE_SUFFIXES = frozenset(f".{suffix}" for suffix in _SUFFIXES.split())
PICTURE_SUFFIXES = IMAGE_SUFFIXES | {".npy"}  # where nothing but pictures is looked for
_HIDDEN = frozenset(["thumbs.db", "desktop.ini", "__macosx"])


class Tree(Protocol):
    """Folders and image files; every name is relative to the root, with `/`.

    Attributes:
        root: The folder or archive.
        notices: What was left out, with counts.
    """

    root: Path
    notices: list[str]

    def folders(self, prefix: str) -> list[str]:
        """Folders directly below `prefix`, in natural order; also those without images."""
        ...

    def images(self, prefix: str) -> list[str]:
        """Image files at any depth below `prefix`, in natural order of their path's text."""
        ...

    def file(self, name: str) -> RawFile: ...

    def paths(self, names: list[str]) -> list[Path]:
        """Files of the file system behind these images."""
        ...


class _NamedFiles:
    """Folders and images of a list of names."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.notices: list[str] = []
        self._folders: dict[str, set[str]] = defaultdict(set)
        self._images: dict[str, list[str]] = defaultdict(list)
        self._left_out: Counter[str] = Counter()
        self._examples: dict[str, str] = {}

    def folders(self, prefix: str) -> list[str]:
        return sorted(self._folders[prefix], key=natural_key)

    def images(self, prefix: str) -> list[str]:
        here = sorted(self._images[prefix])
        return here + [name for folder in self.folders(prefix) for name in self.images(folder)]

    def _add_folder(self, name: str) -> None:
        while name:
            parent = name.rpartition("/")[0]
            if name in self._folders[parent]:
                return
            self._folders[parent].add(name)
            name = parent

    def _add_file(self, name: str, folder: str, base: str) -> None:
        if base[base.rfind(".") :].lower() in PICTURE_SUFFIXES:
            self._images[folder].append(name)
        else:
            self._leave_out("files are no images by name", name)

    def _leave_out(self, reason: str, name: str) -> None:
        self._left_out[reason] += 1
        self._examples.setdefault(reason, name)

    def _note(self) -> None:
        for reason, count in self._left_out.items():
            self.notices.append(
                with_count(count, f"{reason} and were left out (the first is {self._examples[reason]})")
            )


class FolderTree(_NamedFiles):
    """A folder of the file system. Links are followed, but never in a circle.

    Args:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._walk("", (os.path.realpath(root),))
        self._note()

    def file(self, name: str) -> RawFile:
        return RawFile(os.path.join(self.root, name))  # noqa: PTH118 (called per sample)

    def paths(self, names: list[str]) -> list[Path]:
        return [self.root / name for name in names]

    def _walk(self, prefix: str, above: tuple[str, ...]) -> None:
        with os.scandir(self.root / prefix) as entries:
            for entry in entries:
                name = f"{prefix}/{entry.name}" if prefix else entry.name
                if _is_hidden(entry.name):
                    self._leave_out("files or folders are hidden", name)
                elif entry.is_dir():
                    self._enter(name, entry, above)
                elif entry.is_file():
                    self._add_file(name, prefix, entry.name)
                else:
                    self._leave_out("links lead nowhere", name)

    def _enter(self, name: str, entry: os.DirEntry[str], above: tuple[str, ...]) -> None:
        real = os.path.realpath(entry.path) if entry.is_symlink() else f"{above[-1]}/{entry.name}"
        if real in above:
            self._leave_out("links lead back to a folder above them", name)
            return
        self._add_folder(name)
        self._walk(name, (*above, real))


class ArchiveTree(_NamedFiles):
    """A zip archive, read in place.

    Args:
        root: The archive.

    Raises:
        DataError: It is damaged, or refused (see `trainwright.data.archive`).
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        try:
            members = open_archive(str(root)).members
        except (ArchiveError, OSError) as error:
            raise DataError(
                f"the archive cannot be read: {error}",
                where=str(root),
                fix="give a folder, or a zip archive of class folders",
            ) from error
        hidden: dict[str, bool] = {}  # by folder, because archives have many more files than folders
        for name in members:
            folder, _, base = name.rpartition("/")
            if folder not in hidden:
                hidden[folder] = any(map(_is_hidden, folder.split("/")))
                if not hidden[folder]:
                    self._add_folder(folder)
            if hidden[folder] or _is_hidden(base):
                self._leave_out("files or folders are hidden", name)
            else:
                self._add_file(name, folder, base)
        self._note()

    def file(self, name: str) -> RawFile:
        return RawFile(str(self.root), name)

    def paths(self, names: list[str]) -> list[Path]:
        return [self.root]


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _HIDDEN
