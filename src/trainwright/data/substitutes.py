"""Rows that stand in for samples which could be read when the data were prepared, and cannot be now.

Data that are decoded on the fly may fail in mid-training. Under `on_bad: {policy: skip}` another row of the
same split takes the place, with its own label: epochs keep their length and the training goes on. Which one
is a function of (seed, row), and a row that was found bad stays so for the rest of the run: the state is
saved with every checkpoint, so a resume repeats it, even where the file has come back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainwright.data import addressed
from trainwright.data.types import Dropped
from trainwright.errors import RunError

_MOST_TRIES = 100


class Substitutes:
    """Bad rows found so far, and what stands in for them.

    Args:
        splits: Split -> its rows, those that were bad from the start left out.
        names: Sample names by row.
        seed: Address of the choice.
        allowed: Number of rows that may be found bad.
    """

    def __init__(
        self, splits: Mapping[str, np.ndarray], names: Sequence[str], seed: int, allowed: int
    ) -> None:
        self._splits, self._names, self._seed, self._allowed = splits, names, seed, allowed
        self._bad: dict[int, tuple[str, str]] = {}

    def __len__(self) -> int:
        return len(self._bad)

    def report(self, row: int, column: str, reason: str) -> None:
        """Marks a row as bad from now on.

        Raises:
            RunError: More rows are bad than may be.
        """
        if row in self._bad:
            return
        self._bad[row] = (column, reason)
        if len(self._bad) > self._allowed:
            shown = "; ".join(f"{item.name}: {item.reason}" for item in self.dropped()[:5])
            raise RunError(
                f"{len(self._bad)} samples became unreadable in training, {self._allowed} may be skipped",
                where="data.on_bad.limit",
                why=shown,
                fix="mend the files or their store and resume, or raise the limit",
            )

    def replaced(self, rows: np.ndarray) -> np.ndarray:
        """The rows `[n]` with every bad one replaced by its substitute; the same array where none is."""
        if not self._bad or not any(row in self._bad for row in rows.tolist()):
            return rows
        return np.array([self._stand_in(row) for row in rows.tolist()], dtype=np.int64)

    def dropped(self) -> list[Dropped]:
        """Every bad row, in the order of their numbers."""
        return [
            Dropped(row, self._names[row], column, f"{reason} (found in training)")
            for row, (column, reason) in sorted(self._bad.items())
        ]

    def state_dict(self) -> dict[str, Any]:
        """Row -> column and reason."""
        return {"bad": [[row, *why] for row, why in sorted(self._bad.items())]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Puts the bad rows back."""
        self._bad = {int(row): (str(column), str(reason)) for row, column, reason in state["bad"]}

    def _stand_in(self, row: int) -> int:
        if row not in self._bad:
            return row
        rows = next(rows for rows in self._splits.values() if _holds(rows, row))
        key = addressed.key("substitute", self._seed)
        for place in addressed.integers(key, [row], len(rows), _MOST_TRIES)[0].tolist():
            if int(rows[place]) not in self._bad:
                return int(rows[place])
        raise RunError(
            "nearly all samples of a split have become unreadable", where="data", why=self._names[row]
        )


def _holds(rows: np.ndarray, row: int) -> bool:
    """Whether a row is among those of a split, which are sorted."""
    place = int(np.searchsorted(rows, row))
    return place < len(rows) and int(rows[place]) == row
