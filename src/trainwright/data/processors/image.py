"""Pictures: files or arrays become pixels of one size, normalised on the model's device."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from annotated_types import Interval

from trainwright.data.geometry import Geometry, Resize
from trainwright.data.processors import image_bands, image_tensors, npy_file
from trainwright.data.processors import image_decoding as decoding
from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.processors.image_options import (
    check_channels,
    choose_decoder,
    height_and_width,
    larger_store,
    refuse_own_scale,
    settle_bands,
)
from trainwright.data.processors.image_raw import as_picture, file_bytes, look
from trainwright.data.processors.image_statistics import PixelStatistics, given, offset_and_factor, sums
from trainwright.data.types import BadSample, TensorSpec, Values
from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt

if TYPE_CHECKING:
    import torch
    from torch import Tensor

_STORED_VERSION = 3  # raised when the same parameters give other pixels
_INSPECTED = 64  # images that are looked at to settle size and colour mode
_WHOLE_IMAGE = 1 << 14  # values up to which a normalisation constant per pixel stays in the L1 cache
DEAD_WHEN = {
    "ImageProcessor": {
        "fill": "resize != 'letterbox'",
        "resize": "size == None",
        "interpolation": "size == None",
        "reduce": "size == None",
        "image": "size != None",
        "store": "size == None",
        "evaluation": "store == None",
        "alpha": "mode == 'bands'",
    }
}
_CHANNELS = {"gray": 1, "rgb": 3, "rgba": 4}


class ImageProcessor(ColumnProcessor):
    """An image file or array, stored as pixels `[H, W, C]` and given to the model as float `[C, H, W]`.

    Arrays, also in `.npy` files, may be `[H, W]`, `[H, W, C]` or `[C, H, W]`, of uint8, bool (scaled by 255),
    uint16 (scaled by 1/257) or float (scaled by 255 where the training values lie in [0, 1]). With `depth:
    16` values of 16 bits are stored as they are, uint16; the normalisation has them on the same scale.

    Args:
        size: Height and width, or one number for both; when absent the size that the training images
            have, and every image must have it.
        store: Height and width of the stored pixels, where that is to be more than `size`: `resized_crop` and
            `random_crop` cut their windows out of these, so that a small window is not blurred.
        evaluation: How stored pixels get `size` where no augmentation has cut it out of them: `resize` of
            the whole picture, anti-aliased, or `crop` of its centre.
        mode: Colour; `auto` is gray where the inspected training images all are, `bands` where all have the
            same number of more than four channels, else RGB. `rgba` keeps the transparency as a fourth
            channel; `bands` takes every channel as it is, of a TIFF file of several pages those of all pages.
        depth: Bits of a stored value; of 32 it is a float, of arrays neither rounded nor clipped.
        resize: `stretch` to the size, `crop` the centre in its aspect ratio, or `letterbox`.
        interpolation: Filter of the resampling, anti-aliased when it shrinks.
        fill: Value of a letterbox's border.
        alpha: Transparent pixels on `white`, on `black`, or `ignore` the transparency.
        normalise: `none` keeps 0 to 255; `unit` gives [0, 1]; `symmetric` [-1, 1]; `imagenet` and
            `dataset` subtract a mean and divide by a standard deviation per channel, the second those
            of the training split; `pixel` does so for each pixel by itself; `local_max` divides each image
            by its own largest value, `integral` by its own mean, so that its integral over a unit square
            is 1; or a mapping of `mean` and `std` in units of [0, 1].
        decoder: `auto` is simplejpeg for JPEG where it is installed.
        reduce: Decode a JPEG that is too large at a reduced scale, never below the size: by simplejpeg at 1/8
            to 6/8, by Pillow at 1/8, 1/4 or 1/2.
        image: Of a target without a size: the image input whose size and resize rule it follows; the only
            one when absent.
    """

    type = "image"
    needs_fit = True
    fits_on_encoded = True

    def __init__(
        self,
        *,
        size: PositiveInt | list[PositiveInt] | None = None,
        store: PositiveInt | list[PositiveInt] | None = None,
        evaluation: Literal["resize", "crop"] = "resize",
        mode: Literal["auto", "rgb", "gray", "rgba", "bands"] = "auto",
        depth: Literal[8, 16, 32] = 8,
        resize: Literal["stretch", "crop", "letterbox"] = "stretch",
        interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box"] = "bilinear",
        fill: Annotated[int, Interval(ge=0, le=255)] = 0,
        alpha: Literal["white", "black", "ignore"] = "white",
        normalise: (
            Literal["none", "unit", "symmetric", "imagenet", "dataset", "pixel", "local_max", "integral"]
            | dict[Literal["mean", "std"], list[float]]
        ) = "dataset",
        decoder: Literal["auto", "pillow", "simplejpeg"] = "auto",
        reduce: bool = True,
        image: str | None = None,
    ) -> None:
        self._parameters: dict[str, Any] = {
            "size": size,
            "store": store,
            "evaluation": evaluation,
            "mode": mode,
            "depth": depth,
            "resize": resize,
            "interpolation": interpolation,
            "fill": fill,
            "alpha": alpha,
            "normalise": normalise,
            "decoder": decoder,
            "reduce": reduce,
            "image": image,
        }
        self.image = image
        self.size = height_and_width(size)
        self.store, self.evaluation = larger_store(store, self.size, normalise), evaluation
        self.mode: str = mode
        self.depth = depth
        self.bands: int | None = None
        self.alpha = alpha
        self.normalise = normalise
        self.decoder = choose_decoder(decoder)
        self.mean, self.std = given(normalise)
        self.pixels: PixelStatistics | None = None
        self.float_scale = 255.0
        self._resizes = size is not None
        self.followed: Resize | None = None
        self._geometry = Geometry(
            self.stored_size if self._resizes else None, resize, interpolation, fill, reduce
        )
        self._constants: dict[tuple[torch.device, int], tuple[Tensor, Tensor]] = {}

    @property
    def stored_size(self) -> tuple[int, int] | None:
        """Height and width of the stored pixels; None as long as `size` is not settled."""
        return self.store or self.size

    @property
    def channels(self) -> int:
        """Channels of a stored picture."""
        return (self.bands or 1) if self.mode == "bands" else _CHANNELS.get(self.mode, 3)

    @property
    def resizes(self) -> bool:
        """Whether pictures get another size than their own."""
        return self._resizes

    @property
    def learns(self) -> bool:
        """Whether the normalisation takes anything from the training images."""
        return self.normalise in ("dataset", "pixel")

    @property
    def geometry(self) -> Geometry:
        """How the pictures get their size, for columns that live in their pixel space."""
        if self._resizes:
            return self._geometry
        return replace(self._geometry, size=self.size, resize="none")

    def follow(self, geometry: Geometry) -> None:
        """Takes over the size and resize rule of an image input, whose size is settled."""
        self.size, self.followed = geometry.size, geometry.resize
        self._resizes = geometry.resize != "none"
        if self._resizes:
            self._geometry = replace(self._geometry, size=geometry.size, resize=geometry.resize)

    def inspect(self, values: Values) -> None:
        """Settles size and colour mode from up to 64 evenly spaced training images."""
        places = sorted({round(place) for place in np.linspace(0, len(values) - 1, _INSPECTED) if place >= 0})
        looks = [seen for place in places if (seen := look(values[place])) is not None]
        if any(seen.largest > 1 for seen in looks):
            self.float_scale = 1.0
        self.mode, self.bands = settle_bands(self.mode, looks)
        check_channels(self.normalise, self.channels)
        if self.size is None:
            sizes = sorted({seen.size for seen in looks})
            if len(sizes) != 1:
                shown = ", ".join(f"{height}x{width}" for height, width in sizes[:5]) or "no readable image"
                raise RecipeError(
                    "the images differ in size and the recipe names none",
                    why=f"found {shown}",
                    fix="give the image column a size, for example size: [224, 224]",
                )
            self.size = sizes[0]

    def fit(self, values: npt.NDArray[np.uint8 | np.uint16]) -> None:
        """Statistics of stored training images `[N, H, W, C]`, per channel or per pixel."""
        if self.normalise == "pixel":
            self.pixels = PixelStatistics.of(values)
            self._constants.clear()
        if self.normalise != "dataset":
            return
        channels = values.shape[-1]
        total, squares, count = sums(values)
        pixels = count * len(total) // channels
        mean = total.reshape(-1, channels).sum(axis=0) / max(1, pixels)
        power = squares.reshape(-1, channels).sum(axis=0) / max(1, pixels)
        deviation = np.sqrt(np.maximum(power - mean**2, 0.0))
        self.mean = [float(value) / 255 for value in mean]
        self.std = [float(value) / 255 if value > 0 else 1.0 for value in deviation]
        self._constants.clear()

    def encode(self, raw: Any) -> np.ndarray:
        """Pixels `[H, W, C]` of the depth. Raises `BadSample`, or OSError where a file cannot be read."""
        pixels = self.resized(raw)
        if self.stored_size is not None and pixels.shape[:2] != self.stored_size:
            raise BadSample(
                f"it is {pixels.shape[0]}x{pixels.shape[1]} where the training images are "
                f"{self.stored_size[0]}x{self.stored_size[1]}; give the column a size to have it resized"
            )
        return pixels

    def resized(self, raw: Any) -> np.ndarray:
        """Pixels `[H, W, C]`, in their own size where the recipe gives none. Raises like `encode`."""
        mode: decoding.ColourMode = "rgb" if self.mode == "auto" else self.mode  # type: ignore[assignment]
        data = file_bytes(raw)
        if self.mode == "bands" or self.depth > 8:
            pixels = self._deep(raw, data)
        elif data is not None and not data.startswith(npy_file.MAGIC):
            pixels = decoding.decode(data, mode, self._geometry, self.alpha, self.decoder)
        else:
            raw = raw if data is None else npy_file.read(data)
            picture = decoding.convert(as_picture(raw, self.float_scale), mode, self.alpha)
            resized = np.asarray(decoding.resize(picture, self._geometry))
            pixels = resized[:, :, None] if resized.ndim == 2 else resized
        return pixels

    def _deep(self, raw: Any, data: bytes | None) -> np.ndarray:
        """Pixels that 8-bit colours do not hold."""
        if data == b"":
            raise BadSample("the file is empty (0 bytes)")
        if data is not None:
            values = image_bands.read(data, self.bands, pages=self.mode == "bands")
        else:
            values = image_bands.picture_values(raw, self.bands)
        values = image_bands.as_depth(values, self.depth, self.float_scale)
        mode = "rgb" if self.mode == "auto" else self.mode
        return image_bands.resized(
            image_bands.with_channels(values, mode, self.alpha, self.bands), self._geometry
        )

    def encode_all(self, values: Values) -> np.ndarray:
        """Pixels `[N, H, W, C]`; an array that has this form already is not copied."""
        stored = {8: np.uint8, 16: np.uint16}.get(self.depth)
        if isinstance(values, np.ndarray) and values.dtype == stored and self.stored_size is not None:
            channels = self.channels
            if values.shape[1:] == (*self.stored_size, channels):
                return values
            if values.shape[1:] == self.stored_size and channels == 1:
                return values[..., None]
        return super().encode_all(values)

    def spec(self) -> TensorSpec:
        """Float image `(C, H, W)`."""
        assert self.size is not None
        return TensorSpec("image", (self.channels, *self.size))

    def to_tensor(self, stored: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Normalised images `[B, C, H, W]` in channels_last memory from stored ones `[B, H, W, C]`.

        Args:
            stored: Stored pixels on the model's device, or floats from 0 to 255 that an augmentation gives.
            dtype: Of the result; float32 when absent. The arithmetic is done in float32.
        """
        import torch

        stored = image_tensors.in_steps_of_eight_bits(stored)
        if self.store is not None and tuple(stored.shape[1:3]) == self.store:
            assert self.size is not None
            stored = image_tensors.at_size(stored, self.store, self.size, self.evaluation)
        if self.normalise in ("local_max", "integral"):
            alone = image_tensors.by_itself(stored.to(torch.float32), str(self.normalise))
            images = alone.permute(0, 3, 1, 2)
            return images if dtype is None else images.to(dtype)
        batch, height, width, channels = stored.shape
        offset, factor = self._device_constants(stored.device, height, width)
        # One pass to float and one fused multiply-add over contiguous rows: broadcasting over the
        # channel, the innermost axis, would run loops of length 3 and take five times as long.
        pixels = stored.reshape(batch, -1, offset.numel()).to(torch.float32, copy=self.depth == 32)
        torch.addcmul(offset, pixels, factor, out=pixels)
        images = pixels.view(batch, height, width, channels).permute(0, 3, 1, 2)
        return images if dtype is None else images.to(dtype)

    def pixels_of(self, images: Tensor) -> Tensor:
        """Pixels from 0 to 255 of normalised images, float32 `[B, C, H, W]`, neither rounded nor clipped.

        Raises:
            RecipeError: Each image, or each pixel, is normalised by itself.
        """
        refuse_own_scale(self.normalise)
        return image_tensors.undone(images, self._offset_and_factor(images.shape[1]))

    def decode(self, value: Any) -> npt.NDArray[np.uint8]:
        """The picture uint8 `[H, W, C]` of a normalised image `[C, H, W]`.

        Where each image was normalised by itself, its largest value becomes 255.
        """
        image = value.detach().float().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        if self.normalise in ("local_max", "integral"):
            image = image / max(float(image.max(initial=0.0)), 1e-6)
            return np.clip(np.rint(255 * image.transpose(1, 2, 0)), 0, 255).astype(np.uint8)
        offset, factor = self._offset_and_factor(image.shape[0])
        if self.pixels is not None:
            offset, factor = (part.reshape(self.pixels.mean.shape) for part in (offset, factor))
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
            "bands": self.bands,
            "mean": self.mean,
            "std": self.std,
            "float_scale": self.float_scale,
            "decoder": self.decoder,
            "pixels": self.pixels.state() if self.pixels is not None else None,
            "followed": self.followed,
        }

    def restore(self, fitted: dict[str, Any]) -> None:
        """Sets what `fitted` gave; a decoder that was chosen automatically is chosen again if missing."""
        known = fitted.get("pixels")
        pixels = PixelStatistics.from_state(known) if known else None
        super().restore(fitted | {"size": height_and_width(fitted["size"]), "pixels": pixels})
        if self.followed is not None:
            self.follow(Geometry(self.size, self.followed))
        if self.decoder == "simplejpeg" and importlib.util.find_spec("simplejpeg") is None:
            self.decoder = choose_decoder(self._parameters["decoder"])

    def cache_key(self) -> dict[str, Any]:
        """Everything that shapes the stored pixels; normalisation does not."""
        names = ("interpolation", "fill", "alpha", "reduce")
        key = {
            "type": self.type,
            "version": _STORED_VERSION,
            "size": list(self.stored_size) if self.stored_size else None,
            "mode": self.mode,
            "decoder": self.decoder,
            "float_scale": self.float_scale,
            "resizes": self._resizes,
            "resize": self._geometry.resize,
        }
        # Left out where they are what they always were, so that caches of before are still found.
        deep = {"depth": self.depth, "bands": self.bands} if self.mode == "bands" or self.depth > 8 else {}
        return key | deep | {name: self._parameters[name] for name in names}

    def _offset_and_factor(self, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Per channel, or per value of an image, b and a of x * a + b, for x from 0 to 255."""
        if self.pixels is not None:
            return self.pixels.offset_and_factor()
        return offset_and_factor(self.normalise, self.mean, self.std, channels)

    def _device_constants(self, device: torch.device, height: int, width: int) -> tuple[Tensor, Tensor]:

        channels = self.channels
        if self.pixels is not None:
            return self._pixel_constants(device, (height, width))
        whole = height * width * channels <= _WHOLE_IMAGE
        repeats = height * width if whole else width
        found = self._constants.get((device, repeats))
        if found is None:
            offset, factor = (np.tile(part, repeats) for part in self._offset_and_factor(channels))
            found = self._constants[device, repeats] = image_tensors.placed((offset, factor), device)
        return found

    def _pixel_constants(self, device: torch.device, size: tuple[int, int]) -> tuple[Tensor, Tensor]:

        if size != self.size:
            raise RecipeError(
                f"images of {size[0]}x{size[1]} cannot be normalised pixel by pixel",
                where="data.augment",
                why=f"the statistics are those of {self.size} pixels, and an augmentation changes the size",
                fix="keep the size, or use normalise: dataset",
            )
        found = self._constants.get((device, 0))
        if found is None:
            found = self._constants[device, 0] = image_tensors.placed(self._offset_and_factor(0), device)
        return found
