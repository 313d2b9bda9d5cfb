"""From an image file's bytes to uint8 pixels: whole and upright, or refused with the reason.

Rules, the same for both decoders:

- A file that is empty, cut off, damaged, no image, or that claims more than `MAX_PIXELS` is refused;
  nothing half-decoded ever gets through. Of an animation the first frame counts.
- EXIF orientation is applied.
- 16-bit values are scaled by 1/257, so that 65535 becomes 255.
- Transparency is composited on white or black, or ignored, as the recipe says.
- Palettes, CMYK, YCbCr, Lab and 1-bit are converted by Pillow to RGB or gray; gray from colour is
  ITU-R 601 luma.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import numpy as np
import numpy.typing as npt
from PIL import Image, UnidentifiedImageError

from trainwright.data.geometry import Geometry
from trainwright.data.types import BadSample

MAX_PIXELS = 178_956_970  # where Pillow, too, speaks of a decompression bomb: 512 MiB as RGB
# At 7/8 decoding takes longer by nearly as much as resizing then takes less.
_LEAST_FACTOR = 4 / 3
_ORIENTATION = 0x0112
TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N", "I")
_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}

Pixels = npt.NDArray[np.uint8]
ColourMode = Literal["rgb", "gray", "rgba"]


def decode(data: bytes, mode: ColourMode, geometry: Geometry, alpha: str, decoder: str) -> Pixels:
    """Decodes, turns upright, converts and resizes one image.

    Args:
        data: The file's bytes.
        mode: Colour mode of the result.
        geometry: Size of the result and how it comes about.
        alpha: `white`, `black` or `ignore`.
        decoder: `pillow` or `simplejpeg`; the latter is used for JPEG only.

    Returns:
        uint8 pixels `[H, W, C]`, C 3 for `rgb` and 1 for `gray`.

    Raises:
        BadSample: The bytes are no whole image.
    """
    if not data:
        raise BadSample("the file is empty (0 bytes)")
    if decoder == "simplejpeg" and data[:3] == b"\xff\xd8\xff":
        found = _decode_simplejpeg(data, mode, geometry)
        if found is not None:
            pixels, original = found
            orientation = _jpeg_orientation(data)
            return _to_pixels(
                resize(_upright(pixels, orientation), geometry, _upright_size(original, orientation))
            )
    with opened(data) as file:
        original = _upright_size((file.height, file.width), exif_orientation(file))
        image = _load(file, mode, geometry)
        image = _upright(image, exif_orientation(file))
        return _to_pixels(resize(convert(image, mode, alpha), geometry, original))


@contextmanager
def opened(data: bytes) -> Iterator[Image.Image]:
    """A file of any format that Pillow knows, its pixels still to be read. Raises `BadSample`."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            _check_size(*image.size)
            yield image
    except (BadSample, MemoryError):
        raise
    except UnidentifiedImageError as error:
        raise BadSample(f"not an image that can be read (begins with {data[:8]!r})") from error
    except Image.DecompressionBombError:
        raise BadSample(f"the header claims more than {MAX_PIXELS} pixels") from None
    except Exception as error:  # Pillow's plugins raise nearly anything on damaged files
        raise BadSample(f"damaged or cut off: {type(error).__name__}: {error}") from error


def size_and_mode(data: bytes) -> tuple[int, int, ColourMode]:
    """Height and width (upright) and natural colour mode, from the header. Raises `BadSample`."""
    try:
        with Image.open(io.BytesIO(data)) as opened:
            _check_size(*opened.size)
            height, width = _upright_size((opened.height, opened.width), exif_orientation(opened))
            gray = opened.mode in ("1", "L", "LA", "La", *SIXTEEN_BIT)
            return height, width, "gray" if gray else "rgb"
    except BadSample:
        raise
    except Exception as error:
        raise BadSample(f"not an image that can be read: {type(error).__name__}") from error


def stored_size(data: bytes) -> tuple[tuple[int, int], int]:
    """Height and width as stored, and the EXIF orientation, from the header. Raises `BadSample`."""
    with opened(data) as image:
        return (image.height, image.width), exif_orientation(image)


def convert(image: Image.Image, mode: ColourMode, alpha: str) -> Image.Image:
    """Any of Pillow's modes as RGB or L, by this module's rules."""
    if image.mode in SIXTEEN_BIT:
        image = _from_sixteen_bit(image)
    if image.mode == "F":
        raise BadSample("floating-point pixels have no stated range; save the image with integers")
    if mode == "rgba":
        return image.convert("RGBA")
    if image.has_transparency_data:
        image = _flatten(image.convert("RGBA"), alpha)
    wanted = "RGB" if mode == "rgb" else "L"
    if image.mode == wanted:
        return image
    if image.mode not in ("L", "RGB", "1"):
        image = image.convert("RGB")
    return image.convert(wanted)


