"""What the checks look at: raw and stored columns, splits, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trainwright.data.blocks import BlockValues, evenly_spaced
from trainwright.data.columns import PlannedColumn
from trainwright.data.types import Dropped, PreparedData, Processor, Source, Values

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class CheckedColumn:
    """A column of the recipe.

    Attributes:
        name: Its name in the recipe.
        type: `image`, `number`, ...
        is_target: Whether it is to be predicted.
        values: Raw values of all rows.
        stored: Stored values `[N, ...]`, None where they are decoded on the fly.
        processor: Its fitted processor.
        parts: Columns of the source that it is made of.
    """

    name: str
    type: str
    is_target: bool
    values: Values
    stored: np.ndarray | None
    processor: Processor
    parts: list[str]

    @property
    def where(self) -> str:
        """Its key path in the recipe."""
        return f"data.{'targets' if self.is_target else 'inputs'}.{self.name}"


class Subject:
    """Prepared data as checks see them.

    Args:
        data: Prepared data; samples that could not be read may be among those dropped.
        allowed: Whether the recipe lets as many samples be dropped.
        thorough: Everything is compared with everything; else what costs little.
    """

    def __init__(self, data: PreparedData, *, allowed: bool = True, thorough: bool = True) -> None:
        assert data.source is not None
        self.source: Source = data.source
        self.splits: dict[str, Rows] = data.splits
        self.names: Sequence[str] = data.names
        self.groups: Values | None = data.groups
        self.allowed, self.thorough = allowed, thorough
        self.left_out = {item.row for item in data.left_out}
        self.dropped: list[Dropped] = [item for item in data.dropped if item not in data.left_out]
        self.columns = [_checked(column, data) for column in data.columns]

    def __len__(self) -> int:
        return len(self.source)

    @cached_property
    def split_names(self) -> list[str]:
        """Splits in the order of trust: what is kept where one of two rows has to go."""
        order = ["test", "val", "train"]
        return sorted(self.splits, key=lambda name: order.index(name) if name in order else -1)

    @cached_property
    def split_of(self) -> npt.NDArray[np.int8]:
        """Place in `split_names` of every row's split, -1 where it is in none."""
        places = np.full(len(self), -1, dtype=np.int8)  # of ten million rows, too
        for place, name in enumerate(self.split_names):
            places[self.splits[name]] = place
        return places

    @cached_property
    def rows(self) -> Rows:
        """Rows that are in a split, sorted."""
        return np.flatnonzero(self.split_of >= 0)

    def split_name(self, row: int) -> str:
        """Name of a row's split."""
        place = int(self.split_of[row])
        return self.split_names[place] if place >= 0 else "no split"

    def of_type(self, *types: str) -> Iterator[CheckedColumn]:
        """Columns of some types."""
        return (column for column in self.columns if column.type in types)

    def sample(self, rows: Rows, most: int) -> Rows:
        """All of the rows, or as many of them as may be, at equal distances."""
        return evenly_spaced(rows, most)

    def raw(self, values: Values, rows: Rows) -> Values:
        """Raw values of sorted rows; of a table in blocks, every block is read once."""
        if isinstance(values, BlockValues):
            return values.take(rows)
        return [values[row] for row in rows.tolist()]


def _checked(column: PlannedColumn, data: PreparedData) -> CheckedColumn:
    return CheckedColumn(
        column.name,
        column.processor.type,
        column.is_target,
        column.values,
        data.arrays.get(column.name),
        column.processor,
        column.parts,
    )
