"""Video clips: some frames of a file, resized, as one array of fixed shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from annotated_types import Interval
from PIL import Image

from trainwright.data.processors import image_decoding, video_decoding
from trainwright.data.processors.base import ColumnProcessor
from trainwright.data.types import BadSample, TensorSpec
from trainwright.errors import RecipeError
from trainwright.fields import PositiveInt

if TYPE_CHECKING:
    from torch import Tensor

_IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
DEAD_WHEN = {"VideoProcessor": {"stride": "sampling == 'uniform'", "fill": "resize != 'letterbox'"}}


class VideoProcessor(ColumnProcessor):
    """A video file, or an array `[T, H, W, C]` of uint8, stored as uint8 `[frames, H, W, C]`.

    Files need the `video` extra. Frames are decoded in order and kept only where they are wanted, so that
    memory does not grow with the clip; the rotation that a phone writes is applied.

    Args:
        size: Height and width of the frames, or one number for both.
        frames: Number of frames that are kept.
        sampling: `uniform` takes the middle one of each of that many equal parts of the clip; `start` and
            `center` take neighbours, `stride` frames apart, from the start or around the middle. A clip
            that is too short has its last frame repeated.
        stride: Frames from one kept frame to the next.
        mode: Colour.
        resize: `stretch` to the size, `crop` the centre in its aspect ratio, or `letterbox`.
        interpolation: Filter of the resampling, anti-aliased when it shrinks.
        fill: Value of a letterbox's border.
        normalise: `none` keeps 0 to 255; `unit` gives [0, 1]; `symmetric` [-1, 1]; `imagenet` subtracts
            a mean and divides by a standard deviation per channel.
    """

    type = "video"

    def __init__(
        self,
        *,
        size: PositiveInt | list[PositiveInt] = 112,
        frames: PositiveInt = 16,
        sampling: Literal["uniform", "start", "center"] = "uniform",
        stride: PositiveInt = 1,
        mode: Literal["rgb", "gray"] = "rgb",
        resize: Literal["stretch", "crop", "letterbox"] = "crop",
        interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box"] = "bilinear",
        fill: Annotated[int, Interval(ge=0, le=255)] = 0,
        normalise: Literal["none", "unit", "symmetric", "imagenet"] = "imagenet",
    ) -> None:
        self._parameters: dict[str, Any] = {
            "size": size,
            "frames": frames,
            "sampling": sampling,
            "stride": stride,
            "mode": mode,
            "resize": resize,
            "interpolation": interpolation,
            "fill": fill,
            "normalise": normalise,
        }
        pair = [size, size] if isinstance(size, int) else size
        if len(pair) != 2:
            raise RecipeError(f"size {pair} is not [height, width]", fix="give two numbers, or one for both")
        self.size = (pair[0], pair[1])
        self.frames, self.sampling, self.stride = frames, sampling, stride
        self.mode: Literal["rgb", "gray"] = mode
        self.channels = 1 if mode == "gray" else 3
        self.normalise = normalise
        self._geometry = image_decoding.Geometry(self.size, resize, interpolation, fill, False)

    def encode(self, raw: Any) -> np.ndarray:
        """uint8 `[frames, H, W, C]`. Raises `BadSample` with the reason."""
        if isinstance(raw, np.ndarray):
            if raw.dtype != np.uint8 or raw.ndim != 4 or raw.shape[3] not in (1, 3) or 0 in raw.shape:
                raise BadSample(
                    f"an array of shape {list(raw.shape)} and {raw.dtype} is no clip [T, H, W, C]"
                )
            picked = raw[self.places(len(raw))]
            return np.stack([self._prepare(_as_picture(frame)) for frame in picked])
        count = video_decoding.count_frames(raw)
        return video_decoding.read_frames(raw, self.places(count), self._prepare)

    def places(self, count: int) -> npt.NDArray[np.int64]:
        """Numbers of the kept frames of a clip of `count` frames, ascending."""
        if self.sampling == "uniform":
            places = (np.arange(self.frames) + 0.5) * count / self.frames
            return np.minimum(places.astype(np.int64), count - 1)
        span = (self.frames - 1) * self.stride + 1
        first = max(0, (count - span) // 2) if self.sampling == "center" else 0
        return np.minimum(first + np.arange(self.frames) * self.stride, count - 1)

    def spec(self) -> TensorSpec:
        """A clip `(C, frames, H, W)`."""
        return TensorSpec("video", (self.channels, self.frames, *self.size))

    def to_tensor(self, stored: Tensor) -> Tensor:
        """Normalised clips float32 `[B, C, frames, H, W]` from uint8 `[B, frames, H, W, C]`."""
        import torch

        offset, factor = (
            torch.tensor(part, dtype=torch.float32, device=stored.device) for part in self._constants()
        )
        return (stored.float() * factor + offset).permute(0, 4, 1, 2, 3).contiguous()

    def decode(self, value: Any) -> npt.NDArray[np.uint8]:
        """Frames uint8 `[frames, H, W, C]` of a normalised clip `[C, frames, H, W]`."""
        clip = value.detach().float().cpu().numpy() if hasattr(value, "detach") else np.asarray(value)
        offset, factor = self._constants()
        pixels = (clip.transpose(1, 2, 3, 0).astype(np.float64) - offset) / factor
        return np.clip(np.rint(pixels), 0, 255).astype(np.uint8)

    def parameters(self) -> dict[str, Any]:
        """See `__init__`."""
        return self._parameters

    def cache_key(self) -> dict[str, Any]:
        """Everything that shapes the stored pixels; normalisation does not."""
        return {"type": self.type} | {k: v for k, v in self._parameters.items() if k != "normalise"}

    def _prepare(self, picture: Image.Image) -> npt.NDArray[np.uint8]:
        picture = image_decoding.convert(picture, self.mode, "white")
        pixels = np.asarray(image_decoding.resize(picture, self._geometry))
        return pixels[:, :, None] if pixels.ndim == 2 else pixels

    def _constants(self) -> tuple[np.ndarray, np.ndarray]:
        """Per channel b and a of the normalisation x * a + b, for x from 0 to 255."""
        if self.normalise == "none":
            return np.zeros(self.channels), np.ones(self.channels)
        mean, std = {
            "unit": ([0.0], [1.0]),
            "symmetric": ([0.5], [0.5]),
            "imagenet": _IMAGENET,
        }[self.normalise]
        if self.channels == 1 and len(mean) == 3:
            mean, std = [float(np.mean(mean))], [float(np.mean(std))]
        middle, spread = np.broadcast_to(mean, self.channels), np.broadcast_to(std, self.channels)
        return -middle / spread, 1 / (255 * spread)


def _as_picture(frame: npt.NDArray[np.uint8]) -> Image.Image:
    return Image.fromarray(frame[:, :, 0] if frame.shape[2] == 1 else frame)