def resize(image: Image.Image, geometry: Geometry, original: tuple[int, int] | None = None) -> Image.Image:
    """The image at the geometry's size; itself when it has that size already.

    Args:
        image: The image, perhaps decoded at a reduced scale.
        geometry: Size of the result and how it comes about.
        original: Height and width before any reduction, which decide where pixels go; the image's own
            when absent.
    """
    if geometry.size is None or image.size == geometry.size[::-1]:
        return image
    height, width = original or (image.height, image.width)
    placement = geometry.place(height, width)
    # A JPEG is reduced by eighths, rounded up: its last pixel may stand for fewer of the original ones.
    shrunk = (round(8 * image.width / width) / 8, round(8 * image.height / height) / 8)
    left, top, right, bottom = placement.window
    window = (
        left * shrunk[0],
        top * shrunk[1],
        min(right * shrunk[0], image.width),
        min(bottom * shrunk[1], image.height),
    )
    x, y, across, down = placement.part
    part = image.resize((across, down), _FILTERS[geometry.interpolation], box=window)
    if placement.size == (down, across):
        return part
    fill = (geometry.fill,) * len(image.getbands())
    canvas = Image.new(image.mode, placement.size[::-1], fill)
    canvas.paste(part, (x, y))
    return canvas


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise BadSample(f"the header claims {width} x {height} pixels, more than {MAX_PIXELS}")
    if width < 1 or height < 1:
        raise BadSample(f"the header claims {width} x {height} pixels")


def _load(opened: Image.Image, mode: ColourMode, geometry: Geometry) -> Image.Image:
    if opened.format == "JPEG" and geometry.size is not None and geometry.reduce:
        height, width = _least_size(opened.height, opened.width, geometry)
        if opened.height >= 2 * height and opened.width >= 2 * width:
            opened.draft(None, (width, height))
    opened.load()
    return opened


def _least_size(height: int, width: int, geometry: Geometry) -> tuple[int, int]:
    """Smallest decoded size from which the wanted one is still reached by shrinking only.

    A turned image is measured with the longer side in both directions, for the orientation is
    applied after decoding.
    """
    assert geometry.size is not None
    wanted_height, wanted_width = geometry.size
    if geometry.resize == "stretch":
        longer = max(wanted_height, wanted_width)
        return longer, longer
    pick = max if geometry.resize == "crop" else min
    scale = max(
        pick(wanted_height / height, wanted_width / width), pick(wanted_height / width, wanted_width / height)
    )
    return max(1, round(height * scale)), max(1, round(width * scale))


def _decode_simplejpeg(
    data: bytes, mode: ColourMode, geometry: Geometry
) -> tuple[Image.Image, tuple[int, int]] | None:
    """The decoded JPEG and its size before reduction; None where Pillow has to decide (CMYK, damage)."""
    import simplejpeg

    try:
        height, width, colourspace, _ = simplejpeg.decode_jpeg_header(data)
        _check_size(width, height)
        if colourspace in ("CMYK", "YCCK"):
            return None
        least = (0, 0)
        if geometry.size is not None and geometry.reduce:
            wanted = _least_size(height, width, geometry)
            if height >= _LEAST_FACTOR * wanted[0] and width >= _LEAST_FACTOR * wanted[1]:
                least = wanted
        pixels = simplejpeg.decode_jpeg(
            data,
            colorspace="GRAY" if mode == "gray" and colourspace != "RGB" else "RGB",
            min_height=least[0],
            min_width=least[1],
            min_factor=_LEAST_FACTOR,
        )
    except ValueError:
        return None
    image = Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0])
    return convert(image, mode, "ignore"), (height, width)


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(TRANSPOSE[orientation]) if orientation in TRANSPOSE else image


def _upright_size(size: tuple[int, int], orientation: int) -> tuple[int, int]:
    return size[::-1] if orientation in (5, 6, 7, 8) else size


def exif_orientation(opened: Image.Image) -> int:
    """EXIF orientation of an opened file, 1 where it has none."""
    if opened.format == "JPEG" and "exif" not in opened.info:
        return 1
    try:
        return int(opened.getexif().get(_ORIENTATION, 1))
    except (SyntaxError, ValueError, TypeError, struct.error, OSError, KeyError):
        return 1  # damaged metadata says nothing about how the picture is to be held


def _jpeg_orientation(data: bytes) -> int:
    """EXIF orientation of a JPEG's bytes, 1 where it has none."""
    start = data.find(b"Exif\x00\x00", 0, 1 << 16)
    if start < 0:
        return 1
    exif = Image.Exif()
    try:
        exif.load(data[start : start + (1 << 16)])
        return int(exif.get(_ORIENTATION, 1))
    except (SyntaxError, ValueError, TypeError, struct.error, OSError, KeyError):
        return 1


def _from_sixteen_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image)
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise BadSample(f"values from {low} to {high} are not 16-bit pixels")
    return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))


def _flatten(image: Image.Image, alpha: str) -> Image.Image:
    if alpha == "ignore":
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, (255, 255, 255, 255) if alpha == "white" else (0, 0, 0, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def _to_pixels(image: Image.Image) -> Pixels:
    pixels = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels
