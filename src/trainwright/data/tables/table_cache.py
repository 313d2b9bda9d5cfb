"""Tables larger than memory, parsed once into Arrow files of a block each; bounded, shared by runs.

An entry is a folder that is made under a temporary name and renamed when it is whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainwright.data.cache import locked, size_limit

_FORMAT = 1  # raised when the same key would hold something else
_SETTLED_NS = 2_000_000_000  # a file changed more recently than this may change again unnoticed
_ABOUT = "about.json"


class TableCache:
    """Entries below one folder.

    Args:
        folder: Made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: dict[str, Any]) -> tuple[Path, dict[str, Any]] | None:
        """The folder of a key and what is known of it, None where there is none."""
        path = self._path(key)
        about = _open(path)
        return None if about is None else (path, about)

    def get(self, key: dict[str, Any], fill: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
        """The folder of a key and what is known of it, filled if nobody has.

        Args:
            key: JSON that decides the contents.
            fill: Writes files into a folder and gives what is to be known of them, as JSON.

        Raises:
            OSError: The folder cannot be written or the disk is full; nothing is left behind.
        """
        path = self._path(key)
        self._folder.mkdir(parents=True, exist_ok=True)
        with locked(path.with_suffix(".lock")):
            found = _open(path)
            if found is not None:
                return path, found
            building = path.with_suffix(".building")
            for left in (building, path):
                shutil.rmtree(left, ignore_errors=True)
            try:
                building.mkdir()
                about = fill(building)
                (building / _ABOUT).write_text(json.dumps(about))
                building.rename(path)
            except BaseException:
                shutil.rmtree(building, ignore_errors=True)
                raise
        self._make_room(path)
        return path, about

    def _path(self, key: dict[str, Any]) -> Path:
        text = json.dumps({"format": _FORMAT, **key}, sort_keys=True)
        return self._folder / hashlib.sha256(text.encode()).hexdigest()[:32]

    def _make_room(self, keep: Path) -> None:
        """Removes what killed processes left, and the entries used longest ago until the rest fits."""
        for left in self._folder.glob("*.building"):
            with contextlib.suppress(BlockingIOError), locked(left.with_suffix(".lock"), wait=False):
                shutil.rmtree(left, ignore_errors=True)
        entries = []
        for about in self._folder.glob(f"*/{_ABOUT}"):
            with contextlib.suppress(OSError):
                size = sum(file.stat().st_size for file in about.parent.iterdir())
                entries.append((about.stat().st_mtime_ns, size, about.parent))
        excess = sum(size for _, size, _ in entries) - size_limit()
        for _, size, path in sorted(entries):
            if excess <= 0:
                return
            if path != keep:
                with contextlib.suppress(OSError):
                    shutil.rmtree(path.rename(path.with_suffix(f".removed{os.getpid()}")))
                    excess -= size


def _open(path: Path) -> dict[str, Any] | None:
    try:
        about: dict[str, Any] = json.loads((path / _ABOUT).read_bytes())
        os.utime(path / _ABOUT)
    except (OSError, ValueError):
        return None
    return about


def file_key(path: Path) -> dict[str, Any]:
    """What tells one content of a file from another, without reading it."""
    status = path.stat()
    key = {
        "path": str(path.resolve()),
        "size": status.st_size,
        "mtime": status.st_mtime_ns,
        "inode": status.st_ino,
    }
    if time.time_ns() - status.st_mtime_ns < _SETTLED_NS:
        key["once"] = time.time_ns()
    return key
