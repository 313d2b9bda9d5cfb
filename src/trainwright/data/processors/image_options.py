"""Parameters of an image column that are settled before any image is seen."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from trainwright.data.processors.image_raw import Look
from trainwright.errors import MissingExtra, RecipeError
from trainwright.wording import counted


def height_and_width(size: int | Sequence[int] | None) -> tuple[int, int] | None:
    """Both of a size that may be one number. Raises `RecipeError`."""
    if size is None:
        return None
    pair = (size, size) if isinstance(size, int) else tuple(size)
    if len(pair) != 2:
        raise RecipeError(
            f"size {list(pair)} is not [height, width]", fix="give two numbers, or one for both"
        )
    return pair[0], pair[1]


def larger_store(
    store: int | Sequence[int] | None, size: tuple[int, int] | None, normalise: object
) -> tuple[int, int] | None:
    """What is stored where that is more than what the model reads. Raises `RecipeError`."""
    stored = height_and_width(store)
    if stored is None or size is None or stored == size:
        return None
    if stored[0] < size[0] or stored[1] < size[1]:
        raise RecipeError(
            f"store {list(stored)} is less than size {list(size)}",
            why="windows of the size are cut out of the stored pixels",
            fix="give a larger store, or none",
        )
    if normalise == "pixel":
        raise RecipeError(
            "normalise: pixel goes with no store",
            why="its statistics are those of every stored pixel, which a window moves elsewhere",
            fix="remove store, or use normalise: dataset",
        )
    return stored


def settle_bands(mode: str, looks: Sequence[Look]) -> tuple[str, int | None]:
    """The mode where it is `auto`, and the number of bands of `bands`.

    Args:
        mode: As the recipe says.
        looks: At some of the training images.

    Raises:
        RecipeError: The recipe says `bands`, and the images differ in their number.
    """
    counts = sorted({seen.bands for seen in looks})
    if mode == "auto" and len(counts) == 1 and counts[0] > 4:
        return "bands", counts[0]
    if mode == "auto":
        return ("gray" if looks and all(seen.mode == "gray" for seen in looks) else "rgb"), None
    if mode != "bands" or not counts:
        return mode, None
    if len(counts) > 1:
        raise RecipeError(
            "the images differ in their number of bands",
            why=f"found {', '.join(map(str, counts[:5]))}",
            fix="give them all the same bands, or use mode: rgb or gray",
        )
    return mode, counts[0]


def check_channels(normalise: object, channels: int) -> None:
    """Refuses a mean and deviation for another number of channels.

    Raises:
        RecipeError: At `.normalise`, below the column that it does not know.
    """
    given = len(normalise["mean"]) if isinstance(normalise, dict) else 1
    if given not in (1, channels):
        mode = {1: "gray", 3: "rgb", 4: "rgba"}.get(given)
        raise RecipeError(
            f"normalise names {given} means for images of {counted(channels, 'channel')}",
            where=".normalise",
            why="each channel has its own mean and deviation, or all have the same",
            fix=f"give {channels} of each, or one" + (f"; or mode: {mode}" if mode else ""),
        )


def refuse_own_scale(normalise: object) -> None:
    """Refuses a target whose pictures, or pixels, are normalised each by itself. Raises `RecipeError`."""
    if normalise in ("local_max", "integral", "pixel"):
        raise RecipeError(
            f"pictures normalised by `{normalise}` cannot be a target",
            where="data.targets",
            why="an answer of the model could not be brought back to pixels from 0 to 255",
            fix="use normalise: unit",
        )


def choose_decoder(asked: str) -> str:
    """`simplejpeg` or `pillow`. Raises `MissingExtra`."""
    installed = importlib.util.find_spec("simplejpeg") is not None
    if asked == "simplejpeg" and not installed:
        raise MissingExtra("simplejpeg", "jpeg")
    return "simplejpeg" if installed and asked != "pillow" else "pillow"
