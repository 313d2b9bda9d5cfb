"""What sources share that gather their rows file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from trainwright.data.sources.base import BaseSource
from trainwright.data.sources.file_set import in_split_order
from trainwright.data.types import RawFile, Values
from trainwright.errors import DataError
from trainwright.wording import with_count


class GatheredSource(BaseSource):
    """Rows with names, perhaps in splits, and values per column.

    A subclass fills the attributes while it looks at the files, and calls `finish` at the end.

    Attributes:
        names: A name per row.
        values: Column -> values of all rows.
        faults: Records that are no rows, with the reason.
    """

    def __init__(self) -> None:
        self.names: list[str] = []
        self.values: dict[str, Values] = {}
        self.faults: list[tuple[str, str]] = []
        self.notices: list[str] = []
        self._notes: Counter[str] = Counter()
        self._split_rows: dict[str, list[int]] = {}
        self._extra_files: list[Path] = []

    def __len__(self) -> int:
        return len(self.names)

    def column(self, name: str) -> Values:
        """All raw values of one column."""
        return self.values[self.require(name)]

    def splits(self) -> dict[str, npt.NDArray[np.int64]] | None:
        """Rows of the splits that the data bring, None where they bring none."""
        return {
            name: np.array(self._split_rows[name], dtype=np.int64)
            for name in in_split_order(self._split_rows)
            if self._split_rows[name]
        } or None

    def sample_names(self) -> Sequence[str]:
        """Names of the files relative to the root."""
        return self.names

    def files(self) -> list[Path]:
        """Annotations, and the files behind all columns."""
        found = dict.fromkeys(self._extra_files)
        for values in self.values.values():
            if isinstance(values, list):
                found |= {Path(value.path): None for value in values if isinstance(value, RawFile)}
        return list(found)

    def put_in_split(self, split: str | None, row: int) -> None:
        """Notes the split of a row, if it has any."""
        if split:
            self._split_rows.setdefault(split, []).append(row)

    def finish(self, where: str, looked_for: str) -> None:
        """Settles notices. Raises `DataError` where no row is left."""
        split = sum(map(len, self._split_rows.values()))
        if split and split < len(self):
            self._notes["samples are in none of the splits"] += len(self) - split
        self.notices = [
            *self.notices,
            *(with_count(count, text) for text, count in self._notes.items() if count),
        ]
        if not self.names:
            why = "; ".join(f"{name}: {reason}" for name, reason in self.faults[:5])
            raise DataError(
                "there are no samples",
                where=where,
                why=why or looked_for,
                fix="check the place and the names of the files",
            )
