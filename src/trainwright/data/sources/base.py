"""What the sources share."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TypeVar, overload

import numpy as np

from trainwright.data.types import Role, Values
from trainwright.errors import DataError, closest, closest_sibling

Item = TypeVar("Item", covariant=True)


class LazySequence(Sequence[Item]):
    """A sequence whose items are made when they are asked for.

    Args:
        length: Number of items.
        make: Gives the item at an index from 0 to length - 1.
    """

    def __init__(self, length: int, make: Callable[[int], Item]) -> None:
        self._length, self._make = length, make

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Item: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Item]: ...
    def __getitem__(self, index: int | slice) -> Item | Sequence[Item]:
        if isinstance(index, slice):
            return [self._make(place) for place in range(*index.indices(self._length))]
        place = int(index)
        if not -self._length <= place < self._length:
            raise IndexError(f"index {place} of {self._length} items")
        return self._make(place % self._length)

    def __iter__(self) -> Iterator[Item]:
        return map(self._make, range(self._length))


class BaseSource:
    """A source without splits, notices or faults, whose rows are named by their number.

    Attributes:
        advice: What to do when a column is not there, where the source knows a likely reason.
    """

    columns: dict[str, Role]
    notices: Sequence[str] = ()
    faults: Sequence[tuple[str, str]] = ()
    slow_columns: Collection[str] = ()
    advice: str = ""

    def __len__(self) -> int:
        raise NotImplementedError

    def column(self, name: str) -> Values:
        """All raw values of one column."""
        raise NotImplementedError

    def splits(self) -> dict[str, np.ndarray] | None:
        """Row numbers per split, None where the source knows none."""
        return None

    def sample_names(self) -> Sequence[str]:
        """A readable name per row."""
        return LazySequence(len(self), lambda row: f"row {row}")

    def files(self) -> list[Path]:
        """Every file that the source reads."""
        return []

    def require(self, name: str) -> str:
        """The column's name, or a `DataError` that lists the columns there are."""
        if name in self.columns:
            return name
        near = closest(name, self.columns)
        raise DataError(
            f"there is no column {name!r}",
            where="data",
            why=f"the source has {', '.join(self.columns)}",
            fix=f"did you mean {near!r}?" if near else "name one of these with `column:`",
        )


def existing(path: str, where: str) -> Path:
    """The path, with `~` expanded. Raises `DataError` where nothing is there."""
    found = Path(path).expanduser()
    if not found.exists():
        near = closest_sibling(found)
        raise DataError(
            f"{found} does not exist",
            where=where,
            why=f"looked from {Path.cwd()}" if not found.is_absolute() else "",
            fix=f"did you mean {near}?" if near else "give the path of the data",
        )
    return found
