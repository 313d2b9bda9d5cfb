"""Series in a table: rows that follow each other in time, cut into windows; or one series a row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.sources.base import BaseSource, LazySequence
from trainwright.data.sources.file_set import count_words, in_split_order
from trainwright.data.sources.table import TableSource
from trainwright.data.sources.windows import majority, splits_by_time, window_starts
from trainwright.data.types import Role, Values
from trainwright.errors import DataError, RecipeError
from trainwright.fields import NonNegativeInt, OpenFraction, PositiveInt

Numbers = npt.NDArray[np.float64]
DEAD_WHEN = {
    "SeriesSource": {
        "label_rule": "label == None or window == None",
        "stride": "window == None",
        "horizon": "window == None",
        "gap": "not horizon",
    }
}


class SeriesSource(BaseSource):
    """Windows of series whose time steps are the rows of a CSV, TSV or Parquet file.

    Columns:
        series: float64 `[T, K]`, K the number of value columns; NaN where a value is missing.
        label: Class of the window, where `label` names a column.
        future: The next values, float64 `[horizon * K]` step by step, where there is a `horizon`.

    Args:
        path: The file.
        values: Columns of numbers that are the channels; all that no other parameter names when absent.
        window: Steps of a window; a whole series is one sample when absent.
        stride: Steps from one window to the next; when absent 1 with a horizon, else the window.
        horizon: Steps behind the window that are to be forecast.
        gap: Steps between the window and the first one to be forecast.
        label: Column of classes.
        label_rule: The window's class is the most frequent one of its steps, or that of its last or middle.
        time: Column that the rows are ordered by; they must be, within each series.
        series: Column that tells which series a row belongs to; no window reaches over two.
        delimiter: Between fields, as in the table source.
        val: Share of every series before its test part that is for validation.
        test: Share at the end of every series that is for testing. Windows across a border are left out;
            a forecast counts by the values that are forecast, and may look back over the border.
    """

    def __init__(
        self,
        *,
        path: str,
        values: list[str] | None = None,
        window: PositiveInt | None = None,
        stride: PositiveInt | None = None,
        horizon: NonNegativeInt = 0,
        gap: NonNegativeInt = 0,
        label: str | None = None,
        label_rule: Literal["majority", "last", "center"] = "majority",
        time: str | None = None,
        series: str | None = None,
        delimiter: str | None = None,
        val: OpenFraction = 0.0,
        test: OpenFraction = 0.0,
    ) -> None:
        self._check(window, horizon, val, test)
        self._table = TableSource(path=path, delimiter=delimiter)
        self.faults = self._table.faults
        self._horizon, self._gap, self._label_rule = horizon, gap, label_rule
        self._numbers, channels = self._values(values, [name for name in (label, time, series) if name])
        self._classes = None if label is None else np.asarray(self._table.column(label))
        self._notes: Counter[str] = Counter()
        self._starts: list[int] = []
        self._stops: list[int] = []
        split_words: list[str] = []
        for first, last in self._series(series, time):
            reach = (window or last - first) + (gap + horizon if horizon else 0)
            step = stride or (1 if horizon else window or last - first)
            starts = window_starts(last - first, reach, step)
            split_words += self._keep(first, starts, reach, last - first, (val, test))
        if not self._starts:
            raise DataError(
                f"no series has the {window} steps of a window"
                + (f" and {horizon} behind it" if horizon else ""),
                where=path,
                why=f"there are {len(self._table)} rows",
                fix="give a shorter window or horizon",
            )
        self._splits = _rows_of(split_words) if val or test else None
        self.columns: dict[str, Role] = {"series": "series"}
        self.columns |= {"label": "category"} if label is not None else {}
        self.columns |= {"future": "number"} if horizon else {}
        self.notices = [
            f"{len(self)} windows of {', '.join(channels)}"
            if window
            else f"{len(self)} series of {', '.join(channels)}",
            *self._table.notices,
            *count_words(self._notes),
        ]

    def __len__(self) -> int:
        return len(self._starts)

    def column(self, name: str) -> Values:
        """Windows, one array `[N, T, K]` where all have one length; labels; or the values behind them."""
        self.require(name)
        if name == "label":
            return np.array([self._label_of(row) for row in range(len(self))], dtype=object)
        if name == "future":
            firsts = np.array(self._stops) + self._gap
            places = firsts[:, None] + np.arange(self._horizon)
            return self._numbers[places].reshape(len(self), -1)
        return LazySequence(len(self), lambda row: self._numbers[self._starts[row] : self._stops[row]])

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows by time, None without `val` and `test`."""
        return self._splits

    def sample_names(self) -> Sequence[str]:
        """Name of the table's row where the window begins, such as `solar.csv:2`."""
        names = self._table.sample_names()
        return LazySequence(len(self), lambda row: names[self._starts[row]])

    def files(self) -> list[Path]:
        """The table."""
        return self._table.files()

    def _check(self, window: int | None, horizon: int, val: float, test: float) -> None:
        if window is None and (horizon or val or test):
            raise RecipeError(
                "a horizon, and parts by time, need a window",
                where="data.source.window",
                fix="give the number of steps that one sample has",
            )
        if val + test >= 1:
            raise RecipeError(
                "val and test leave nothing to train on", where="data.source", fix="lower val or test"
            )

    def _values(self, wanted: list[str] | None, named: list[str]) -> tuple[Numbers, list[str]]:
        """Values `[rows, K]` of the channels, and their names."""
        for name in [*(wanted or []), *named]:
            self._table.require(name)
        if wanted is None:
            rest = [name for name in self._table.columns if name not in named]
            wanted = [name for name in rest if np.asarray(self._table.column(name)).dtype.kind in "iufb"]
        if not wanted:
            raise DataError(
                "no column holds numbers",
                where=str(self._table.files()[0]),
                fix="name the columns of the series, or check the delimiter",
            )
        columns = []
        for name in wanted:
            column = np.asarray(self._table.column(name))
            if column.dtype.kind not in "iufb":
                raise DataError(
                    f"column {name!r} holds texts",
                    where=str(self._table.files()[0]),
                    fix="leave the column out of the series",
                )
            columns.append(column.astype(np.float64))
        return np.column_stack(columns), wanted

    def _series(self, column: str | None, time: str | None) -> list[tuple[int, int]]:
        """First row of each series, and the one behind its last."""
        borders = [0, len(self._table)]
        if column is not None:
            keys = np.asarray(self._table.column(column))
            borders = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist(), len(keys)]
            begun = keys[borders[:-1]].tolist()
            if len(set(begun)) < len(begun):
                again = next(name for name, count in Counter(begun).items() if count > 1)
                raise DataError(
                    f"the rows of series {again!r} do not lie together",
                    where=f"{self._table.files()[0]}, column {column}",
                    fix="sort the table by series, then by time",
                )
        pairs = list(pairwise(borders))
        if time is not None:
            self._check_order(np.asarray(self._table.column(time)), time, pairs)
        return pairs

    def _check_order(self, times: np.ndarray, name: str, pairs: list[tuple[int, int]]) -> None:
        for first, last in pairs:
            part = times[first:last]
            try:
                wrong = np.flatnonzero(~(part[1:] > part[:-1]))
            except TypeError:
                raise DataError(
                    f"column {name!r} has gaps, so that it orders nothing",
                    where=name,
                    fix="fill the gaps, or order by another column",
                ) from None
            if len(wrong):
                raise DataError(
                    f"{part[wrong[0] + 1]} does not come after {part[wrong[0]]}",
                    where=f"{self._table.sample_names()[first + int(wrong[0]) + 1]}, column {name}",
                    fix="sort the table by time, and keep one row a step",
                )

    def _keep(
        self, first: int, starts: npt.NDArray[np.int64], reach: int, total: int, parts: tuple[float, float]
    ) -> list[str]:
        """Takes the windows of one series in that lie in one split, and gives the names of these."""
        # What is forecast must not reach into another split; what it is forecast from is past by then.
        learned = starts + reach - self._horizon if self._horizon else starts
        words = np.full(len(starts), "", dtype=object)
        for name, mask in splits_by_time(learned, starts + reach, total, *parts).items():
            words[mask] = name
        crossing = int((words == "").sum())
        if crossing:
            self._notes["windows lie across the border of two splits and were left out"] += crossing
        kept = first + starts[words != ""]
        behind = self._gap + self._horizon if self._horizon else 0
        self._starts += kept.tolist()
        self._stops += (kept + reach - behind).tolist()
        found: list[str] = words[words != ""].tolist()
        return found

    def _label_of(self, row: int) -> object:
        assert self._classes is not None
        start, stop = self._starts[row], self._stops[row]
        if self._label_rule == "majority":
            return majority(self._classes[start:stop])
        return self._classes[stop - 1 if self._label_rule == "last" else (start + stop) // 2]


def _rows_of(words: list[str]) -> dict[str, np.ndarray]:
    array = np.array(words, dtype=object)
    return {name: np.flatnonzero(array == name) for name in in_split_order(words)}
