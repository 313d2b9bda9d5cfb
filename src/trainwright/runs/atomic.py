"""Files that are either whole or not there: temporary name, fsync, rename, fsync of the directory."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trainwright.errors import StorageError

# Writers in other languages (safetensors) give the system's answer in words only.
_OS_ERROR = re.compile(r"os error (\d+)")
_SUFFIX = ".partial"
__all__ = [
    "StorageError",
    "make_directory",
    "remove_leftovers",
    "replacing",
    "sync_directory",
    "write_all",
    "write_bytes",
    "write_json",
    "write_text",
]

_counter = itertools.count()


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a temporary name to write to; on success its file takes the place of `path`.

    For writers that want a file name of their own (safetensors, Parquet, matplotlib). An exception
    inside the block leaves `path` as it was and removes the temporary file.

    Args:
        path: The file to replace or to create; its directory must exist.

    Yields:
        A name in the same directory with the same last suffix.

    Raises:
        StorageError: The system refused to write, sync or rename.
    """
    target = Path(path)
    temporary = target.with_name(f".{target.stem}.{os.getpid()}-{next(_counter)}{_SUFFIX}{target.suffix}")
    try:
        yield temporary
        _sync(temporary)
        os.replace(temporary, target)  # noqa: PTH105 - tests inject faults into the os call
        sync_directory(target.parent)
    except OSError as error:
        _discard(temporary)
        raise StorageError(target, error) from error
    except BaseException as error:
        _discard(temporary)
        number = _OS_ERROR.search(str(error))
        if number:
            code = int(number[1])
            raise StorageError(target, OSError(code, os.strerror(code))) from error
        raise


def write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Writes a whole file, durably. Raises StorageError and keeps the previous file on failure."""
    with replacing(path) as temporary:
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        try:
            write_all(handle, data)
        finally:
            os.close(handle)


def write_text(path: str | os.PathLike[str], text: str) -> None:
    """`write_bytes` of UTF-8 text."""
    write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """`write_text` of indented JSON; a value that JSON cannot hold raises before anything is touched."""
    write_text(path, json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def write_all(handle: int, data: bytes) -> None:
    """`os.write` until nothing is left: the kernel may take less than it is given."""
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]


def make_directory(path: str | os.PathLike[str]) -> None:
    """Makes a directory, and those above it, where it is missing. Raises StorageError."""
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(path, error) from error


def sync_directory(path: str | os.PathLike[str]) -> None:
    """Makes a rename or a new name in this directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network and FUSE file systems cannot sync directories; their renames are their own affair.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def remove_leftovers(directory: str | os.PathLike[str]) -> list[Path]:
    """Deletes temporary files of a writer that was killed. Only for the holder of the run's lock."""
    found = [path for path in Path(directory).rglob(f".*{_SUFFIX}*") if path.is_file()]
    for path in found:
        _discard(path)
    return found


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _discard(path: Path) -> None:
    with suppress(OSError):  # the first error is the one to tell
        path.unlink(missing_ok=True)
