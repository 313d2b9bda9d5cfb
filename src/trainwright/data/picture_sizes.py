"""Sizes of pictures from their headers, each header read once for as long as its file does not change."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from trainwright.data.archive import ArchiveError, open_archive
from trainwright.data.cache import try_to_remember
from trainwright.data.processors.image_bands import size_of
from trainwright.data.types import BadSample, RawFile
from trainwright.locations import cache_dir

Size = tuple[int, int]
_HEAD = 1 << 16  # a JPEG's size nearly always stands within
_PNG = b"\x89PNG\r\n\x1a\n"
_ORIENTING = (b"Raw profile type exif", b"XML:com.adobe.xmp")  # text chunks that may hold an orientation
_SETTLED_NS = 2_000_000_000  # a file changed more recently may change again within one clock tick


class PictureSizes:
    """Heights and widths of the pictures of one source, remembered between runs.

    Args:
        root: Folder or archive of the source; names the memory.
    """

    def __init__(self, root: Path) -> None:
        name = hashlib.sha256(str(root.resolve()).encode()).hexdigest()[:32]
        self._path = cache_dir() / "picture_sizes" / f"{name}.json"
        try:
            known = json.loads(self._path.read_bytes())
            self._known: dict[str, list[int]] = known if isinstance(known, dict) else {}
        except (OSError, ValueError):
            self._known = {}
        self._changed = False

    def of(self, file: RawFile) -> Size:
        """Height and width, upright. Raises `BadSample` where the header cannot be read."""
        try:
            mark = _mark(file)
            entry = self._known.get(file.name)
            if entry is not None and len(entry) == 4 and tuple(entry[:2]) == mark:
                return entry[2], entry[3]
            size = header_size(file)
        except (OSError, KeyError, ArchiveError) as error:
            raise BadSample(f"the file cannot be read: {error}") from error
        if time.time_ns() - mark[1] > _SETTLED_NS:
            self._known[file.name] = [*mark, *size]
            self._changed = True
        return size

    def all(self, files: Sequence[RawFile]) -> list[Size | None]:
        """Sizes of many pictures, None where a header cannot be read; remembers what was read."""
        sizes: list[Size | None] = []
        for file in files:
            try:
                sizes.append(self.of(file))
            except BadSample:
                sizes.append(None)
        self.save()
        return sizes

    def save(self) -> None:
        """Writes what was read since the last time. A cache that cannot be written only costs time."""
        if self._changed and try_to_remember(self._path, self._known):
            self._changed = False


def header_size(file: RawFile) -> Size:
    """Height and width of a picture as it is meant to be seen, without decoding it.

    Raises:
        BadSample: It is no picture, or its header is damaged.
        OSError, KeyError, ArchiveError: It cannot be read.
    """
    if file.member is None:
        with Path(file.path).open("rb") as opened:
            head = opened.read(_HEAD)
            if head.startswith(_PNG):
                size = _png_size(opened)
                if size is not None:
                    return size
    else:
        head = file.read()
    if head.startswith(b"\xff\xd8"):
        with contextlib.suppress(BadSample):
            return size_of(head)
    return size_of(file.read() if file.member is None else head)


def _png_size(opened: BinaryIO) -> Size | None:
    """Size from a PNG's own header, None where Pillow has to look (orientation, or an odd file).

    Pillow would decode the whole picture to find an orientation behind the pixels.
    """
    opened.seek(len(_PNG))
    size: Size | None = None
    while True:
        header = opened.read(8)
        if len(header) < 8:
            return None
        length, kind = struct.unpack(">I4s", header)
        if kind == b"IHDR" and length >= 8:
            width, height = struct.unpack(">II", opened.read(8))
            size = (height, width) if 0 < width * height <= 178_956_970 else None
            length -= 8
        elif kind == b"IEND":
            return size
        elif kind == b"eXIf" or size is None:
            return None
        elif kind in (b"tEXt", b"zTXt", b"iTXt"):
            start = opened.read(min(length, 32))
            if start.startswith(_ORIENTING):
                return None
            length -= len(start)
        opened.seek(length + 4, os.SEEK_CUR)


def _mark(file: RawFile) -> tuple[int, int]:
    status = os.stat(file.path)  # noqa: PTH116 (called per sample)
    if file.member is not None and file.member not in open_archive(file.path).members:
        raise KeyError(file.member)
    return status.st_size, status.st_mtime_ns
