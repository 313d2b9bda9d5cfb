"""Decoded values on disk: keyed by content, built once, shared by processes, bounded in size.

An entry is a folder with `values.npy` and `entry.json`, made under a temporary name and renamed when it
is whole, so a killed builder leaves nothing that looks like an entry. A file lock lets one process
build while others wait; the operating system gives it back when its holder dies.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

BadRows = list[tuple[int, str]]
_FORMAT = 1  # raised when the meaning of stored values changes without a change of any key
_DEFAULT_GIB = 20.0


def size_limit() -> int:
    """Bytes that the entries of one kind of cache may take: `TRAINWRIGHT_CACHE_GB` (20)."""
    return int(float(os.environ.get("TRAINWRIGHT_CACHE_GB", _DEFAULT_GIB)) * 2**30)


@dataclass(frozen=True)
class Entry:
    """Stored values of one column.

    Attributes:
        values: `[N, ...]`, memory-mapped; private copy-on-write, so that nothing can change the file.
        bad: Row and reason of each sample that could not be decoded; its values are zeros.
    """

    values: np.ndarray
    bad: BadRows


class DecodedCache:
    """Entries of decoded columns below one folder.

    Args:
        folder: Made when it is missing.
        limit: Bytes that all entries together may take; `TRAINWRIGHT_CACHE_GB` (20) when absent.
    """

    def __init__(self, folder: Path, limit: int | None = None) -> None:
        self.folder = folder
        self.limit = size_limit() if limit is None else limit

    def find(self, key: dict[str, Any]) -> Entry | None:
        """The entry of a key, None where there is none or it is damaged."""
        return self._open(self._path(key))

    def build(
        self,
        key: dict[str, Any],
        shape: tuple[int, ...],
        dtype: np.dtype[Any],
        fill: Callable[[int, int], BadRows],
        waiting: Callable[[], None] | None = None,
    ) -> tuple[Entry, bool]:
        """The entry of a key, built if no other process has built it meanwhile.

        Args:
            key: JSON that decides the values.
            shape: Of the whole column `[N, ...]`.
            dtype: Of the stored values.
            fill: Writes the values through a file descriptor, beginning at an offset in bytes, and
                returns the bad rows.
            waiting: Called when another process is building the same entry.

        Returns:
            The entry, and whether it was there already.

        Raises:
            OSError: The folder cannot be written or the disk is full; nothing is left behind.
        """
        path = self._path(key)
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock"), waiting):
            found = self._open(path)
            if found is not None:
                return found, True
            temporary = path.with_suffix(".building")
            shutil.rmtree(temporary, ignore_errors=True)
            shutil.rmtree(path, ignore_errors=True)
            try:
                temporary.mkdir()
                bad = _write(temporary, shape, dtype, fill, key)
                temporary.rename(path)
            except BaseException:
                shutil.rmtree(temporary, ignore_errors=True)
                raise
        self._make_room(path)
        built = self._open(path)
        if built is None:
            raise OSError(f"{path} vanished as soon as it was built")
        return Entry(built.values, bad), False

    def _path(self, key: dict[str, Any]) -> Path:
        text = json.dumps({"format": _FORMAT, **key}, sort_keys=True)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]

    def _open(self, path: Path) -> Entry | None:
        try:
            about = json.loads((path / "entry.json").read_bytes())
            mapped = np.load(path / "values.npy", mmap_mode="c", allow_pickle=False)
            os.utime(path / "entry.json")
        except (OSError, ValueError, EOFError):
            return None
        if list(mapped.shape) != about["shape"]:
            return None
        return Entry(np.asarray(mapped), [(int(row), str(reason)) for row, reason in about["bad"]])

    def _make_room(self, keep: Path) -> None:
        """Removes what killed builders left, and the entries used longest ago until the rest fits."""
        for left in self.folder.glob("*.building"):
            with contextlib.suppress(BlockingIOError), locked(left.with_suffix(".lock"), wait=False):
                shutil.rmtree(left, ignore_errors=True)
        entries = []
        for about in self.folder.glob("*/entry.json"):
            with contextlib.suppress(OSError):
                size = (about.parent / "values.npy").stat().st_size
                entries.append((about.stat().st_mtime_ns, size, about.parent))
        excess = sum(size for _, size, _ in entries) - self.limit
        for _, size, path in sorted(entries):
            if excess <= 0:
                return
            if path != keep:
                # The name is taken away first, so that nobody finds half an entry. Maps stay valid.
                with contextlib.suppress(OSError):
                    shutil.rmtree(path.rename(path.with_suffix(f".removed{os.getpid()}")))
                    excess -= size


def _write(
    folder: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    fill: Callable[[int, int], BadRows],
    key: dict[str, Any],
) -> BadRows:
    """Writes the files of an entry through to the disk."""
    with (folder / "values.npy").open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(file, header)
        file.flush()
        start = file.tell()
        _reserve(file.fileno(), start, int(np.prod(shape)) * dtype.itemsize)
        bad = fill(file.fileno(), start)
        os.fsync(file.fileno())
    with (folder / "entry.json").open("w") as file:
        json.dump({"shape": list(shape), "bad": bad, "key": key}, file)
        file.flush()
        os.fsync(file.fileno())
    return bad


def _reserve(file: int, start: int, size: int) -> None:
    """Takes the space at once, so that a full disk is known before hours of decoding and not after."""
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, start, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise  # the disk is full; a file system that cannot reserve is found out by writing
    os.ftruncate(file, start + size)


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] | None = None, *, wait: bool = True) -> Iterator[None]:
    """Holds a lock file that the operating system gives back when its holder dies.

    Args:
        path: The lock file.
        waiting: Called when another process holds it.
        wait: Wait for it; else raise BlockingIOError.
    """
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise
            if waiting:
                waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def try_to_remember(path: Path, value: Any) -> bool:
    """Replaces a JSON file in one go, and says whether that worked.

    For what only saves time: where it cannot be written, nothing is remembered and nothing is left behind.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.{time.monotonic_ns()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(value))
        temporary.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        return False
    return True


class JsonCache:
    """Small results by key, one JSON file each, replaced atomically.

    Args:
        folder: Made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: dict[str, Any]) -> Any:
        """What was stored under a key, else None."""
        try:
            return json.loads(self._path(key).read_bytes())
        except (OSError, ValueError):
            return None

    def store(self, key: dict[str, Any], value: Any) -> None:
        """Remembers a JSON value; where the folder cannot be written, nothing is remembered."""
        try_to_remember(self._path(key), value)

    def _path(self, key: dict[str, Any]) -> Path:
        text = json.dumps({"format": _FORMAT, **key}, sort_keys=True)
        return self._folder / f"{hashlib.sha256(text.encode()).hexdigest()[:32]}.json"
