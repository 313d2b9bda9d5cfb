"""Folders of cached files: keyed by content, built once, shared by processes, bounded in size.

An entry is a folder that is made under a temporary name and renamed when it is whole, so a killed builder
leaves nothing that looks like an entry. A file lock lets one process build while others wait; the operating
system gives it back when its holder dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

_DEFAULT_GIB = 20.0
Found = TypeVar("Found")


def size_limit() -> int:
    """Bytes that the entries of one kind of cache may take: `TRAINWRIGHT_CACHE_GB` (20)."""
    return int(float(os.environ.get("TRAINWRIGHT_CACHE_GB", _DEFAULT_GIB)) * 2**30)


class CacheFolder:
    """Entries below one folder.

    Args:
        folder: Made when it is missing.
        format: Raised when the meaning of entries changes without a change of any key.
        about: File of an entry whose modification time says when the entry was used last.
        limit: Bytes that all entries together may take; `size_limit()` when absent.
    """

    def __init__(self, folder: Path, format: int, about: str, limit: int | None = None) -> None:
        self.folder, self.about = folder, about
        self.limit = size_limit() if limit is None else limit
        self._format = format

    def path(self, key: dict[str, Any]) -> Path:
        """Where the entry of a key is, if there is one."""
        text = json.dumps({"format": self._format, **key}, sort_keys=True)
        return self.folder / hashlib.sha256(text.encode()).hexdigest()[:32]

    def build(
        self,
        key: dict[str, Any],
        open_entry: Callable[[Path], Found | None],
        fill: Callable[[Path], None],
        waiting: Callable[[], None] | None = None,
    ) -> tuple[Found, bool]:
        """The entry of a key, built if no other process has built it meanwhile.

        Args:
            key: JSON that decides the contents.
            open_entry: Opens the folder of an entry; None where it is missing or damaged.
            fill: Writes the files of an entry into an empty folder.
            waiting: Called when another process is building the same entry.

        Returns:
            The entry, and whether it was there already.

        Raises:
            OSError: The folder cannot be written or the disk is full; nothing is left behind.
        """
        path = self.path(key)
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock"), waiting):
            found = open_entry(path)
            if found is not None:
                return found, True
            building = path.with_suffix(".building")
            for left in (building, path):
                shutil.rmtree(left, ignore_errors=True)
            try:
                building.mkdir()
                fill(building)
                _sync(building)
                building.rename(path)
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
        self._make_room(path)
        built = open_entry(path)
        if built is None:
            raise OSError(f"{path} vanished as soon as it was built")
        return built, False

    def _make_room(self, keep: Path) -> None:
        """Removes what killed builders left, and the entries used longest ago until the rest fits."""
        for left in self.folder.glob("*.building"):
            with contextlib.suppress(BlockingIOError), locked(left.with_suffix(".lock"), wait=False):
                shutil.rmtree(left, ignore_errors=True)
        entries = []
        for about in self.folder.glob(f"*/{self.about}"):
            with contextlib.suppress(OSError):
                size = sum(file.stat().st_size for file in about.parent.iterdir() if file != about)
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


def _sync(folder: Path) -> None:
    """Writes the files of a folder through to the disk."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


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
