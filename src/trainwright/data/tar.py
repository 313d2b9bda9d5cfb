"""Tar archives read in place, by an index of their members that is made once.

A tar file has no directory: finding a member means to walk over all headers before it. The walk is done
once per archive and remembered; after that a member is one `pread`. A compressed archive cannot be read in
the middle, so it is unpacked once, to a plain tar beside the other caches: members never become files, so no
path of an archive can lead anywhere.

Refused are paths that leave the archive, the same name twice, and members that lie beyond its end. Links,
devices and pipes are no members; they are counted.

Format: POSIX.1-2001 (ustar and pax) and GNU's extensions, as `tarfile` reads them.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from trainwright.data.cache import JsonCache
from trainwright.locations import cache_dir

_BLOCK = 1 << 20
_LARGEST_MEMBER = 1 << 31
_MOST_GROWTH = 100  # photos do not shrink at all, text and masks by 20; deflate can reach 1,032
_ALWAYS_ALLOWED = 64 << 20  # unpacked bytes below which growth does not matter


class ArchiveError(Exception):
    """The archive, or a member, cannot be read; the text says why."""


class TarMember(NamedTuple):
    """Where one file lies, in bytes."""

    offset: int
    size: int


class TarArchive:
    """An open tar archive. Reading is safe from several threads.

    Args:
        path: The archive, plain or compressed by gzip.

    Raises:
        ArchiveError: It is damaged, or refused.
        OSError: It cannot be opened, or the cache cannot be written.
    """

    def __init__(self, path: str) -> None:
        self._path = str(unpacked(path)) if _starts_with(path, b"\x1f\x8b") else path
        self._file = os.open(self._path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        self.members, self.left_out = self._index()

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def read(self, name: str) -> bytes:
        """The bytes of one member. Raises KeyError, OSError or `ArchiveError`."""
        member = self.members[name]
        data = os.pread(self._file, member.size, member.offset)
        if len(data) != member.size:
            raise ArchiveError(f"the member is cut short: {len(data)} of {member.size} bytes")
        return data

    def _index(self) -> tuple[dict[str, TarMember], int]:
        """Members by name, and the number of entries that are no files; remembered for the file as it is."""
        store = JsonCache(cache_dir() / "tars")
        status = os.fstat(self._file)
        key = {
            "path": os.path.realpath(self._path),
            "mark": [status.st_size, status.st_mtime_ns, status.st_ino],
        }
        known = store.find(key)
        if known is None:
            members, left_out = _walk(self._path, status.st_size)
            known = {"members": members, "left_out": left_out}
            store.store(key, known)
        return {name: TarMember(*place) for name, *place in known["members"]}, int(known["left_out"])


def is_tar(path: str) -> bool:
    """Whether the file is a tar archive, plain or compressed, by its content and its name."""
    name = path.lower()
    if name.endswith((".tar.gz", ".tgz")):
        return _starts_with(path, b"\x1f\x8b")
    with open(path, "rb") as file:  # noqa: PTH123
        head = file.read(512)
    return head[257:262] == b"ustar" or (name.endswith(".tar") and head[:2] != b"PK")


def unpacked(path: str) -> Path:
    """A plain tar with the content of a compressed one, made once.

    The file is written under another name, with a note of its size and digest, and renamed when it is whole;
    a killed process leaves nothing that looks finished, and two at once wait for each other. A file whose
    size or time is not what the note says is checked against its digest, and made anew when it differs.

    Raises:
        ArchiveError: The archive is damaged, cut off, or grows beyond what data do.
        OSError: The cache cannot be written.
    """
    source = os.stat(path)  # noqa: PTH116
    key = [os.path.realpath(path), source.st_size, source.st_mtime_ns, source.st_ino]
    folder = cache_dir() / "unpacked"
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]}.tar"
    if _is_whole(target):
        return target
    with _alone(target.with_suffix(".lock")):
        if not _is_whole(target):
            _unpack(path, target)
    return target


def _walk(path: str, length: int) -> tuple[list[tuple[str, int, int]], int]:
    members: dict[str, tuple[int, int]] = {}
    left_out = 0
    try:
        with tarfile.open(path, "r:") as archive:
            for entry in archive:
                if not entry.isfile():
                    left_out += not entry.isdir()
                    continue
                name = entry.name.removeprefix("./")
                _check(name, entry, length, members)
                members[name] = (entry.offset_data, entry.size)
                archive.members = []  # type: ignore[attr-defined]  # or every header would be kept
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        raise ArchiveError(f"it is no tar archive, or it is damaged: {error}") from error
    if not members:
        raise ArchiveError("it holds no files")
    return [(name, *place) for name, place in members.items()], left_out


def _check(name: str, entry: tarfile.TarInfo, length: int, members: dict[str, Any]) -> None:
    if name.startswith("/") or ".." in name.split("/") or "\\" in name or "\0" in name:
        raise ArchiveError(f"member {name!r} has a path that leaves the archive")
    if name in members:
        raise ArchiveError(f"member {name!r} is there twice")
    if entry.issparse() or entry.size > _LARGEST_MEMBER:
        raise ArchiveError(f"member {name!r} is sparse, or claims {entry.size} bytes")
    if entry.offset_data + entry.size > length:
        raise ArchiveError(f"it is cut off in member {name!r}")


def _unpack(path: str, target: Path) -> None:
    partial = target.with_suffix(".partial")
    digest, size = hashlib.sha256(), 0
    try:
        with partial.open("wb") as file:
            for block in _inflated(path):
                size += len(block)
                digest.update(block)
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
        _write_note(target, digest.hexdigest())
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _inflated(path: str) -> Iterator[bytes]:
    """The content of a gzip file, piece by piece, within bounds (RFC 1952)."""
    packed = size = 0
    inflater = zlib.decompressobj(31)
    with open(path, "rb") as file:  # noqa: PTH123
        data = b""
        while True:
            data = data or file.read(_BLOCK)
            if not data:
                break
            if inflater.eof:
                inflater = zlib.decompressobj(31)  # gzip files may be joined end to end
            packed += len(data)
            try:
                block = inflater.decompress(data, _BLOCK)
            except zlib.error as error:
                raise ArchiveError(f"it is damaged: {error}") from error
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            packed -= len(data)
            size += len(block)
            if size > max(_ALWAYS_ALLOWED, _MOST_GROWTH * packed):
                raise ArchiveError(f"it unpacks to more than {_MOST_GROWTH} times its size")
            yield block
    if not inflater.eof:
        raise ArchiveError("it is cut off")


def _note_of(target: Path) -> Path:
    return target.with_suffix(".json")


def _write_note(target: Path, digest: str) -> None:
    status = target.stat()
    note = {"size": status.st_size, "modified": status.st_mtime_ns, "sha256": digest}
    temporary = _note_of(target).with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(note))
    temporary.replace(_note_of(target))


def _is_whole(target: Path) -> bool:
    try:
        note = json.loads(_note_of(target).read_bytes())
        status = target.stat()
    except (OSError, ValueError):
        return False
    if status.st_size != note["size"]:
        return False
    if status.st_mtime_ns == note["modified"]:
        return True
    with target.open("rb") as file:
        same = hashlib.file_digest(file, "sha256").hexdigest() == note["sha256"]
    if same:
        _write_note(target, note["sha256"])
    return bool(same)


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _starts_with(path: str, magic: bytes) -> bool:
    with open(path, "rb") as file:  # noqa: PTH123
        return file.read(len(magic)) == magic
