"""Samples' pictures: inlined into the page, and gathered into one PNG."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from trainwright.errors import TrainwrightError
from trainwright.report.found import with_found
from trainwright.report.mistakes import Mistake
from trainwright.runs.atomic import write_bytes

Picture = Callable[[int], np.ndarray | None]
LARGEST = 160  # pixels of the longer side in the page
LARGEST_ANNOTATED = 320
TILE = 96


class PictureBook:
    """Asks the caller for pictures, each row once, and keeps count of those that failed.

    Args:
        picture: Row of the prepared data -> uint8 `[H, W, C]`, or None; None for no pictures at all.
    """

    def __init__(self, picture: Picture | None) -> None:
        self._picture = picture
        self._known: dict[int, np.ndarray | None] = {}
        self.failures: list[str] = []

    def pixels(self, mistake: Mistake) -> np.ndarray | None:
        """uint8 `[H, W, 3]` of a sample, or None where it has no picture."""
        if self._picture is None or mistake.row < 0:
            return None
        if mistake.row not in self._known:
            self._known[mistake.row] = self._ask(mistake)
        pixels = self._known[mistake.row]
        if pixels is None or not isinstance(mistake.predicted, list):
            return pixels
        return with_found(pixels, mistake.true, mistake.predicted, LARGEST_ANNOTATED)

    def _ask(self, mistake: Mistake) -> np.ndarray | None:
        assert self._picture is not None
        try:
            pixels = self._picture(mistake.row)
        except (OSError, ValueError, LookupError, TrainwrightError) as error:
            # Data may be gone by the time a report is made anew; the numbers still stand.
            self.failures.append(f"{mistake.sample}: {error}")
            return None
        if pixels is None:
            return None
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels[..., :3]

    def uri(self, mistake: Mistake) -> str | None:
        """The picture as a `data:` address: PNG where it is small, else a JPEG of at most 160 pixels.

        What is annotated, or stands beside others, may be larger.
        """
        pixels = self.pixels(mistake)
        largest = LARGEST_ANNOTATED if isinstance(mistake.predicted, list) else LARGEST
        largest = LARGEST_ANNOTATED * mistake.pictures if mistake.pictures > 1 else largest
        return None if pixels is None else data_uri(pixels, largest)

    def gallery(self, path: Path, mistakes: Sequence[Mistake], columns: int = 6) -> bool:
        """Writes the pictures of mistakes into one PNG, with captions; False where there is none.

        Raises:
            StorageError: The file cannot be written.
        """
        shown = [(mistake, self.pixels(mistake)) for mistake in mistakes]
        pictures = [(mistake, pixels) for mistake, pixels in shown if pixels is not None]
        if not pictures:
            return False
        write_bytes(path, _gallery(pictures, columns))
        return True


def data_uri(pixels: np.ndarray, largest: int = LARGEST) -> str:
    """A picture uint8 `[H, W, C]` as a `data:` address: PNG where small, else a JPEG of at most `largest`."""
    from PIL import Image

    gray = pixels.ndim == 3 and pixels.shape[2] == 1
    image, buffer = Image.fromarray(np.ascontiguousarray(pixels[..., 0] if gray else pixels)), io.BytesIO()
    if max(image.size) <= 64:
        image.save(buffer, "png")
        kind = "png"
    else:
        image.thumbnail((largest, largest))
        image.save(buffer, "jpeg", quality=85)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _gallery(pictures: list[tuple[Mistake, np.ndarray]], columns: int) -> bytes:
    from PIL import Image, ImageDraw

    gap, caption = 10, 28
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    width, height = TILE + gap, TILE + caption + gap
    sheet = Image.new("RGB", (columns * width + gap, rows * height + gap), "white")
    pen = ImageDraw.Draw(sheet)
    for index, (mistake, pixels) in enumerate(pictures):
        left, top = gap + index % columns * width, gap + index // columns * height
        image = Image.fromarray(np.ascontiguousarray(pixels))
        sharp = Image.Resampling.NEAREST if max(image.size) <= 64 else Image.Resampling.BILINEAR
        factor = TILE / max(image.size)
        image = image.resize(
            (max(1, round(image.width * factor)), max(1, round(image.height * factor))), sharp
        )
        sheet.paste(image, (left, top))
        for line, text in enumerate(
            (f"true {_caption(mistake.true)}", f"said {_caption(mistake.predicted)}")
        ):
            pen.text((left, top + TILE + 2 + 12 * line), text[:17], fill="#333a41")
    buffer = io.BytesIO()
    sheet.save(buffer, "png", compress_level=3)
    return buffer.getvalue()


def _caption(value: object) -> str:
    if isinstance(value, list):
        return f"{len(value)} objects"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
