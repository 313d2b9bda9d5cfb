"""A folder as one compressed file, with a digest of everything in it, and back bit for bit."""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from trainwright.errors import RunError
from trainwright.runs.atomic import StorageError, replacing, sync_directory

_LEVEL = 3  # of gzip: logs and metrics shrink to a tenth, weights hardly at any level
_BLOCK = 1 << 20
Kind = Literal["file", "folder", "link"]


@dataclass(frozen=True)
class Item:
    """One name in a folder.

    Attributes:
        kind: What it is.
        mode: Permissions.
        mtime: Time of the last change in nanoseconds since the epoch.
        size: Bytes of a file.
        sha256: Of a file's bytes.
        target: Of a link, as it is written there.
    """

    kind: Kind
    mode: int = 0
    mtime: int = 0
    size: int = 0
    sha256: str = ""
    target: str = ""

    @property
    def content(self) -> tuple[Any, ...]:
        """What has to be equal for two to be the same, whenever they were written."""
        return self.kind, self.size, self.sha256, self.target


def pack(folder: Path, file: Path, *, without: tuple[str, ...] = ()) -> dict[str, Item]:
    """Writes a folder to a `.tar.gz`, reads it back, and gives what is in it by relative name.

    Args:
        folder: Links in it are kept as links and never followed.
        file: Replaced as a whole.
        without: Names at the top that are left out.

    Raises:
        RunError: It holds something that is neither file, folder nor link, or changed meanwhile.
        StorageError: It cannot be read or written.
    """
    try:
        with replacing(file) as temporary:
            with tarfile.open(temporary, "w:gz", compresslevel=_LEVEL, format=tarfile.PAX_FORMAT) as tar:
                items = {name: _add(tar, path, name) for name, path in _names(folder, without).items()}
            _walk(temporary, items, lambda _name, _item, source: _drain(source))
            if unlike := differing(items, contents(folder, without=without)):
                raise RunError(
                    "the run changed while it was packed", where=str(folder / unlike), fix="try again"
                )
    except (OSError, tarfile.TarError) as error:
        raise StorageError(file, error if isinstance(error, OSError) else OSError(str(error))) from error
    return items


def unpack(file: Path, folder: Path, items: Mapping[str, Item]) -> None:
    """Makes a folder of a `.tar.gz`, durably, and checks every digest.

    Args:
        file: The packed folder.
        folder: An empty one.
        items: What `pack` gave.

    Raises:
        RunError: It is damaged, or holds something else.
        StorageError: The folder cannot be written.
    """
    for name in items:
        _refuse_outside(name, file)
    folders = [name for name, item in sorted(items.items()) if item.kind == "folder"]
    try:
        for name in folders:
            (folder / name).mkdir()
        _walk(file, items, lambda name, item, source: _write(folder / name, item, source))
        for name, item in items.items():
            if item.kind == "link":  # after the files, which so are written through none
                (folder / name).symlink_to(item.target)
        for name in reversed(folders):
            sync_directory(folder / name)
            (folder / name).chmod(items[name].mode)
            os.utime(folder / name, ns=(items[name].mtime, items[name].mtime))
        sync_directory(folder)
    except OSError as error:
        raise StorageError(folder, error) from error


def contents(folder: Path, *, without: tuple[str, ...] = ()) -> dict[str, Item]:
    """What is in a folder by relative name. Raises RunError for what is no file, folder or link."""
    found = {}
    for name, path in _names(folder, without).items():
        item = _item(path)
        if item.kind == "file":
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
            item = Item("file", item.mode, item.mtime, item.size, digest.hexdigest())
        found[name] = item
    return found


def differing(left: Mapping[str, Item], right: Mapping[str, Item]) -> str:
    """The first name that two folders do not have alike; empty where they are the same."""
    for name in sorted({*left, *right}):
        if name not in left or name not in right or left[name].content != right[name].content:
            return name
    return ""


def _names(folder: Path, without: tuple[str, ...]) -> dict[str, Path]:
    found = {}
    for top, folders, files in os.walk(folder, onerror=_raise):
        for name in (*folders, *files):
            path = Path(top, name)
            relative = path.relative_to(folder).as_posix()
            if relative not in without:
                found[relative] = path
    return dict(sorted(found.items()))


def _raise(error: OSError) -> None:
    raise error


def _item(path: Path) -> Item:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISLNK(status.st_mode):
        return Item("link", target=str(path.readlink()))
    if stat.S_ISDIR(status.st_mode):
        return Item("folder", mode, status.st_mtime_ns)
    if stat.S_ISREG(status.st_mode):
        return Item("file", mode, status.st_mtime_ns, status.st_size)
    raise RunError("only files, folders and links can be packed", where=str(path), fix="remove it")


class _Hashing:
    """A file that is hashed while it is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self._file.read(size)
        self.digest.update(block)
        return block


def _add(tar: tarfile.TarFile, path: Path, name: str) -> Item:
    item = _item(path)
    info = tar.gettarinfo(path, name)
    if item.kind != "file":
        tar.addfile(info)
        return item
    # A second name of one file would be packed as a link to the first.
    info.type, info.size, info.linkname = tarfile.REGTYPE, item.size, ""
    with path.open("rb") as file:
        source = _Hashing(file)
        tar.addfile(info, source)  # nothing but `read` is asked of it
    return Item("file", item.mode, item.mtime, item.size, source.digest.hexdigest())


def _walk(file: Path, items: Mapping[str, Item], take: Callable[[str, Item, _Hashing], None]) -> None:
    """Gives every file of a packed folder to `take`, which reads it, and checks its digest.

    Raises:
        RunError: It is damaged, or does not hold exactly these items.
    """
    try:
        left = dict(items)
        with tarfile.open(file, "r:gz") as tar:
            for member in tar:
                item = left.pop(member.name, None)
                if item is None:
                    raise tarfile.ReadError(f"{member.name} does not belong there")
                if item.kind != "file":
                    continue
                source = tar.extractfile(member) if member.isreg() and member.size == item.size else None
                if source is None:
                    raise tarfile.ReadError(f"{member.name} is not what it was")
                hashing = _Hashing(source)
                take(member.name, item, hashing)
                if hashing.digest.hexdigest() != item.sha256:
                    raise tarfile.ReadError(f"{member.name} has another digest")
        if left:
            raise tarfile.ReadError(f"{next(iter(left))} is missing")
    except (tarfile.TarError, EOFError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, and not of what was read
        raise RunError(
            "the packed run is damaged", where=str(file), why=str(error), fix="bring it back from a copy"
        ) from error
    except Exception as error:
        if type(error).__module__ != "zlib":
            raise
        raise RunError("the packed run is damaged", where=str(file), why=str(error)) from error


def _drain(source: _Hashing) -> None:
    while source.read(_BLOCK):
        pass


def _write(path: Path, item: Item, source: _Hashing) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with open(handle, "wb") as file:  # noqa: PTH123 - of a handle
        while block := source.read(_BLOCK):
            file.write(block)
        file.flush()
        os.fchmod(handle, item.mode)
        os.utime(handle, ns=(item.mtime, item.mtime))
        os.fsync(handle)


def _refuse_outside(name: str, file: Path) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or not path.parts or ".." in path.parts:
        raise RunError("the packed run is damaged", where=str(file), why=f"{name!r} lies outside of it")
