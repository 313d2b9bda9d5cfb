"""Samples as a training gets them, drawn as one picture to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from trainwright import recipe as recipes
from trainwright.data.addressed import key, order
from trainwright.data.batch import Batch
from trainwright.data.objects import Objects
from trainwright.data.types import PreparedData, Processor
from trainwright.engine.build import build_loader, build_store
from trainwright.engine.runtime import Execution
from trainwright.errors import DataError, UserError, closest
from trainwright.progress import NoProgress
from trainwright.report.drawing import SIDE, Tile, draw_grid
from trainwright.runs.atomic import write_bytes
from trainwright.workflows.describing import Given, describe
from trainwright.workflows.training import load_data

_SHOWN_NUMBERS = 4
_LEAST_TILE, _LARGEST_TILE = 16, 2048


def show_data(
    given: Given,
    output: Path,
    overrides: Mapping[str, Any] | Sequence[str] = (),
    *,
    split: str = "train",
    count: int = 24,
    augmented: bool = False,
    tile: int = SIDE,
) -> int:
    """Draws a grid of samples with their targets, from what a model would get of them.

    Args:
        given: A recipe, or a path of data that nobody has described.
        output: The PNG to write.
        overrides: Of the recipe.
        split: Split that the samples are from.
        count: How many; chosen by address, always the same ones.
        augmented: As the first epoch of a training varies them.
        tile: Longer side of a picture in pixels.

    Returns:
        Number of samples drawn.

    Raises:
        UserError: The data cannot be read, or have no such split; the count or the output makes no sense.
        StorageError: The file cannot be written.
    """
    if count < 1:
        raise UserError(f"{count} samples cannot be drawn", where="--count", fix="ask for 1 or more")
    if not _LEAST_TILE <= tile <= _LARGEST_TILE:
        raise UserError(
            f"a picture of {tile} pixels is not drawn",
            where="--tile",
            fix=f"ask for {_LEAST_TILE} to {_LARGEST_TILE}",
        )
    if output.suffix.lower() != ".png":
        raise UserError(f"{output.name!r} is no name of a PNG", where="--output", fix="let it end in .png")
    described = describe(given)
    loaded = recipes.load(described.recipe, overrides)
    with recipes.located(loaded):
        data = load_data(loaded, NoProgress(), whole=described.whole)
        if split not in data.splits:
            near = closest(split, data.splits)
            raise DataError(
                f"the data have no split {split!r}",
                where="--split",
                fix=f"did you mean {near!r}?" if near else f"use one of: {', '.join(data.splits)}",
            )
        if not len(data.splits[split]):
            raise DataError(f"the split {split!r} has no samples to draw", where="--split")
        execution = Execution(device="cpu")
        store = build_store(data, torch.device("cpu"))
        loader = build_loader(loaded.recipe, data, store, split, execution, training=augmented)
        rows = data.splits[split]
        loader.rows = np.sort(rows[order(key("show", 0), rows)[:count]])
        tiles = [tile for batches in loader.batches(0) for batch in batches for tile in _tiles(data, batch)]
    write_bytes(output, draw_grid(tiles, side=tile))
    return len(tiles)


def _tiles(data: PreparedData, batch: Batch) -> list[Tile]:
    values = {**batch.inputs, **batch.targets}
    processors = {**data.inputs, **data.targets}
    return [_tile(data, processors, values, place, int(row)) for place, row in enumerate(batch.ids)]


def _tile(
    data: PreparedData, processors: Mapping[str, Processor], values: Mapping[str, Any], place: int, row: int
) -> Tile:
    """One sample; its pictures, the first with what is annotated in it, and all else in words."""
    shown: dict[str, Any] = {}
    beside: list[Any] = []
    words = [str(data.names[row])]
    for name, processor in processors.items():
        value = values[name]
        one = (
            value[place] if isinstance(value, Tensor) else {part: item[place] for part, item in value.items()}
        )
        decoded = processor.decode(one)
        kind = _kind(processor, decoded)
        if kind and kind not in shown:
            shown[kind] = decoded
            if kind == "mask":
                shown["void"] = getattr(processor, "void_id", 255)
            elif kind == "objects":
                shown["classes"] = processor.spec().classes
        elif kind == "pixels":
            beside.append(decoded)
        elif not kind:
            words.append(f"{name}: {_in_words(decoded)}")
    return Tile(words, beside=beside, **shown)


def _kind(processor: Processor, decoded: Any) -> str:
    """The attribute of a tile that shows the value; empty where words do."""
    if isinstance(decoded, Objects):
        return "objects"
    if processor.type == "mask":
        return "mask"
    array = isinstance(decoded, np.ndarray)
    if array and decoded.ndim == 3 and decoded.dtype == np.uint8:
        return "pixels"
    return "curves" if array and decoded.ndim == 2 else ""


def _in_words(value: Any) -> str:
    if isinstance(value, np.ndarray | list | tuple):
        flat = [_in_words(item) for item in np.asarray(value).ravel()[:_SHOWN_NUMBERS].tolist()]
        return ", ".join(flat) + (" ..." if np.size(value) > _SHOWN_NUMBERS else "")
    return f"{value:.4g}" if isinstance(value, float) else str(value)
