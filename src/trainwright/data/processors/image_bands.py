"""Pictures that 8-bit RGB does not hold: values of 16 bits, and any number of bands.

Every value is kept as it is stored, as uint8 or uint16 `[H, W, C]`. Bands come from arrays, from `.npy`
files, from TIFF files with many samples per pixel, or from the pages of a TIFF file. Resizing is done band by
band in float32 with the same filters as for 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageFile, ImageSequence

from trainwright.data.geometry import Geometry
from trainwright.data.processors import image_decoding as decoding
from trainwright.data.processors import npy_file, tiff_samples
from trainwright.data.types import BadSample

SCALE = 257  # 255 * 257 = 65535: what one step of 8 bits is in 16
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601
_PLAIN = ("1", "L", "LA", "RGB", "RGBA", *decoding.SIXTEEN_BIT)
_COLOURS = 4  # channels up to which an array is gray or a colour picture


@dataclass(frozen=True)
class Form:
    """What the header of a picture's file says.

    Attributes:
        size: Height and width, upright.
        bands: Values per pixel, over all pages.
        bits: 8 or 16 per value.
    """

    size: tuple[int, int]
    bands: int
    bits: int


def form_of(data: bytes) -> Form:
    """The form of an image or `.npy` file, from its header. Raises `BadSample`."""
    if data.startswith(npy_file.MAGIC):
        shape, dtype = npy_file.shape_and_dtype(data)
        height, width, bands = channels_last(shape)
        return Form((height, width), bands, 32 if dtype.kind == "f" else 8 if dtype.itemsize == 1 else 16)
    about = tiff_samples.header(data)
    if about is not None and about.samples > _COLOURS:
        size = (about.height, about.width)
        seen = size[::-1] if about.orientation in (5, 6, 7, 8) else size
        return Form(seen, about.samples, about.bits)
    with decoding.opened(data) as image:
        bits = 16 if sixteen_bits(image) else 8  # before the orientation, which may load the picture
        (height, width), orientation = (image.height, image.width), decoding.exif_orientation(image)
        size = (width, height) if orientation in (5, 6, 7, 8) else (height, width)
        pages = int(getattr(image, "n_frames", 1)) if image.format == "TIFF" else 1
        bands = len(image.getbands()) if image.mode in _PLAIN else 3
        return Form(size, bands * pages, bits)


def size_of(data: bytes) -> tuple[int, int]:
    """Height and width, upright, of an image file of any kind that is read here. Raises `BadSample`."""
    about = tiff_samples.header(data)
    if data.startswith(npy_file.MAGIC) or (about is not None and about.samples > _COLOURS):
        return form_of(data).size
    return decoding.size_and_mode(data)[:2]


def channels_last(shape: tuple[int, ...]) -> tuple[int, int, int]:
    """Height, width and bands of an array: the last axis where it has up to four, else the shorter of two.

    Raises:
        BadSample: It has not two or three axes, or no values.
    """
    if len(shape) not in (2, 3) or 0 in shape:
        raise BadSample(f"an array of shape {list(shape)} is no image")
    if len(shape) == 2:
        return shape[0], shape[1], 1
    first, middle, last = shape
    return (first, middle, last) if last <= max(first, _COLOURS) else (middle, last, first)


def read(data: bytes, bands: int | None = None, *, pages: bool) -> np.ndarray:
    """Values of a file, upright, `[H, W, C]`: uint8 or uint16, or any numbers of a `.npy` file.

    Args:
        data: The file.
        bands: Number of bands that are wanted, where it is known.
        pages: Whether the pages of a TIFF file are its bands; else the first one counts.

    Raises:
        BadSample: The bytes are no whole image.
    """
    if data.startswith(npy_file.MAGIC):
        return picture_values(npy_file.read(data), bands)
    about = tiff_samples.header(data)
    if about is not None and about.samples > _COLOURS:
        _check_values(about.height * about.width * about.samples)
        return upright(tiff_samples.read(data, about), about.orientation)
    with decoding.opened(data) as image:
        count = int(getattr(image, "n_frames", 1)) if pages and image.format == "TIFF" else 1
        _check_values(image.height * image.width * count)
        raw = _raw_mode(image)  # before the orientation, which may load the picture
        orientation = decoding.exif_orientation(image)
        if count == 1:
            return upright(_values(image, data, raw), orientation)
        found = [_page(page) for page in ImageSequence.Iterator(image)]
        if len({page.shape[:2] for page in found}) > 1:
            raise BadSample("its pages differ in size, so they are no bands of one picture")
        same = found if len({page.dtype for page in found}) == 1 else [_sixteen(page) for page in found]
        return upright(np.concatenate(same, axis=2), orientation)


def as_depth(values: np.ndarray, bits: int, float_scale: float) -> np.ndarray:
    """Values as uint8, uint16, or float32 from 0 to 255, which are neither rounded nor clipped.

    Args:
        values: uint8, bool, uint16, any other whole numbers (of the range of `bits`), or floats.
        bits: 8, 16 or 32.
        float_scale: What floats are multiplied with to lie in 0 to 255.

    Raises:
        BadSample: A value is NaN, infinite or, of 8 and 16 bits, out of range.
    """
    if bits == 32:
        return _as_floats(values, float_scale)
    top = 255 if bits == 8 else 65535
    if values.dtype == np.uint8:
        return values if bits == 8 else _sixteen(values)
    if values.dtype == np.uint16:
        return values if bits == 16 else ((values.astype(np.uint32) + SCALE // 2) // SCALE).astype(np.uint8)
    if values.dtype == bool:
        return values * np.array(top, dtype=np.uint8 if bits == 8 else np.uint16)
    if values.dtype.kind not in "iuf":
        raise BadSample(f"values of type {values.dtype} are no pixels")
    whole = values
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise BadSample("a pixel is NaN or infinite")
        whole = np.rint(values.astype(np.float64) * (float_scale * (1 if bits == 8 else SCALE)))
    low, high = whole.min(initial=0), whole.max(initial=0)
    if low < 0 or high > top:
        said = f"pixels go from {values.min():.6g} to {values.max():.6g} where they may go from 0 to"
        raise BadSample(f"{said} {top if values.dtype.kind != 'f' else 255 / float_scale:g}")
    return whole.astype(np.uint8 if bits == 8 else np.uint16)


def _as_floats(values: np.ndarray, scale: float) -> np.ndarray:
    if values.dtype.kind not in "buif":
        raise BadSample(f"values of type {values.dtype} are no pixels")
    factor = {"f": scale, "b": 255.0}.get(values.dtype.kind, 1 / SCALE if values.dtype == np.uint16 else 1.0)
    floats = values.astype(np.float32) * np.float32(factor)
    if not np.isfinite(floats).all():
        raise BadSample("a pixel is NaN or infinite")
    return floats


def with_channels(values: np.ndarray, mode: str, alpha: str, bands: int | None) -> np.ndarray:
    """Values `[H, W, C]` in the channels of a mode, of the same dtype.

    Args:
        values: uint8, uint16, or float32 from 0 to 255.
        mode: `gray`, `rgb`, `rgba` or `bands`.
        alpha: `white`, `black` or `ignore`: what becomes of the transparency of two or four channels.
        bands: Number of bands that are wanted, None for any.

    Raises:
        BadSample: There is another number of bands.
    """
    there = values.shape[2]
    if mode == "bands":
        if bands is not None and there != bands:
            raise BadSample(f"it has {there} bands where the training images have {bands}")
        return values
    if there > _COLOURS:
        raise BadSample(f"it has {there} bands; give the image column mode: bands to read them all")
    top = largest(values.dtype)
    if mode != "rgba" and there in (2, 4):
        values = _flattened(values, alpha, top)
    colour, opaque = values[..., : 1 if there <= 2 else 3], values[..., there - 1 :]
    if mode == "gray":
        if colour.shape[2] == 1:
            return colour
        return _rounded(colour.astype(np.float32) @ _LUMA, values.dtype)[..., None]
    colour = np.repeat(colour, 3, axis=2) if colour.shape[2] == 1 else colour
    if mode == "rgb":
        return colour
    opaque = opaque if there in (2, 4) else np.full((*colour.shape[:2], 1), top, dtype=values.dtype)
    return np.concatenate([colour, opaque], axis=2)


def resized(values: np.ndarray, geometry: Geometry) -> np.ndarray:
    """Values `[H, W, C]` at the geometry's size, of the same dtype; themselves where they have it."""
    if geometry.size is None or values.shape[:2] == geometry.size:
        return values
    top = largest(values.dtype)
    planes = [
        Image.fromarray(np.ascontiguousarray(band, dtype=np.float32)) for band in np.moveaxis(values, 2, 0)
    ]
    scaled = Geometry(
        geometry.size, geometry.resize, geometry.interpolation, geometry.fill * (top // 255), geometry.reduce
    )
    made = np.stack([np.asarray(decoding.resize(plane, scaled)) for plane in planes], axis=2)
    return made if values.dtype.kind == "f" else np.clip(np.rint(made), 0, top).astype(values.dtype)


def largest(dtype: np.dtype[Any]) -> int:
    """White, in stored pixels of a type; of floats 255."""
    return 255 if dtype.kind == "f" else int(np.iinfo(dtype).max)


def _rounded(values: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    return (values if dtype.kind == "f" else np.rint(values)).astype(dtype)


def as_seen(pixels: np.ndarray) -> np.ndarray:
    """A picture to look at, uint8 `[H, W, 1 or 3]`, of stored pixels `[H, W, C]`.

    Of more than four bands the first three are shown. Values of 16 bits are stretched from the picture's
    smallest to its largest, for cameras seldom fill them.
    """
    shown = pixels[..., :3] if pixels.shape[2] > 2 else pixels[..., :1]
    if shown.dtype == np.float32:
        return np.clip(np.rint(shown), 0, 255).astype(np.uint8)
    if shown.dtype != np.uint16:
        return shown
    low, high = int(shown.min(initial=65535)), int(shown.max(initial=0))
    span = max(1, high - low)
    return ((shown.astype(np.int64) - low) * 255 // span).astype(np.uint8)


def _check_values(count: int) -> None:
    if count > decoding.MAX_PIXELS * _COLOURS:
        raise BadSample(f"the header claims {count} values, more than {decoding.MAX_PIXELS * _COLOURS}")


def _sixteen(values: np.ndarray) -> np.ndarray:
    return values if values.dtype == np.uint16 else values.astype(np.uint16) * SCALE


def sixteen_bits(image: Image.Image) -> bool:
    """Whether an opened file, none of it read yet, has 16 bits per value."""
    return image.mode in decoding.SIXTEEN_BIT or ";16" in _raw_mode(image)


def _raw_mode(image: Image.Image) -> str:
    """How the file stores its pixels, in Pillow's words."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0].args
    return str(arguments[0] if isinstance(arguments, tuple) and arguments else arguments)


def _values(image: Image.Image, data: bytes, raw: str) -> np.ndarray:
    """Values of an opened image, uint8 or uint16 `[H, W, C]`."""
    if image.mode not in decoding.SIXTEEN_BIT and ";16" in raw:
        return _sixteen_bit_colours(image, data, raw)
    image.load()
    return _page(image)


def _page(image: Image.Image) -> np.ndarray:
    if image.mode in decoding.SIXTEEN_BIT:
        values = np.asarray(image)
        low, high = int(values.min()), int(values.max())
        if low < 0 or high > 65535:
            raise BadSample(f"values from {low} to {high} are not 16-bit pixels")
        return values.astype(np.uint16)[..., None]
    if image.mode == "F":
        raise BadSample("floating-point pixels have no stated range; save the image with integers")
    pixels = np.asarray(image if image.mode in _PLAIN and image.mode != "1" else image.convert(_eight(image)))
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def _eight(image: Image.Image) -> str:
    if image.mode == "1":
        return "L"
    return "RGBA" if image.has_transparency_data else "RGB"


def _sixteen_bit_colours(image: Image.Image, data: bytes, raw: str) -> np.ndarray:
    """16-bit RGB, RGBA or gray with transparency, of which Pillow keeps the upper bytes only.

    The file is unpacked twice: in its own byte order, which gives the upper bytes, and in the other one,
    which gives the lower bytes.
    """
    if raw == "LA;16B":
        halves = _unpacked(data, raw, "RGBA")  # four bytes a pixel, as they stand in the file
        return halves[..., 0::2].astype(np.uint16) << 8 | halves[..., 1::2]
    other = raw[:-1] + {"B": "L", "L": "B", "N": "B"}.get(raw[-1], "")
    if raw[:-4] not in ("RGB", "RGBA", "RGBX") or raw[-4:-1] != ";16" or other == raw[:-1]:
        raise BadSample(f"16-bit pixels in the form {raw} are not read; save them as PNG")
    return _unpacked(data, raw, raw).astype(np.uint16) << 8 | _unpacked(data, raw, other)


def _unpacked(data: bytes, raw: str, wanted: str) -> np.ndarray:
    """8-bit values of a file read anew, its pixels taken for those of another raw mode."""
    with decoding.opened(data) as image:
        assert isinstance(image, ImageFile.ImageFile)
        tiles = []
        for tile in image.tile:
            arguments = tile.args
            changed = (wanted, *arguments[1:]) if isinstance(arguments, tuple) else wanted
            tiles.append(tile._replace(args=changed))
        image.tile = tiles
        image.load()
        return np.asarray(image)


def upright(values: np.ndarray, orientation: int) -> np.ndarray:
    """Values `[H, W, ...]` as they are meant to be seen, by EXIF orientation."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    down, across = {2: (1, -1), 3: (-1, -1), 4: (-1, 1), 6: (1, -1), 7: (-1, -1), 8: (-1, 1)}.get(
        orientation, (1, 1)
    )
    return values[::down, ::across]


def _flattened(values: np.ndarray, alpha: str, top: int) -> np.ndarray:
    """Without transparency: colours `[H, W, 1 or 3]` on white or black, or as they are."""
    colour, opaque = values[..., :-1], values[..., -1:]
    if alpha == "ignore":
        return colour
    share = opaque.astype(np.float64) / top
    ground = float(top) if alpha == "white" else 0.0
    return _rounded(colour * share + ground * (1 - share), values.dtype)


def picture_values(raw: Any, bands: int | None = None) -> np.ndarray:
    """Values of an array or a Pillow image `[H, W, C]`, its bands last.

    Args:
        raw: An array or tensor `[H, W]`, `[H, W, C]` or `[C, H, W]`, or a Pillow image.
        bands: Number of bands that are wanted, where it is known.

    Raises:
        BadSample: It is no picture.
    """
    if isinstance(raw, Image.Image):
        return _page(raw)
    array = raw.detach().cpu().numpy() if hasattr(raw, "detach") else np.asarray(raw)
    form = channels_last(array.shape)
    if array.ndim == 2:
        return array[:, :, None]
    if bands in (array.shape[0], array.shape[2]):
        return array if array.shape[2] == bands else array.transpose(1, 2, 0)
    return array if array.shape == form else array.transpose(1, 2, 0)
