"""Decoded values on disk, an array per column, and small results by key."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.cache_folder import CacheFolder, locked

BadRows = list[tuple[int, str]]
_FORMAT = 1  # raised when the meaning of stored values changes without a change of any key


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
        self._folder = CacheFolder(folder, _FORMAT, "entry.json", limit)
        self.limit = self._folder.limit

    def find(self, key: dict[str, Any]) -> Entry | None:
        """The entry of a key, None where there is none or it is damaged."""
        return self._open(self._folder.path(key))

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
        return self._folder.build(
            key, self._open, lambda folder: _write(folder, shape, dtype, fill, key), waiting
        )

    def mend(self, key: dict[str, Any], rows: list[int], values: np.ndarray, bad: BadRows) -> Entry | None:
        """Puts values into an entry that could not be decoded when it was built.

        Args:
            key: Of the entry.
            rows: Rows that can be decoded now.
            values: Their stored values `[n, ...]`.
            bad: All rows that are still bad.

        Returns:
            The entry; None where it cannot be written, or is gone.
        """
        path = self._folder.path(key)
        try:
            with locked(path.with_suffix(".lock")):
                about = json.loads((path / "entry.json").read_bytes())
                # Nobody looks at rows that are bad, so that they may change below the maps of others.
                mapped = np.load(path / "values.npy", mmap_mode="r+", allow_pickle=False)
                mapped[rows] = values
                mapped.flush()
                if not try_to_remember(path / "entry.json", about | {"bad": bad}):
                    return None
        except (OSError, ValueError, EOFError):
            return None
        return self._open(path)

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


def _write(
    folder: Path,
    shape: tuple[int, ...],
    dtype: np.dtype[Any],
    fill: Callable[[int, int], BadRows],
    key: dict[str, Any],
) -> None:
    """Writes the files of an entry."""
    with (folder / "values.npy").open("wb") as file:
        header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(file, header)
        file.flush()
        start = file.tell()
        _reserve(file.fileno(), start, int(np.prod(shape)) * dtype.itemsize)
        bad = fill(file.fileno(), start)
    (folder / "entry.json").write_text(json.dumps({"shape": list(shape), "bad": bad, "key": key}))


def _reserve(file: int, start: int, size: int) -> None:
    """Takes the space at once, so that a full disk is known before hours of decoding and not after."""
    if size and hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file, start, size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise  # the disk is full; a file system that cannot reserve is found out by writing
    os.ftruncate(file, start + size)


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
