"""From the recipe's data section to a source and one processor per column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trainwright import registry
from trainwright.data.blocks import BlockValues, JoinedBlocks, side_by_side
from trainwright.data.sources.arrays import ArraysSource, is_data_frame, is_split_mapping
from trainwright.data.sources.base import LazySequence
from trainwright.data.sources.dataset import DatasetSource
from trainwright.data.types import Beside, Processor, Source, Values
from trainwright.errors import DataError, RecipeError, closest

if TYPE_CHECKING:
    from trainwright.recipe.schema import Column, Data


@dataclass
class PlannedColumn:
    """A column of the recipe: where it comes from and what is made of it.

    Attributes:
        name: Its name in the recipe.
        is_target: Whether it is to be predicted.
        processor: Its processor.
        parts: Columns of the source that it is made of.
        source: The source.
        picture: The image column in whose pixel space it lives.
    """

    name: str
    is_target: bool
    processor: Processor
    parts: list[str]
    source: Source
    picture: PlannedColumn | None = None

    @cached_property
    def values(self) -> Values:
        """Raw values of all rows `[N]`, or `[N, K]` where several columns are joined."""
        if len(self.parts) > 1:
            return _join([self.source.column(part) for part in self.parts])
        values = self.source.column(self.parts[0])
        if self.picture is None or not getattr(self.processor, "reads_picture", False):
            return values
        pictures = self.picture.values
        return LazySequence(len(values), lambda row: Beside(values[row], pictures[row]))

    @property
    def slow(self) -> bool:
        """Whether its stored values are worth a cache, or too many to hold."""
        heavy = getattr(self.processor, "heavy", False) or isinstance(self.values, BlockValues)
        return heavy or any(part in self.source.slow_columns for part in self.parts)


def build_source(data: Data, memory_data: Any) -> Source:
    """The recipe's source, or one around data in memory.

    Args:
        data: The recipe's data section.
        memory_data: None, or `(x, y)`, a mapping of columns or of splits, a DataFrame, or a dataset.
    """
    if memory_data is None:
        source: Source = registry.build("source", data.source)
        return source
    parts = list(memory_data.values()) if is_split_mapping(memory_data) else [memory_data]
    if all(_is_dataset(part) for part in parts):
        return DatasetSource(memory_data)
    return ArraysSource(memory_data)


def plan_columns(data: Data, source: Source, *, in_memory: bool) -> list[PlannedColumn]:
    """Inputs, then targets, in the recipe's order.

    Args:
        data: The recipe's data section.
        source: The source.
        in_memory: Data given in Python: an unnamed `x` is the first input, `y` the first target.

    Raises:
        DataError: The source lacks a column.
    """
    columns: list[tuple[str, Column]] = [*data.inputs.items(), *data.targets.items()]
    unnamed = {}
    if in_memory:
        unnamed = dict(zip([*list(data.inputs)[:1], *list(data.targets)[:1]], "xy", strict=False))
    planned = []
    for place, (name, column) in enumerate(columns):
        options = column.model_extra or {}
        processor = registry.build("processor", {"name": column.type, **options})
        joined = options.get("columns")
        is_target = place >= len(data.inputs)
        where = key_path(name, is_target=is_target)
        parts = [column_of(source, part, where) for part in joined or ()]
        parts = parts or [column_of(source, column.column or name, where, unnamed.get(name))]
        _name_classes(processor, source, parts[0])
        planned.append(PlannedColumn(name, is_target, processor, parts, source))
    return planned


def _name_classes(processor: Processor, source: Source, part: str) -> None:
    """Tells a processor the classes that the source names, so that a rare one is known from the start."""
    names = tuple(map(str, getattr(source, "class_names", ())))
    ids = tuple(getattr(source, "class_ids", range(len(names))))
    named = getattr(processor, "name_classes", None)
    located = source.columns[part] in ("objects", "mask")
    if named is not None and names and located and ids == tuple(range(len(names))):
        named(names)


def link(columns: list[PlannedColumn]) -> list[PlannedColumn]:
    """Tells every column that lives in a picture's pixel space which picture that is.

    Args:
        columns: The planned columns, with the processors that will be used.

    Returns:
        The columns, each behind its picture.

    Raises:
        RecipeError: There is no such image, or several and none is named.
    """
    images = {column.name: column for column in columns if column.processor.type == "image"}
    inputs = {name: column for name, column in images.items() if not column.is_target}
    for column in columns:
        if getattr(column.processor, "follows_image", False) or _is_partner(column, inputs):
            column.picture = _picture_of(column, inputs)
            _refuse_store(column.picture, column.name)
    for column in inputs.values():
        for other in images.values():
            if other.is_target and _store(other) != _store(column):
                storing = column if _store(column) else other
                _refuse_store(storing, (other if storing is column else column).name)
    return sorted(columns, key=lambda column: column.picture is not None)


def _is_partner(column: PlannedColumn, images: dict[str, PlannedColumn]) -> bool:
    """Whether a column is an image to be made of an image input, and has no size of its own."""
    sizeless = getattr(column.processor, "size", ()) is None or getattr(column.processor, "followed", None)
    if not column.is_target or column.processor.type != "image" or not sizeless:
        return False
    return len(images) == 1 or getattr(column.processor, "image", None) is not None


def _store(column: PlannedColumn) -> tuple[int, int] | None:
    found: tuple[int, int] | None = getattr(column.processor, "store", None)
    return found


def _refuse_store(picture: PlannedColumn, other: str) -> None:
    """Raises `RecipeError` where an image is stored larger than the model reads it."""
    if _store(picture) is not None:
        raise RecipeError(
            f"column {other!r}, which moves with the pixels, is not stored at that size",
            where=f"{key_path(picture.name, is_target=picture.is_target)}.store",
            why="both are cut alike, and so have to be stored alike",
            fix="remove store; for an image target, give both columns the same one",
        )


def _picture_of(column: PlannedColumn, images: dict[str, PlannedColumn]) -> PlannedColumn:
    named = getattr(column.processor, "image", None)
    if named in images:
        return images[named]
    if named is None and len(images) == 1:
        return next(iter(images.values()))
    where = key_path(column.name, is_target=column.is_target)
    why = f"a column of type {column.processor.type} lives in the pixels of an image input"
    listed = ", ".join(images)
    if named is not None:
        near = closest(str(named), images)
        fix = f"did you mean {near!r}?" if near else f"image inputs: {listed or 'none'}"
        raise RecipeError(f"there is no image input {named!r}", where=f"{where}.image", why=why, fix=fix)
    if not images:
        raise RecipeError("there is no image input", where=where, why=why, fix="add one to data.inputs")
    fix = f"name one of them with `image`: {listed}"
    raise RecipeError("there are several image inputs", where=where, why=why, fix=fix)


def _is_dataset(part: Any) -> bool:
    known = isinstance(part, Mapping | tuple | list) or is_data_frame(part)
    return not known and hasattr(part, "__len__") and hasattr(part, "__getitem__")


def key_path(name: str, *, is_target: bool) -> str:
    """Where a column stands in the recipe."""
    return f"data.{'targets' if is_target else 'inputs'}.{name}"


def column_of(source: Source, name: str, where: str, otherwise: str | None = None) -> str:
    """Name of a column that the source has: `name`, or else `otherwise`.

    Raises:
        DataError: It has neither; `where` is the key path that asks for it.
    """
    if name in source.columns:
        return name
    if otherwise in source.columns:
        return str(otherwise)
    near = closest(name, source.columns)
    advice = getattr(source, "advice", "")
    fix = f"did you mean {near!r}?" if near else "name one of these with `column:`"
    raise DataError(
        f"the source has no column {name!r}",
        where=where,
        why=f"it has {', '.join(source.columns)}",
        fix=f"{advice}; else {fix}" if advice else fix,
    )


def _join(parts: list[Values]) -> Values:
    in_blocks = [part for part in parts if isinstance(part, BlockValues)]
    alike = len({part.starts.tobytes() for part in in_blocks}) == 1
    return JoinedBlocks(in_blocks) if len(in_blocks) == len(parts) and alike else side_by_side(parts)
