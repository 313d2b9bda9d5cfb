"""Pictures of a TIFF file with more samples per pixel than Pillow reads (TIFF 6.0, Adobe 1992).

Whole numbers of 8 or 16 bits, in strips or tiles, interleaved or plane by plane, uncompressed or deflated
(Adobe's code 8), with or without differencing. Of several pictures the first counts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainwright.data.types import BadSample

_TYPES = {1: "B", 3: "H", 4: "I"}  # those of the entries that are needed
_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _OFFSETS, _ORIENTATION, _SAMPLES = 256, 257, 258, 259, 273, 274, 277
_ROWS, _COUNTS, _PLANAR, _PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT = 278, 279, 284, 317, 322, 323
_TILE_OFFSETS, _TILE_COUNTS, _FORMAT = 324, 325, 339
_DEFLATE = (8, 32946)
_MOST_ENTRIES = 4096
_MOST_SAMPLES = 4096
_NAMES = {2: "CCITT", 3: "CCITT", 4: "CCITT", 5: "LZW", 7: "JPEG", 32773: "PackBits", 50000: "Zstandard"}


@dataclass(frozen=True)
class TiffHeader:
    """What the first directory of a file says.

    Attributes:
        height: In pixels, as stored.
        width: In pixels, as stored.
        samples: Values per pixel.
        bits: Bits per value.
        orientation: As in EXIF.
    """

    height: int
    width: int
    samples: int
    bits: int
    orientation: int


def header(data: bytes) -> TiffHeader | None:
    """The header of a classic TIFF file whose values have 8 or 16 bits, None for anything else."""
    if data[:4] not in (b"II*\x00", b"MM\x00*"):
        return None
    try:
        entries = _entries(data)
        bits = set(entries[_BITS])
        about = TiffHeader(
            entries[_HEIGHT][0],
            entries[_WIDTH][0],
            entries.get(_SAMPLES, (1,))[0],
            next(iter(bits)),
            entries.get(_ORIENTATION, (1,))[0],
        )
    except (struct.error, KeyError, IndexError):
        return None
    known = len(bits) == 1 and about.bits in (8, 16) and set(entries.get(_FORMAT, (1,))) == {1}
    return about if known and 0 < about.samples <= _MOST_SAMPLES else None


def read(data: bytes, about: TiffHeader) -> np.ndarray:
    """The values `[H, W, C]`, uint8 or uint16, as stored.

    Args:
        data: The file.
        about: Its `header`, whose size the caller has found bearable.

    Raises:
        BadSample: It is compressed in a way that is not read here, damaged or cut off.
    """
    try:
        entries = _entries(data)
        compression = entries.get(_COMPRESSION, (1,))[0]
        if compression != 1 and compression not in _DEFLATE:
            name = _NAMES.get(compression, f"code {compression}")
            raise BadSample(
                f"a TIFF of {about.samples} samples per pixel with {name} compression is not read; "
                f"save it uncompressed or deflated, or as .npy"
            )
        return _assembled(data, about, entries, compression)
    except (struct.error, KeyError, IndexError, zlib.error, ValueError) as error:
        raise BadSample(f"the TIFF file is damaged or cut off: {error}") from error


def _entries(data: bytes) -> dict[int, tuple[int, ...]]:
    order = "<" if data[:2] == b"II" else ">"
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (count,) = struct.unpack_from(f"{order}H", data, start)
    found: dict[int, tuple[int, ...]] = {}
    for place in range(start + 2, start + 2 + 12 * min(count, _MOST_ENTRIES), 12):
        tag, kind, length = struct.unpack_from(f"{order}HHI", data, place)
        code = _TYPES.get(kind)
        if code is None:
            continue
        size = length * struct.calcsize(code)
        if size > len(data):
            raise IndexError("an entry is longer than the file")
        at = place + 8 if size <= 4 else struct.unpack_from(f"{order}I", data, place + 8)[0]
        found[tag] = struct.unpack_from(f"{order}{length}{code}", data, at)
    return found


def _assembled(
    data: bytes, about: TiffHeader, entries: dict[int, tuple[int, ...]], compression: int
) -> np.ndarray:
    """All strips or tiles in their places."""
    tiled = _TILE_OFFSETS in entries
    tall = entries[_TILE_HEIGHT][0] if tiled else min(entries.get(_ROWS, (about.height,))[0], about.height)
    wide = entries[_TILE_WIDTH][0] if tiled else about.width
    if not (0 < tall <= 1 << 16 and 0 < wide <= 1 << 20):
        raise ValueError(f"parts of {tall} x {wide} pixels")
    planes = entries.get(_PLANAR, (1,))[0] == 2
    depth = 1 if planes else about.samples
    stored = np.dtype(np.uint8 if about.bits == 8 else "<u2" if data[:2] == b"II" else ">u2")
    values = np.zeros((about.height, about.width, about.samples), dtype=stored.newbyteorder("="))
    offsets = entries[_TILE_OFFSETS if tiled else _OFFSETS]
    counts = entries[_TILE_COUNTS if tiled else _COUNTS]
    differenced = entries.get(_PREDICTOR, (1,))[0]
    if differenced not in (1, 2):
        raise ValueError(f"differencing by rule {differenced}")
    places = _places(about, tall, wide, about.samples if planes else 1)
    for (plane, top, left), offset, count in zip(places, offsets, counts, strict=True):
        rows = tall if tiled else min(tall, about.height - top)
        size = rows * wide * depth * stored.itemsize
        part = _unpacked(data[offset : offset + count], size, compression)
        block = np.frombuffer(part, stored).reshape(rows, wide, depth)
        if differenced == 2:
            block = np.cumsum(block, axis=1, dtype=values.dtype)
        inside = block[: about.height - top, : about.width - left]
        bands = slice(plane, plane + 1) if planes else slice(None)
        values[top : top + inside.shape[0], left : left + inside.shape[1], bands] = inside
    return values


def _places(about: TiffHeader, tall: int, wide: int, planes: int) -> Iterator[tuple[int, int, int]]:
    """Plane, row and column of every part in the order of the file."""
    for plane in range(planes):
        for top in range(0, about.height, tall):
            for left in range(0, about.width, wide):
                yield plane, top, left


def _unpacked(part: bytes, size: int, compression: int) -> bytes:
    if compression != 1:
        unpacker: Any = zlib.decompressobj()
        part = unpacker.decompress(part, size)  # never more than is wanted
    if len(part) < size:
        raise ValueError(f"a part has {len(part)} of {size} bytes")
    return part[:size]
