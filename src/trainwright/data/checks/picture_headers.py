"""What the headers of image files say, read without decoding a pixel."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trainwright.data.archive import ArchiveError
from trainwright.data.processors.image_bands import form_of, sixteen_bits
from trainwright.data.types import RawFile, Values

_SUFFIXES = {
    "JPEG": ("jpg", "jpeg", "jpe", "jfif"),
    "MPO": ("jpg", "jpeg", "mpo"),
    "PNG": ("png", "apng"),
    "BMP": ("bmp", "dib"),
    "GIF": ("gif",),
    "TIFF": ("tif", "tiff"),
    "WEBP": ("webp",),
    "PPM": ("ppm", "pgm", "pbm", "pnm"),
}
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Header:
    """One image file's header.

    Attributes:
        row: Its row.
        format: Pillow's name of the format.
        mode: Pillow's name of the pixel format.
        height: As stored.
        width: As stored.
        orientation: EXIF orientation, 1 where there is none.
        frames: More than 1 for an animation.
        bits: 8 or 16 per value.
        transparent: Whether there is an alpha channel or a transparent colour.
        suffix: The file's own, lower case and without the dot.
    """

    row: int
    format: str
    mode: str
    height: int
    width: int
    orientation: int
    frames: int
    bits: int
    transparent: bool
    suffix: str

    @property
    def misnamed(self) -> bool:
        """Whether the suffix names another format."""
        known = _SUFFIXES.get(self.format)
        others = {suffix for suffixes in _SUFFIXES.values() for suffix in suffixes}
        return known is not None and self.suffix in others and self.suffix not in known


def read_headers(values: Values, rows: Sequence[int]) -> list[Header]:
    """Headers of the rows that are files and whose header can be read; the others are told elsewhere."""
    return [header for row in rows if (header := read_header(values[row], int(row))) is not None]


def read_header(raw: Any, row: int) -> Header | None:
    """The header of one raw value, None where it is no image file."""
    from PIL import Image

    if not isinstance(raw, RawFile):
        return None
    try:
        if raw.name.lower().endswith(".npy"):
            return _array_header(raw, row)
        with Image.open(raw.path if raw.member is None else io.BytesIO(raw.read())) as opened:
            width, height = opened.size
            bits = 16 if sixteen_bits(opened) else 8  # before any frame is looked for
            has_exif = opened.format != "JPEG" or "exif" in opened.info
            return Header(
                row,
                opened.format or "",
                opened.mode,
                height,
                width,
                int(opened.getexif().get(_ORIENTATION, 1)) if has_exif else 1,
                int(getattr(opened, "n_frames", 1)) if opened.format != "MPO" else 1,
                bits,
                bool(opened.has_transparency_data),
                raw.name.rpartition(".")[2].lower(),
            )
    except (ArchiveError, MemoryError):
        return None
    except Exception:  # Pillow's plugins raise nearly anything on damaged files, which `unreadable` tells
        return None


def _array_header(raw: RawFile, row: int) -> Header:
    form = form_of(raw.read())
    (height, width), mode = form.size, f"{form.bands} bands"
    return Header(row, "NPY", mode, height, width, 1, 1, form.bits, False, "npy")
