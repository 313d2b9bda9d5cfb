"""Clean pictures, and the same made worse: to learn to deblur, denoise or enlarge without given pairs."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from trainwright.data import addressed
from trainwright.data.geometry import Geometry
from trainwright.data.processors import image_decoding as decoding
from trainwright.data.sources.base import LazySequence, existing
from trainwright.data.sources.file_set import FileSet
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.sources.split_words import split_of_path
from trainwright.data.types import BadSample, RawFile, Role
from trainwright.errors import RecipeError
from trainwright.fields import NonNegative, PositiveInt

DEAD_WHEN = {"DegradedSource": {"seed": "noise == 0", "clip": "noise == 0"}}


class DegradedSource(GatheredSource):
    """Every picture of a folder twice: as it is, and shrunk, blurred and noisy, in this order.

    The same picture is always made worse in the same way: the noise is addressed by its name and `seed`.

    Columns:
        input: The picture made worse, uint8 (float32 where it is not clipped) `[H, W, C]`, of the size of the
            clean one.
        target: The clean picture: its file, or its pixels where it was turned.

    Args:
        root: Folder or zip archive; pictures at any depth, folders named train, val and test are splits.
        blur: Standard deviation of a Gaussian blur in pixels, as Pillow approximates it by three boxes.
        noise: Standard deviation of Gaussian noise, in units of 0 to 255.
        shrink: The picture is reduced by this factor and enlarged again, both bicubically.
        clip: Noisy pixels are rounded and clipped to 0 to 255, as a camera does it. Without, they stay as
            they are, which most published figures of denoising are made with; the image column then needs
            `depth: 32`.
        landscape: Pictures that are taller than wide are turned by a quarter, so that a set of pictures that
            were held in two ways (BSD68) has one size.
        seed: Address of the noise.
    """

    columns: dict[str, Role] = {"input": "image", "target": "image"}  # noqa: RUF012
    slow_columns: Collection[str] = ("input", "target")

    def __init__(
        self,
        *,
        root: str,
        blur: NonNegative = 0.0,
        noise: NonNegative = 0.0,
        shrink: PositiveInt = 1,
        clip: bool = True,
        landscape: bool = False,
        seed: int = 0,
    ) -> None:
        super().__init__()
        if not blur and not noise and shrink == 1:
            raise RecipeError(
                "nothing makes the pictures worse", where="data.source", fix="give blur, noise or shrink"
            )
        self._blur, self._noise, self._shrink, self._seed = blur, noise, shrink, seed
        self._clip, self._landscape = clip, landscape
        files = FileSet(existing(root, "data.source.root"))
        self.names = files.under("")
        clean = [files.file(name) for name in self.names]
        for row, name in enumerate(self.names):
            self.put_in_split(split_of_path(name), row)
        self.values = {"input": LazySequence(len(clean), lambda row: self._made(row, clean[row]))}
        self.values["target"] = clean
        if landscape:
            self.values["target"] = LazySequence(len(clean), lambda row: self._clean(clean[row]))
            self._extra_files = [Path(file.path) for file in clean]
        self.finish(str(files.root), "looked for pictures")

    def _clean(self, file: RawFile) -> np.ndarray | RawFile:
        """The pixels of a picture; the file itself where it cannot be read, for its reader to say why."""
        try:
            data = file.read()
            mode = decoding.size_and_mode(data)[2]
            pixels = decoding.decode(data, mode, Geometry(None), "white", "pillow")
        except (BadSample, OSError, KeyError):
            return file
        tall = pixels.shape[0] > pixels.shape[1]
        return np.ascontiguousarray(np.rot90(pixels)) if tall and self._landscape else pixels

    def _made(self, row: int, file: RawFile) -> np.ndarray | RawFile:
        """The picture made worse."""
        pixels = self._clean(file)
        if isinstance(pixels, RawFile):
            return pixels
        image = Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
        if self._shrink > 1:
            small = [max(1, round(side / self._shrink)) for side in image.size]
            reduced = image.resize((small[0], small[1]), Image.Resampling.BICUBIC)
            image = reduced.resize(image.size, Image.Resampling.BICUBIC)
        if self._blur:
            image = image.filter(ImageFilter.GaussianBlur(self._blur))
        worse = np.asarray(image).reshape(pixels.shape)
        return worse if not self._noise else self._noisy(worse, self.names[row])

    def _noisy(self, pixels: np.ndarray, name: str) -> np.ndarray:
        """Adds noise by Box and Muller's method (1958), from numbers addressed by seed, name and place."""
        key = addressed.key("degraded", self._seed, name)
        drawn = addressed.uniform(key, np.arange(pixels.size, dtype=np.int64), 2)
        normal = np.sqrt(-2 * np.log1p(-drawn[:, 0])) * np.cos(2 * np.pi * drawn[:, 1])
        noisy = pixels + self._noise * normal.reshape(pixels.shape)
        return np.clip(np.rint(noisy), 0, 255).astype(np.uint8) if self._clip else noisy.astype(np.float32)
