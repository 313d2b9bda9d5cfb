"""Records of PhysioNet's WFDB format, cut into windows that are labelled by their annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from trainwright.data.processors.category import natural_key
from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.file_set import count_words, in_split_order
from trainwright.data.sources.wfdb_header import WfdbHeader, read_wfdb_header
from trainwright.data.sources.wfdb_record import AAMI, BEATS, read_annotations, read_signals
from trainwright.data.sources.windows import splits_by_time, window_starts
from trainwright.data.types import Role, Values
from trainwright.errors import DataError, RecipeError, closest
from trainwright.fields import OpenFraction, PositiveInt

_KEPT_DECODED = 4  # records


@dataclass(frozen=True)
class _Window:
    """One sample: a piece of a record."""

    record: int
    start: int
    label: str
    split: str


class WfdbSource(BaseSource):
    """Windows of WFDB records: around every annotated beat, or one after the other.

    Headers (`.hea`), samples of the formats 8, 16, 24, 32, 61, 80, 160, 212, 310 and 311 (`.dat`) and
    annotations (`.atr`) are read by a reader of our own; checksums are verified. A record that cannot be read
    is a fault. Files named in a header must lie beside it.

    Columns:
        series: float64 `[window, channels]` in physical units; NaN where a sample is missing.
        label: The beat's symbol, or its class; without annotations there is none.
        record: Name of the record.

    Args:
        root: Folder of records, or one `.hea` file.
        window: Samples of a window.
        around: `beats` centres a window on every beat; `none` lays them one after the other.
        stride: Samples from one window to the next, where they do not lie around beats; their length
            when absent.
        labels: `symbol` of the annotation; `aami` joins the symbols into the five classes of ANSI/AAMI
            EC57 (N, S, V, F, Q); `none`. Of a window without a beat in its centre, the most frequent one
            other than N, or N; windows without a beat are left out.
        symbols: Labels to keep; all when absent.
        records: Names of the records to read, all when absent.
        channels: Names of the signals; those of the first record when absent.
        annotator: Suffix of the annotation files.
        val: Share of every record before its test part that is for validation.
        test: Share at the end of every record that is for testing. Windows across a border are left out.
    """

    def __init__(
        self,
        *,
        root: str,
        window: PositiveInt = 256,
        around: Literal["beats", "none"] = "beats",
        stride: PositiveInt | None = None,
        labels: Literal["symbol", "aami", "none"] = "symbol",
        symbols: list[str] | None = None,
        records: list[str] | None = None,
        channels: list[str] | None = None,
        annotator: str = "atr",
        val: OpenFraction = 0.0,
        test: OpenFraction = 0.0,
    ) -> None:
        if val + test >= 1:
            raise RecipeError(
                "val and test leave nothing to train on", where="data.source", fix="lower val or test"
            )
        self._path = existing(root, "data.source.root")
        self._window, self._around, self._labels = window, around, labels
        self._stride, self._symbols, self._annotator = stride or window, symbols, annotator
        self._parts = (val, test)
        self._notes: Counter[str] = Counter()
        faults: list[tuple[str, str]] = []
        self._headers: list[WfdbHeader] = []
        self._channels = channels
        self._read_files: list[Path] = []
        self._windows: list[_Window] = []
        self._decoded = lru_cache(maxsize=_KEPT_DECODED)(self._decode)
        for header in find_records(self._path, records):
            try:
                self._add(read_wfdb_header(header))
            except DataError as error:
                faults.append((error.where or str(header), error.what))
        self.faults = faults
        self.notices = count_words(self._notes)
        if not self._windows:
            why = "; ".join(f"{where}: {reason}" for where, reason in faults[:5]) or "; ".join(self.notices)
            raise DataError(
                "there is not one window", where=str(self._path), why=why, fix="give a shorter window"
            )
        self.columns: dict[str, Role] = {"series": "series", "record": "category"}
        if labels != "none":
            self.columns["label"] = "category"

    @property
    def rate(self) -> float:
        """Samples a second."""
        return self._headers[0].rate

    def __len__(self) -> int:
        return len(self._windows)

    def column(self, name: str) -> Values:
        """Windows, read when they are asked for; or labels, or names of records."""
        if self.require(name) == "label":
            return np.array([window.label for window in self._windows], dtype=object)
        if name == "record":
            return np.array([self._headers[w.record].path.stem for w in self._windows], dtype=object)
        return LazySequence(len(self), lambda row: self._piece(self._windows[row]))

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows by time within their record, None without `val` and `test`."""
        if not any(self._parts):
            return None
        words = np.array([window.split for window in self._windows], dtype=object)
        return {name: np.flatnonzero(words == name) for name in in_split_order(words)}

    def sample_names(self) -> Sequence[str]:
        """`100@1234`: the record, and the window's first sample."""
        windows = self._windows
        return LazySequence(
            len(windows), lambda row: f"{self._headers[windows[row].record].path.stem}@{windows[row].start}"
        )

    def files(self) -> list[Path]:
        """Headers, data files and annotations."""
        return self._read_files

    def _add(self, header: WfdbHeader) -> None:
        """Takes a record in. Raises `DataError` where it cannot be read or is unlike the first."""
        if self._channels is None:
            self._channels = [signal.name for signal in header.signals]
        if self._headers and header.rate != self.rate:
            raise DataError(
                f"{header.rate:g} Hz, while {self._headers[0].path.stem} has {self.rate:g}",
                where=str(header.path),
                fix="resample the records to one rate, or leave some out",
            )
        values = read_signals(header, self._places(header))  # reads and checks; kept only while it is used
        record = len(self._headers)
        marks: tuple[npt.NDArray[np.int64], list[str]] = (np.zeros(0, dtype=np.int64), [])
        files = [header.path, *dict.fromkeys(signal.file for signal in header.signals)]
        if self._labels != "none" or self._around == "beats":
            annotations = header.path.with_suffix(f".{self._annotator}")
            found, notes = read_annotations(annotations, len(values))
            self._notes += notes
            files.append(annotations)
            beats = [n for n, symbol in enumerate(found.symbols) if symbol in BEATS]
            others = len(found.symbols) - len(beats)
            if others:
                self._notes[f"annotations of {annotations.name} mark no beat"] += others
            marks = found.places[beats], [self._class(found.symbols[n]) for n in beats]
        self._headers.append(header)
        self._read_files += files
        self._windows += self._cut(record, len(values), *marks)

    def _places(self, header: WfdbHeader) -> list[int]:
        names = [signal.name for signal in header.signals]
        assert self._channels is not None
        for wanted in self._channels:
            if wanted not in names:
                near = closest(wanted, names)
                raise DataError(
                    f"there is no signal {wanted!r}, but {', '.join(names)}",
                    where=str(header.path),
                    fix=f"did you mean {near!r}?" if near else "",
                )
        return [names.index(wanted) for wanted in self._channels]

    def _class(self, symbol: str) -> str:
        return AAMI[symbol] if self._labels == "aami" else symbol

    def _cut(
        self, record: int, total: int, places: npt.NDArray[np.int64], labels: list[str]
    ) -> list[_Window]:
        if self._around == "beats":
            starts = places - self._window // 2
            inside = (starts >= 0) & (starts + self._window <= total)
            self._count("beats lie too near the end of their record and were left out", ~inside)
            starts, chosen = starts[inside], [labels[n] for n in np.flatnonzero(inside)]
        else:
            starts = window_starts(total, self._window, self._stride)
            chosen = [self._label_of(start, places, labels) for start in starts]
        if self._labels == "none":
            chosen = [""] * len(starts)
        else:
            kept = np.array(
                [label != "" and label in (self._symbols or [label]) for label in chosen], dtype=bool
            )
            self._count("windows have no beat, or one that is not asked for, and were left out", ~kept)
            starts, chosen = starts[kept], [chosen[n] for n in np.flatnonzero(kept)]
        parts = splits_by_time(starts, starts + self._window, total, *self._parts)
        split_of = np.full(len(starts), "", dtype=object)
        for name, mask in parts.items():
            split_of[mask] = name
        self._count("windows lie across the border of two splits and were left out", split_of == "")
        rows = zip(starts.tolist(), chosen, split_of.tolist(), strict=True)
        return [_Window(record, start, label, split) for start, label, split in rows if split]

    def _label_of(self, start: int, places: npt.NDArray[np.int64], labels: list[str]) -> str:
        first, last = np.searchsorted(places, [start, start + self._window])
        found = labels[first:last]
        unusual = Counter(label for label in found if label != "N")
        return unusual.most_common(1)[0][0] if unusual else ("N" if found else "")

    def _count(self, text: str, mask: npt.NDArray[np.bool_]) -> None:
        if mask.any():
            self._notes[text] += int(mask.sum())

    def _piece(self, window: _Window) -> npt.NDArray[np.float64]:
        values: npt.NDArray[np.float64] = self._decoded(window.record)
        return values[window.start : window.start + self._window]

    def _decode(self, record: int) -> npt.NDArray[np.float64]:
        header = self._headers[record]
        return read_signals(header, self._places(header))


def find_records(path: Path, wanted: list[str] | None = None) -> list[Path]:
    """Headers in a folder, in natural order, or the one. Raises `DataError` where one is missing."""
    found = sorted(path.rglob("*.hea"), key=lambda file: natural_key(str(file))) if path.is_dir() else [path]
    if wanted is not None:
        by_name = {file.stem: file for file in found}
        for name in wanted:
            if name not in by_name:
                raise DataError(
                    f"there is no record {name!r}",
                    where=str(path),
                    why=f"found {', '.join(by_name)}",
                    fix="check the names in the list of records",
                )
        found = [by_name[name] for name in wanted]
    if not found:
        raise DataError(
            "there are no records",
            where=str(path),
            why="looked for *.hea",
            fix="name the folder that holds the .hea files",
        )
    return found
