"""A torch-style Dataset, read once into memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from trainwright.data.sources.arrays import ArraysSource
from trainwright.errors import DataError


class DatasetSource(ArraysSource):
    """Anything with `__len__` and `__getitem__` whose items are `(x, y, ...)` or mappings.

    Every item is read once, before training, so random transforms inside the dataset are frozen: leave
    them out and give the recipe `augment` instead.

    Args:
        data: The dataset, or a mapping of splits to datasets. Given by the tool.
        columns: Names of the parts of a tuple item; `x`, `y` (then `column2`, ...) when absent.
    """

    def __init__(self, data: Any = None, *, columns: list[str] | None = None) -> None:
        if data is None:
            raise DataError(
                "the dataset source needs a dataset",
                where="data.source",
                fix="call train(recipe, data=dataset)",
            )
        if isinstance(data, Mapping):
            super().__init__({split: materialise(part, columns) for split, part in data.items()})
        else:
            super().__init__(materialise(data, columns))


def materialise(dataset: Any, columns: list[str] | None) -> dict[str, Any]:
    """All items of a dataset as columns.

    Args:
        dataset: Has `__len__` and `__getitem__`.
        columns: Names of the parts of a tuple item.

    Raises:
        DataError: It is empty, an item cannot be read, or its items differ in their parts.
    """
    parts: dict[str, list[Any]] = {}
    for index in range(len(dataset)):
        item = _named(_item(dataset, index), columns)
        if index and list(item) != list(parts):
            raise DataError(
                f"item {index} has parts {', '.join(item)} where item 0 has {', '.join(parts)}",
                where="data",
                fix="give every item the same parts",
            )
        for name, value in item.items():
            parts.setdefault(name, []).append(_plain(value))
    if not parts:
        raise DataError("the dataset is empty", where="data", fix="give a dataset with items")
    return {name: _stacked(values) for name, values in parts.items()}


def _item(dataset: Any, index: int) -> Any:
    try:
        return dataset[index]
    except Exception as error:  # whatever a user's dataset raises is told with the item that it came from
        raise DataError(
            f"item {index} of the dataset cannot be read",
            where="data",
            why=f"{type(error).__name__}: {error}",
            fix=f"look at dataset[{index}]",
        ) from error


def _named(item: Any, columns: list[str] | None) -> Mapping[str, Any]:
    if isinstance(item, Mapping):
        return item
    if not isinstance(item, tuple | list):
        raise DataError(
            f"an item of type {type(item).__name__} is neither (x, y) nor a mapping",
            where="data",
            fix="let __getitem__ give (x, y) or a mapping of columns",
        )
    names = columns or ["x", "y", *(f"column{place}" for place in range(2, len(item)))]
    if len(names) < len(item):
        raise DataError(
            f"items have {len(item)} parts, but {len(names)} columns are named",
            where="data",
            fix="name a column of the recipe for each part",
        )
    return dict(zip(names, item, strict=False))


def _plain(value: Any) -> Any:
    return value.detach().cpu().numpy() if hasattr(value, "detach") else value


def _stacked(values: list[Any]) -> Any:
    """One array where all values have one shape, else the list as it is (pictures of several sizes)."""
    if isinstance(values[0], np.ndarray | np.generic | int | float) and not isinstance(values[0], bool):
        shapes = {np.shape(value) for value in values}
        if len(shapes) == 1:
            return np.stack([np.asarray(value) for value in values])
    return values
