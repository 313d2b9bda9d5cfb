"""A digest of all data behind a run: a changed file is noticed, and an unchanged one is not read again.

The digest of files is over sorted (relative path, content digest). Content digests are remembered by
(path, size, modification time, inode), one JSON file per data folder, replaced atomically: two
processes at once can lose a few remembered digests, never mix them up.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.cache import try_to_remember
from trainwright.data.retry import ONCE, Retry
from trainwright.data.types import RawFile, Values
from trainwright.errors import DataError

_SETTLED_NS = 2_000_000_000  # a file changed more recently than this may change again within one clock tick
_THREADS = min(4, os.cpu_count() or 1)  # hashing lets go of the interpreter; more would wait for the disk
_THREADS_FROM = 4 << 20  # bytes that are hashed sooner than a thread is worth
_FILES_A_TASK = 64
_BLOCK = 1 << 20
_PROGRESS_SECONDS = 0.1
Progress = Callable[[str, int, int], None]


def digest_files(
    files: Sequence[Path], cache_dir: Path, progress: Progress | None = None, retry: Retry = ONCE
) -> str:
    """Digest of files, independent of where their common folder lies.

    Args:
        files: Every file that a source reads.
        cache_dir: Where content digests are remembered.
        progress: Called with `fingerprint`, bytes read and bytes in all, while files are read.
        retry: How often a read is repeated that fails.

    Returns:
        64 hexadecimal digits.

    Raises:
        DataError: A file cannot be read.
    """
    combined = hashlib.sha256()
    for name, digest in content_digests(files, cache_dir, progress, retry).items():
        combined.update(f"{name}\0{digest}\n".encode())
    return combined.hexdigest()


def content_digests(
    files: Sequence[Path], cache_dir: Path, progress: Progress | None = None, retry: Retry = ONCE
) -> dict[str, str]:
    """SHA-256 of each file, by its path from the folder that all have in common; see `digest_files`."""
    paths = sorted(str(path) for path in files)
    root = os.path.commonpath([paths[0], paths[-1]])
    if root in (paths[0], paths[-1]):  # one file, perhaps named twice
        root = root.rpartition(os.sep)[0]
    store = _DigestStore(cache_dir, root)
    named = [(path[len(root) :].lstrip(os.sep), path) for path in dict.fromkeys(paths)]
    marks = [_mark(path) for _, path in named]
    known = [store.known(name, mark) for (name, _), mark in zip(named, marks, strict=True)]
    unknown = {
        path: mark[0] for (_, path), mark, digest in zip(named, marks, known, strict=True) if not digest
    }
    read = _Reading(unknown, retry).digests(progress)
    digests: dict[str, str] = {}
    for (name, path), mark, found in zip(named, marks, known, strict=True):
        digests[name] = found or read[path]
        if not found:
            store.remember(name, mark, digests[name])
    store.save()
    return digests


def digest_values(columns: Mapping[str, Values]) -> str:
    """Digest of columns in memory: bytes, dtype and shape of arrays, contents of lists.

    Returns:
        64 hexadecimal digits.
    """
    combined = hashlib.sha256()
    for name in sorted(columns):
        combined.update(f"{name}\0".encode())
        _add_values(combined, columns[name])
    return combined.hexdigest()


class _DigestStore:
    """Remembered digests of the files below one folder."""

    def __init__(self, cache_dir: Path, root: str) -> None:
        name = hashlib.sha256(str(Path(root).resolve()).encode()).hexdigest()[:32]
        self._path = cache_dir / "digests" / f"{name}.json"
        self._changed = False
        try:
            self._known: dict[str, list[Any]] = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            self._known = {}

    def known(self, name: str, mark: tuple[int, int, int]) -> str | None:
        entry = self._known.get(name)
        return entry[3] if entry is not None and tuple(entry[:3]) == mark else None

    def remember(self, name: str, mark: tuple[int, int, int], digest: str) -> None:
        if time.time_ns() - mark[1] > _SETTLED_NS:
            self._known[name] = [*mark, digest]
            self._changed = True

    def save(self) -> None:
        """Writes what was learned; a cache that cannot be written only costs time at the next start."""
        if self._changed and try_to_remember(self._path, self._known):
            self._changed = False


def _mark(path: str) -> tuple[int, int, int]:
    try:
        status = os.stat(path)  # noqa: PTH116 (called per file)
    except OSError as error:
        raise DataError(
            f"the file cannot be read: {error.strerror}", where=path, fix="check that the file may be read"
        ) from error
    return status.st_size, status.st_mtime_ns, status.st_ino


class _Reading:
    """Digests of files, read by a few threads, with progress also within a large file.

    Args:
        sizes: Path -> bytes.
        retry: How often a read is repeated that fails.
    """

    def __init__(self, sizes: Mapping[str, int], retry: Retry) -> None:
        self._sizes, self._retry = sizes, retry
        self._done = 0
        self._lock = threading.Lock()

    def digests(self, progress: Progress | None) -> dict[str, str]:
        """Path -> SHA-256 in hexadecimal digits. Raises `DataError` for the first that cannot be read."""
        total = sum(self._sizes.values())
        if total < _THREADS_FROM:
            read = self._some(list(self._sizes))
            if progress and read:
                progress("fingerprint", self._done, total)
            return read
        paths = list(self._sizes)
        parts = [paths[start : start + _FILES_A_TASK] for start in range(0, len(paths), _FILES_A_TASK)]
        found: dict[str, str] = {}
        with ThreadPoolExecutor(_THREADS) as pool:
            waiting = {pool.submit(self._some, part) for part in parts}
            try:
                while waiting:
                    finished, waiting = wait(waiting, timeout=_PROGRESS_SECONDS, return_when=FIRST_COMPLETED)
                    for future in finished:
                        found |= future.result()
                    if progress:
                        progress("fingerprint", min(self._done, total), total)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return found

    def _some(self, paths: Sequence[str]) -> dict[str, str]:
        return {path: self._digest(path) for path in paths}

    def _digest(self, path: str) -> str:
        try:
            return self._retry(path, partial(self._read, path))
        except OSError as error:
            raise DataError(
                f"the file cannot be read: {error.strerror}",
                where=path,
                fix="check that the file may be read",
            ) from error

    def _read(self, path: str) -> str:
        digest = hashlib.sha256()
        length = 0
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 (called per file)
            while block := file.read(_BLOCK):
                digest.update(block)
                length += len(block)
                with self._lock:
                    self._done += len(block)
        if length < self._sizes[path]:
            raise OSError(errno.EIO, f"the read was cut short: {length} of {self._sizes[path]} bytes")
        return digest.hexdigest()


def _add_values(combined: Any, values: Any) -> None:
    if isinstance(values, np.ndarray) and values.dtype.kind not in "OT":
        if values.dtype.kind in "mM":
            # Times give no buffer; their tick counts do, and the type is told apart.
            combined.update(values.dtype.str.encode() + b"\0")
            values = values.view(np.int64)
        combined.update(f"{values.dtype.str}{values.shape}\0".encode())
        for start in range(0, len(values) if values.ndim else 1, 1 << 16):
            combined.update(
                np.ascontiguousarray(values[start : start + (1 << 16)] if values.ndim else values).data
            )
        return
    for item in values.tolist() if isinstance(values, np.ndarray) else values:
        combined.update(type(item).__name__.encode() + b"\0")
        if isinstance(item, RawFile):
            combined.update(hashlib.sha256(item.read()).digest())
        elif hasattr(item, "__array__"):
            _add_values(combined, np.asarray(item))
        else:
            combined.update(repr(item).encode() + b"\0")
