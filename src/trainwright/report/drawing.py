"""A grid of samples as they are read: pictures with what is annotated in them, curves, and words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from trainwright.data.objects import Objects

SIDE = 200  # pixels of a tile's longer side
_GAP, _LINE = 10, 13
_WIDTH = 33  # characters of a caption's line
COLOURS = (
    (230, 80, 30),
    (0, 114, 200),
    (0, 150, 110),
    (200, 60, 150),
    (190, 130, 0),
    (110, 80, 210),
    (90, 150, 30),
    (200, 40, 60),
)
_INK, _PALE = (51, 58, 65), (223, 227, 230)


@dataclass(frozen=True)
class Tile:
    """One sample.

    Attributes:
        caption: Lines below it.
        pixels: Picture uint8 `[H, W, C]`, None for none.
        objects: What is annotated in the picture, in its pixels.
        classes: Names of all classes, whose places decide their colours.
        mask: Class ids `[H, W]`; `void` is left clear.
        void: Id of the mask that means nothing.
        curves: Series `[T, K]`, drawn in place of a picture.
        beside: Further pictures, drawn to the right of the first.
    """

    caption: Sequence[str]
    pixels: npt.NDArray[np.uint8] | None = None
    objects: Objects | None = None
    classes: Sequence[str] = ()
    mask: npt.NDArray[np.int64] | None = None
    void: int = 255
    curves: npt.NDArray[np.float64] | None = None
    beside: Sequence[npt.NDArray[np.uint8]] = ()


def draw_grid(tiles: Sequence[Tile], columns: int = 6, side: int = SIDE) -> bytes:
    """The tiles as one PNG.

    Args:
        tiles: At least one.
        columns: Pictures in a row.
        side: Longer side of a picture in pixels.
    """
    pictures = max(1 + len(tile.beside) for tile in tiles)
    columns = max(1, min(columns // pictures, len(tiles)))
    drawn = [_tile(tile, side) for tile in tiles]
    lines = max(len(tile.caption) for tile in tiles)
    # No narrower than the captions are long.
    width = max(SIDE, *(image.width for image in drawn)) + _GAP
    height = max(image.height for image in drawn) + lines * _LINE + _GAP
    rows = -(-len(tiles) // columns)
    sheet = Image.new("RGB", (columns * width + _GAP, rows * height + _GAP), "white")
    pen = ImageDraw.Draw(sheet)
    for place, (tile, image) in enumerate(zip(tiles, drawn, strict=True)):
        left, top = _GAP + place % columns * width, _GAP + place // columns * height
        sheet.paste(image, (left, top))
        for line, text in enumerate(tile.caption):
            pen.text((left, top + image.height + 2 + line * _LINE), printable(text), fill=_INK)
    file = io.BytesIO()
    sheet.save(file, "png", compress_level=3)
    return file.getvalue()


def _tile(tile: Tile, side: int) -> Image.Image:
    if tile.pixels is not None:
        return _in_a_row([_picture(tile, side), *(_picture(Tile((), other), side) for other in tile.beside)])
    if tile.curves is not None and tile.curves.size:
        return _curves(tile.curves, side)
    return Image.new("RGB", (side, 2), _PALE)


def _in_a_row(pictures: Sequence[Image.Image]) -> Image.Image:
    if len(pictures) == 1:
        return pictures[0]
    width = sum(picture.width + _GAP for picture in pictures) - _GAP
    row = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width + _GAP
    return row


def _picture(tile: Tile, side: int) -> Image.Image:
    assert tile.pixels is not None
    pixels = tile.pixels if tile.pixels.ndim == 3 else tile.pixels[..., None]
    pixels = np.repeat(pixels[..., :1], 3, axis=2) if pixels.shape[2] < 3 else pixels[..., :3]
    if tile.mask is not None:
        pixels = with_classes(pixels, tile.mask, tile.void)
    image = Image.fromarray(np.ascontiguousarray(pixels))
    scale = side / max(image.size)
    method = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    shown = image.resize(size, method)
    if tile.objects is not None:
        _draw_objects(shown, tile.objects, tile.classes, scale)
    return shown


def with_classes(
    pixels: npt.NDArray[np.uint8], mask: npt.NDArray[np.int64], void: int
) -> npt.NDArray[np.uint8]:
    """Pixels `[H, W, 3]` under half-transparent colours of their classes `[H, W]`; only void stays clear."""
    # In bytes: a photo of 20 megapixels takes half a gigabyte as floats.
    colours = np.array(COLOURS, dtype=np.uint8)[mask % len(COLOURS)]
    return np.where((mask != void)[..., None], pixels // 2 + colours // 2, pixels)


def _draw_objects(image: Image.Image, objects: Objects, classes: Sequence[str], scale: float) -> None:
    pen = ImageDraw.Draw(image, "RGBA")
    names = [*classes, *sorted(set(objects.labels) - set(classes))]
    for place, label in enumerate(objects.labels):
        colour = COLOURS[names.index(label) % len(COLOURS)]
        segment = objects.segments[place] if objects.segments else None
        if isinstance(segment, np.ndarray):
            layer = Image.fromarray((segment * 110).astype(np.uint8)).resize(image.size)
            image.paste(Image.new("RGB", image.size, colour), mask=layer)
        box = [float(value) * scale for value in objects.boxes[place]]
        if np.isfinite(box).all() and box[2] >= box[0] and box[3] >= box[1]:
            pen.rectangle(box, outline=colour, width=2)
            pen.text((box[0] + 3, box[1] + 1), printable(label), fill=colour)
        if objects.keypoints is not None:
            _draw_points(pen, objects, place, scale, colour)


def _draw_points(
    pen: ImageDraw.ImageDraw, objects: Objects, place: int, scale: float, colour: tuple[int, int, int]
) -> None:
    keypoints = objects.keypoints
    assert keypoints is not None
    points = keypoints.points[place]
    there = points[:, 2] > 0
    for first, second in keypoints.edges:
        if there[first] and there[second]:
            ends = [(float(points[end, 0]) * scale, float(points[end, 1]) * scale) for end in (first, second)]
            pen.line(ends, fill=colour, width=1)
    for x, y, _ in points[there]:
        pen.ellipse((x * scale - 2, y * scale - 2, x * scale + 2, y * scale + 2), fill=colour)


def _curves(values: npt.NDArray[np.float64], side: int) -> Image.Image:
    """Every channel as a line over its steps, on one common scale."""
    values = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    image = Image.new("RGB", (side, side // 2), "white")
    pen = ImageDraw.Draw(image)
    pen.rectangle((0, 0, image.width - 1, image.height - 1), outline=_PALE)
    finite = values[np.isfinite(values)]
    if not finite.size:
        return image
    low, high = finite.min(), finite.max()
    across = np.linspace(2, image.width - 3, len(values))
    for channel in range(values.shape[1]):
        down = (image.height - 4) * (1 - (values[:, channel] - low) / max(high - low, 1e-12)) + 2
        known = np.isfinite(down)
        points = list(zip(across[known].tolist(), down[known].tolist(), strict=True))
        if len(points) > 1:
            pen.line(points, fill=COLOURS[channel % len(COLOURS)], width=1)
    return image


def printable(text: str) -> str:
    """A caption's line, in the letters that Pillow's own font has."""
    short = text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}..."
    return short.encode("latin-1", "replace").decode("latin-1")
