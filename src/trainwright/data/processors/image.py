"""Pictures: files or arrays become uint8 pixels of one size, normalised on the model's device."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from annotated_types import Interval

from trainwright.data.archive import ArchiveError
from trainwright.data.geometry import Geometry
from trainwright.data.processors import image_decoding as decoding
from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.types import BadSample, RawFile, TensorSpec, Values
from trainwright.errors import MissingExtra, RecipeError
from trainwright.fields import PositiveInt

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_STORED_VERSION = 2  # raised when the same parameters give other pixels
_INSPECTED = 64  # images that are looked at to settle size and colour mode
_SUMMED_AT_ONCE = 256  # images whose sum of squares, 256 * 255**2 < 2**24, float32 holds exactly
_SUMMED_VALUES = 1 << 18  # values that stay in the L2 cache as float32
_WHOLE_IMAGE = 1 << 14  # values up to which a normalisation constant per pixel stays in the L1 cache
DEAD_WHEN = {
    "ImageProcessor": {
        "fill": "resize != 'letterbox'",
        "resize": "size == None",
        "interpolation": "size == None",
        "reduce": "size == None",
    }
}
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


class ImageProcessor(ColumnProcessor):
    """An image file or array, stored as uint8 `[H, W, C]` and given to the model as float `[C, H, W]`.

    Arrays may be `[H, W]`, `[H, W, C]` or `[C, H, W]`, of uint8, bool (scaled by 255), uint16 (scaled
    by 1/257) or float (scaled by 255 where the training values lie in [0, 1]).

    Args:
        size: Height and width, or one number for both; when absent the size that the training images
            have, and every image must have it.
        mode: Colour; `auto` is gray where the inspected training images all are.
        resize: `stretch` to the size, `crop` the centre in its aspect ratio, or `letterbox`.
        interpolation: Filter of the resampling, anti-aliased when it shrinks.
        fill: Value of a letterbox's border.
        alpha: Transparent pixels on `white`, on `black`, or `ignore` the transparency.
        normalise: `none` keeps 0 to 255; `unit` gives [0, 1]; `symmetric` [-1, 1]; `imagenet` and
            `dataset` subtract a mean and divide by a standard deviation per channel, the second those
            of the training split; or a mapping of `mean` and `std` in units of [0, 1].
        decoder: `auto` is simplejpeg for JPEG where it is installed.
        reduce: Decode a JPEG that is more than twice too large at a reduced scale.
    """

    type = "image"
    needs_fit = True
    fits_on_encoded = True

    def __init__(
        self,
        *,
        size: PositiveInt | list[PositiveInt] | None = None,
        mode: Literal["auto", "rgb", "gray"] = "auto",
        resize: Literal["stretch", "crop", "letterbox"] = "stretch",
        interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box"] = "bilinear",
        fill: Annotated[int, Interval(ge=0, le=255)] = 0,
        alpha: Literal["white", "black", "ignore"] = "white",
        normalise: (
            Literal["none", "unit", "symmetric", "imagenet", "dataset"]
            | dict[Literal["mean", "std"], list[float]]
        ) = "dataset",
        decoder: Literal["auto", "pillow", "simplejpeg"] = "auto",
        reduce: bool = True,
    ) -> None:
        self._parameters: dict[str, Any] = {
            "size": size,
            "mode": mode,
            "resize": resize,
            "interpolation": interpolation,
            "fill": fill,
            "alpha": alpha,
            "normalise": normalise,
            "decoder": decoder,
            "reduce": reduce,
        }
        self.size = _height_and_width(size)
        self.mode: str = mode
        self.alpha = alpha
        self.normalise = normalise
        self.decoder = _choose_decoder(decoder)
        self.mean, self.std = _statistics(normalise)
        self.float_scale = 255.0
        self._resizes = size is not None
        self._geometry = Geometry(self.size if self._resizes else None, resize, interpolation, fill, reduce)
        self._constants: dict[tuple[torch.device, int], tuple[Tensor, Tensor]] = {}

    @property
    def geometry(self) -> Geometry:
        """How the pictures get their size, for columns that live in their pixel space."""
        if self._resizes:
            return self._geometry
        return replace(self._geometry, size=self.size, resize="none")

    def inspect(self, values: Values) -> None:
        """Settles size and colour mode from up to 64 evenly spaced training images."""
        places = sorted({round(place) for place in np.linspace(0, len(values) - 1, _INSPECTED) if place >= 0})
        looks = [look for place in places if (look := _look(values[place])) is not None]
        if any(look.largest > 1 for look in looks):
            self.float_scale = 1.0
        if self.mode == "auto":
            self.mode = "gray" if looks and all(look.mode == "gray" for look in looks) else "rgb"
        if self.size is None:
            sizes = sorted({look.size for look in looks})
            if len(sizes) != 1:
                shown = ", ".join(f"{height}x{width}" for height, width in sizes[:5]) or "no readable image"
                raise RecipeError(
                    "the images differ in size and the recipe names none",
                    why=f"found {shown}",
                    fix="give the image column a size, for example size: [224, 224]",
                )
            self.size = sizes[0]

    def fit(self, values: npt.NDArray[np.uint8]) -> None:
        """Mean and standard deviation per channel of stored training images `[N, H, W, C]`."""
        if self.normalise != "dataset":
            return
        total, squares, pixels = _sums(values)
        mean = total / max(1, pixels)
        deviation = np.sqrt(np.maximum(squares / max(1, pixels) - mean**2, 0.0))
        self.mean = [float(value) / 255 for value in mean]
        self.std = [float(value) / 255 if value > 0 else 1.0 for value in deviation]
        self._constants.clear()

    def encode(self, raw: Any) -> np.ndarray:
        """uint8 pixels `[H, W, C]`. Raises `BadSample`, or OSError where a file cannot be read."""
        mode: decoding.ColourMode = "gray" if self.mode == "gray" else "rgb"
        data = file_bytes(raw)
        if data is not None:
            pixels = decoding.decode(data, mode, self._geometry, self.alpha, self.decoder)
        else:
            picture = decoding.convert(_as_picture(raw, self.float_scale), mode, self.alpha)
            resized = np.asarray(decoding.resize(picture, self._geometry))
            pixels = resized[:, :, None] if resized.ndim == 2 else resized
        if self.size is not None and pixels.shape[:2] != self.size:
            raise BadSample(
                f"it is {pixels.shape[0]}x{pixels.shape[1]} where the training images are "
                f"{self.size[0]}x{self.size[1]}; give the column a size to have it resized"
            )
        return pixels

    def encode_all(self, values: Values) -> np.ndarray:
        """uint8 pixels `[N, H, W, C]`; an array that has this form already is not copied."""
        if isinstance(values, np.ndarray) and values.dtype == np.uint8 and self.size is not None:
            channels = 1 if self.mode == "gray" else 3
            if values.shape[1:] == (*self.size, channels):
                return values
            if values.shape[1:] == self.size and channels == 1:
                return values[..., None]
        return super().encode_all(values)

    def spec(self) -> TensorSpec:
        """Float image `(C, H, W)`."""
        assert self.size is not None
        return TensorSpec("image", (1 if self.mode == "gray" else 3, *self.size))

    def to_tensor(self, stored: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Normalised images `[B, C, H, W]` in channels_last memory from uint8 `[B, H, W, C]`.

        Args:
            stored: Stored pixels on the model's device.
            dtype: Of the result; float32 when absent. The arithmetic is done in float32.
        """
        import torch

        batch, height, width, channels = stored.shape
        offset, factor = self._device_constants(stored.device, height, width)
        # One pass to float and one fused multiply-add over contiguous rows: broadcasting over the
        # channel, the innermost axis, would run loops of length 3 and take five times as long.
        pixels = stored.reshape(batch, -1, offset.numel()).to(torch.float32)
        torch.addcmul(offset, pixels, factor, out=pixels)
        images = pixels.view(batch, height, width, channels).permute(0, 3, 1, 2)
        return images if dtype is None else images.to(dtype)

    def decode(self, value: Any) -> npt.NDArray[np.uint8]:
        """The picture uint8 `[H, W, C]` of a normalised image `[C, H, W]`."""
        image = value.detach().float().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        offset, factor = self._offset_and_factor(image.shape[0])
        pixels = (image.transpose(1, 2, 0).astype(np.float64) - offset) / factor
        return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)

    def parameters(self) -> dict[str, Any]:
        """See `__init__`; `decoder` as chosen, so that a run keeps to it."""
        return self._parameters

    def fitted(self) -> dict[str, Any]:
        """Size, mode, statistics and decoder as settled."""
        return {
            "size": list(self.size) if self.size else None,
            "mode": self.mode,
            "mean": self.mean,
            "std": self.std,
            "float_scale": self.float_scale,
            "decoder": self.decoder,
        }

    def restore(self, fitted: dict[str, Any]) -> None:
        """Sets what `fitted` gave; a decoder that was chosen automatically is chosen again if missing."""
        super().restore(fitted | {"size": _height_and_width(fitted["size"])})
        if self.decoder == "simplejpeg" and importlib.util.find_spec("simplejpeg") is None:
            self.decoder = _choose_decoder(self._parameters["decoder"])

    def cache_key(self) -> dict[str, Any]:
        """Everything that shapes the stored pixels; normalisation does not."""
        names = ("resize", "interpolation", "fill", "alpha", "reduce")
        return {
            "type": self.type,
            "version": _STORED_VERSION,
            "size": list(self.size) if self.size else None,
            "mode": self.mode,
            "decoder": self.decoder,
            "float_scale": self.float_scale,
            "resizes": self._resizes,
        } | {name: self._parameters[name] for name in names}

    def _offset_and_factor(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Per channel b and a of the normalisation x * a + b, for x from 0 to 255."""
        mean, std = np.array(self.mean), np.array(self.std)
        if len(mean) != channels and len(mean) > 1:
            mean, std = np.full(channels, mean.mean()), np.full(channels, std.mean())
        mean, std = np.broadcast_to(mean, channels), np.broadcast_to(std, channels)
        if self.normalise == "none":
            return np.zeros(channels), np.ones(channels)
        return -mean / std, 1 / (255 * std)

    def _device_constants(self, device: torch.device, height: int, width: int) -> tuple[Tensor, Tensor]:
        import torch

        channels = 1 if self.mode == "gray" else 3
        whole = height * width * channels <= _WHOLE_IMAGE
        repeats = height * width if whole else width
        found = self._constants.get((device, repeats))
        if found is None:
            pair = (np.tile(part, repeats) for part in self._offset_and_factor(channels))
            offset, factor = (torch.tensor(part, dtype=torch.float32, device=device) for part in pair)
            found = self._constants[device, repeats] = (offset, factor)
        return found


def _sums(images: Any) -> tuple[np.ndarray, np.ndarray, int]:
    """Exact sums and sums of squares per channel of `[N, H, W, C]` uint8, and the count of pixels."""
    count, *shape = images.shape
    channels, row = shape[-1], int(np.prod(shape))
    step = max(1, min(_SUMMED_AT_ONCE, _SUMMED_VALUES // max(1, row)))
    total, squares = np.zeros(row), np.zeros(row)
    for start in range(0, count, step):
        chunk = images[start : start + step].reshape(-1, row).astype(np.float32)
        ones = np.ones(len(chunk), dtype=np.float32)
        total += ones @ chunk
        squares += ones @ np.square(chunk, out=chunk)
    by_channel = [part.reshape(-1, channels).sum(axis=0) for part in (total, squares)]
    return by_channel[0], by_channel[1], count * row // channels


class _Look:
    """What one raw value shows of itself before it is decoded."""

    def __init__(self, size: tuple[int, int], mode: str, largest: float) -> None:
        self.size, self.mode, self.largest = size, mode, largest


def _look(raw: Any) -> _Look | None:
    """Size, mode and (of float arrays) largest value; None where it cannot be read."""
    try:
        data = file_bytes(raw)
        if data is not None:
            height, width, mode = decoding.size_and_mode(data)
            return _Look((height, width), mode, 0.0)
        if _is_picture(raw):
            gray = raw.mode in ("1", "L", "LA", "I", "I;16")
            return _Look((raw.height, raw.width), "gray" if gray else "rgb", 0.0)
        array = _as_hwc(_as_array(raw))
        largest = float(array.max(initial=0)) if array.dtype.kind == "f" else 0.0
        return _Look(array.shape[:2], "gray" if array.shape[2] in (1, 2) else "rgb", largest)
    except BadSample:
        return None


def file_bytes(raw: Any) -> bytes | None:
    """The bytes of a file, a path or bytes; None for a value that holds pixels."""
    try:
        if isinstance(raw, RawFile):
            return raw.read()
        if isinstance(raw, str | Path):
            return Path(raw).read_bytes()
    except FileNotFoundError:
        raise BadSample("the file does not exist") from None
    except (OSError, KeyError, ArchiveError) as error:
        raise BadSample(f"the file cannot be read: {error}") from error
    return bytes(raw) if isinstance(raw, bytes | bytearray | memoryview) else None


def _is_picture(raw: Any) -> bool:
    return isinstance(raw, decoding.Image.Image)


def _as_array(raw: Any) -> np.ndarray:
    array = raw.detach().cpu().numpy() if hasattr(raw, "detach") else np.asarray(raw)
    if array.dtype.kind not in "buif":
        raise BadSample(f"{type(raw).__name__} is neither an image file nor pixels")
    return array


def _as_hwc(array: np.ndarray) -> np.ndarray:
    """Pixels as `[H, W, C]`; the channel axis is the last, or the first where only that can be it."""
    if array.ndim == 2:
        return array[:, :, None]
    if array.ndim == 3 and array.shape[2] in (1, 2, 3, 4):
        return array
    if array.ndim == 3 and array.shape[0] in (1, 2, 3, 4):
        return array.transpose(1, 2, 0)
    raise BadSample(f"an array of shape {list(array.shape)} is no image")


def _out_of_range(array: np.ndarray, float_scale: float) -> str:
    low, high = array.min(), array.max()
    if array.dtype.kind != "f":
        return f"pixels go from {low} to {high} where they may go from 0 to 255"
    largest = 255 / float_scale
    return (
        f"floating-point pixels go from {low:.4g} to {high:.4g}, but are read as 0 to {largest:g} as in "
        f"training; scale them, or give whole numbers from 0 to 255"
    )


def _as_picture(raw: Any, float_scale: float) -> decoding.Image.Image:
    if _is_picture(raw):
        return raw
    array = _as_hwc(_as_array(raw))
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise BadSample("a pixel is NaN or infinite")
        scaled = np.rint(array.astype(np.float64) * float_scale)
    elif array.dtype == bool:
        scaled = array * 255
    else:
        scaled = (array.astype(np.uint32) + 128) // 257 if array.dtype == np.uint16 else array
    if scaled.size == 0:
        raise BadSample(f"an array of shape {list(array.shape)} has no pixels")
    if scaled.min() < 0 or scaled.max() > 255:
        raise BadSample(_out_of_range(array, float_scale))
    pixels = np.ascontiguousarray(scaled.astype(np.uint8))
    return decoding.Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def _height_and_width(size: int | Sequence[int] | None) -> tuple[int, int] | None:
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2:
        raise RecipeError(
            f"size {list(pair)} is not [height, width]", fix="give two numbers, or one for both"
        )
    return pair[0], pair[1]


def _choose_decoder(asked: str) -> str:
    installed = importlib.util.find_spec("simplejpeg") is not None
    if asked == "simplejpeg" and not installed:
        raise MissingExtra("simplejpeg", "jpeg")
    return "simplejpeg" if installed and asked != "pillow" else "pillow"


def _statistics(normalise: Any) -> tuple[list[float], list[float]]:
    """Mean and standard deviation in units of [0, 1], per channel or one for all."""
    if normalise == "imagenet":
        return list(IMAGENET[0]), list(IMAGENET[1])
    if normalise == "symmetric":
        return [0.5], [0.5]
    if not isinstance(normalise, dict):
        return [0.0], [1.0]
    if set(normalise) != {"mean", "std"} or len(normalise["mean"]) != len(normalise["std"]):
        raise RecipeError("normalise needs mean and std of equal length", where="normalise")
    if not all(value > 0 for value in normalise["std"]):
        raise RecipeError("normalise.std must be positive", where="normalise.std")
    return list(normalise["mean"]), list(normalise["std"])
