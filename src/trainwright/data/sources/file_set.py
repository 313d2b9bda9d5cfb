"""All files of a folder or of a zip archive, whatever they are, by their relative names."""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from trainwright.data.archive import ArchiveError, open_archive
from trainwright.data.processors.category import natural_key
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES
from trainwright.data.types import RawFile
from trainwright.errors import DataError
from trainwright.wording import with_count

_HIDDEN = frozenset(["thumbs.db", "desktop.ini", "__macosx"])


class FileSet:
    """Names of files relative to a root, with `/`, in natural order. Hidden ones are left out.

    Links are followed, but never in a circle.

    Args:
        root: Folder, or `.zip` archive.

    Raises:
        DataError: The archive is damaged or refused.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._packed = not root.is_dir()
        names = _members(root) if self._packed else _walk(root)
        self.names: list[str] = sorted(names, key=natural_key)
        self._known = frozenset(self.names)
        self._below: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            self._below[_folder(name)].append(name)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def under(self, folder: str, suffixes: Iterable[str] = IMAGE_SUFFIXES) -> list[str]:
        """Files with one of the suffixes at any depth below a folder; `""` is the root."""
        wanted = frozenset(suffixes)
        prefix = f"{folder}/" if folder else ""
        return [name for name in self.names if name.startswith(prefix) and suffix(name) in wanted]

    def directly_in(self, folder: str, suffixes: Iterable[str] = IMAGE_SUFFIXES) -> list[str]:
        """Files with one of the suffixes in a folder itself."""
        wanted = frozenset(suffixes)
        return [name for name in self._below.get(folder, ()) if suffix(name) in wanted]

    def folders(self) -> list[str]:
        """Folders that hold files themselves, in natural order."""
        return sorted(self._below, key=natural_key)

    def has_folder(self, folder: str) -> bool:
        """Whether any file lies in or below a folder."""
        return any(name == folder or name.startswith(f"{folder}/") for name in self._below)

    def file(self, name: str) -> RawFile:
        """The file of that name, not read yet."""
        if self._packed:
            return RawFile(str(self.root), name)
        return RawFile(os.path.join(self.root, name))  # noqa: PTH118 (called per sample)

    def read(self, name: str) -> bytes:
        """The bytes of a file. Raises `DataError` where it cannot be read."""
        return read(self.file(name))

    def paths(self, names: Sequence[str]) -> list[Path]:
        """Files of the file system behind these names."""
        return [self.root] if self._packed else [self.root / name for name in names]

    def where(self, name: str) -> str:
        """What a person calls this file."""
        return self.file(name).name


def read(file: RawFile) -> bytes:
    """The bytes of a file of annotations. Raises `DataError` where it cannot be read."""
    try:
        return file.read()
    except (OSError, KeyError, ArchiveError) as error:
        raise DataError(
            f"the file cannot be read: {error}",
            where=file.name,
            fix="check that the file may be read, or download it again",
        ) from error


def suffix(name: str) -> str:
    """The last suffix in lower case, with its point."""
    return PurePosixPath(name).suffix.lower()


def stem(name: str) -> str:
    """A name without its last suffix; folders stay."""
    return name[: len(name) - len(PurePosixPath(name).suffix)]


def leaves_root(name: str) -> bool:
    """Whether a name that stands in a data file leads, or could lead, out of the data's folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or "\0" in name or name[1:2] == ":"


def examples(names: Sequence[str], shown: int = 3) -> str:
    """A few names, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(map(str, names[:shown])) + more


def in_split_order(found: Iterable[str]) -> list[str]:
    """Names of splits: train, val, test, then others as they come."""
    order = ("train", "val", "test")
    return sorted(dict.fromkeys(found), key=lambda name: order.index(name) if name in order else len(order))


def count_words(counts: Counter[str]) -> list[str]:
    """Notices from counted sentences: `3 labels have no picture`."""
    return [with_count(count, text) for text, count in counts.items()]


def _folder(name: str) -> str:
    return name.rpartition("/")[0]


def _members(root: Path) -> list[str]:
    try:
        names = open_archive(str(root)).members
    except (ArchiveError, OSError) as error:
        raise DataError(
            f"the archive cannot be read: {error}", where=str(root), fix="give a folder, or a zip archive"
        ) from error
    return [name for name in names if not any(map(_is_hidden, name.split("/")))]


def _walk(root: Path) -> list[str]:
    names: list[str] = []
    pending: list[tuple[str, tuple[str, ...]]] = [("", (os.path.realpath(root),))]
    while pending:
        prefix, above = pending.pop()
        with os.scandir(root / prefix) as entries:
            for entry in entries:
                name = f"{prefix}/{entry.name}" if prefix else entry.name
                if _is_hidden(entry.name):
                    continue
                if entry.is_dir():
                    real = os.path.realpath(entry.path)
                    if real not in above:
                        pending.append((name, (*above, real)))
                elif entry.is_file():
                    names.append(name)
    return names


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or name.lower() in _HIDDEN
