"""Tables larger than memory, parsed once into Arrow files of a block each; bounded, shared by runs."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trainwright.data.cache_folder import CacheFolder

_FORMAT = 1  # raised when the same key would hold something else
_SETTLED_NS = 2_000_000_000  # a file changed more recently than this may change again unnoticed
_ABOUT = "about.json"


class TableCache:
    """Entries below one folder.

    Args:
        folder: Made when it is missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = CacheFolder(folder, _FORMAT, _ABOUT)

    def find(self, key: dict[str, Any]) -> tuple[Path, dict[str, Any]] | None:
        """The folder of a key and what is known of it, None where there is none."""
        return _open(self._folder.path(key))

    def get(self, key: dict[str, Any], fill: Callable[[Path], dict[str, Any]]) -> tuple[Path, dict[str, Any]]:
        """The folder of a key and what is known of it, filled if nobody has.

        Args:
            key: JSON that decides the contents.
            fill: Writes files into a folder and gives what is to be known of them, as JSON.

        Raises:
            OSError: The folder cannot be written or the disk is full; nothing is left behind.
        """

        def write(folder: Path) -> None:
            (folder / _ABOUT).write_text(json.dumps(fill(folder)))

        return self._folder.build(key, _open, write)[0]


def _open(path: Path) -> tuple[Path, dict[str, Any]] | None:
    try:
        about: dict[str, Any] = json.loads((path / _ABOUT).read_bytes())
        os.utime(path / _ABOUT)
    except (OSError, ValueError):
        return None
    return path, about


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
