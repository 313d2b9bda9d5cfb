"""Time series of the UCR and UEA archives: `NAME_TRAIN.ts` and `NAME_TEST.ts`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.ts_file import TsFile, read_ts
from trainwright.data.types import Role, Values
from trainwright.errors import DataError

_SPLITS = ("train", "val", "test")


class UcrSource(BaseSource):
    """Series with a class, or a number, each: one line of a `.ts` file is one sample.

    Lines that are no series (a wrong number of channels or values, text, a class that the header does
    not know) are faults with file and line. Files with time stamps are refused.

    Columns:
        series: float64 `[T, K]`; NaN where a value is missing (`?`).
        label: Class name, or number (`@targetLabel`); only where the files have labels.

    Args:
        path: A `.ts` file, whose samples then are divided by the recipe, or a folder with
            `NAME_TRAIN.ts`, `NAME_TEST.ts` and perhaps `NAME_VAL.ts`, which are the splits.
        problem: NAME, where the folder has the files of several.
    """

    def __init__(self, *, path: str, problem: str | None = None) -> None:
        self._path = existing(path, "data.source.path")
        found = split_files(self._path, problem) if self._path.is_dir() else {"": self._path}
        self._files = {split: read_ts(file) for split, file in found.items()}
        self._check_alike()
        parts = list(self._files.values())
        self._series = [series for part in parts for series in part.series]
        self._labels = [label for part in parts for label in part.labels]
        self.faults = [(f"{part.path}:{line}", why) for part in parts for line, why in part.faults]
        self.notices = [note for part in parts for note in part.notes]
        if not self._series:
            why = "; ".join(f"{name}: {reason}" for name, reason in self.faults[:5])
            raise DataError(
                "there is not one series",
                where=str(self._path),
                why=why,
                fix="name a folder or file with series",
            )
        header = parts[0].header
        self.columns: dict[str, Role] = {"series": "series"}
        if header.labelled:
            self.columns["label"] = "number" if header.numeric else "category"

    def __len__(self) -> int:
        return len(self._series)

    @property
    def has_gaps(self) -> bool:
        """Whether some value is missing."""
        return any(np.isnan(series).any() for series in self._series)

    def column(self, name: str) -> Values:
        """Series, as one array `[N, T, K]` where all have one length; or labels."""
        self.require(name)
        if name == "label":
            return np.array(self._labels, dtype=object if self.columns["label"] == "category" else np.float64)
        if len({len(series) for series in self._series}) == 1:
            return np.stack(self._series)
        return self._series

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows by file, None for a single file."""
        if "" in self._files:
            return None
        ends = np.cumsum([len(part.series) for part in self._files.values()])
        return {
            split: np.arange(end - len(part.series), end)
            for (split, part), end in zip(self._files.items(), ends, strict=True)
        }

    def sample_names(self) -> Sequence[str]:
        """`GunPoint_TRAIN.ts:17`, the number of the line."""
        places = [(part.path.name, line) for part in self._files.values() for line in part.lines]
        return LazySequence(len(places), lambda row: f"{places[row][0]}:{places[row][1]}")

    def files(self) -> list[Path]:
        """The `.ts` files."""
        return [part.path for part in self._files.values()]

    def _check_alike(self) -> None:
        first, *others = self._files.values()
        for other in others:
            if other.series and first.series and other.header.dimensions != first.header.dimensions:
                raise DataError(
                    f"{other.header.dimensions} channels, while {first.path.name} has "
                    f"{first.header.dimensions}",
                    where=str(other.path),
                    fix="give files of the same channels",
                )
            if _kind(other) != _kind(first):
                raise DataError(
                    f"its labels are {_kind(other)}, those of {first.path.name} are {_kind(first)}",
                    where=str(other.path),
                    fix="give files with labels of one kind",
                )


def _kind(file: TsFile) -> str:
    if not file.header.labelled:
        return "none"
    return "numbers" if file.header.numeric else "classes"


def problems(folder: Path) -> dict[str, dict[str, Path]]:
    """Name -> split -> file, of the `NAME_TRAIN.ts`, `NAME_VAL.ts` and `NAME_TEST.ts` in a folder."""
    found: dict[str, dict[str, Path]] = {}
    for file in sorted(folder.iterdir()):
        name, _, split = file.stem.rpartition("_")
        if file.suffix.lower() == ".ts" and name and split.lower() in _SPLITS:
            found.setdefault(name, {})[split.lower()] = file
    return found


def split_files(folder: Path, problem: str | None) -> dict[str, Path]:
    """Split -> file of one problem, the training split first.

    Raises:
        DataError: The folder has no such files, those of several problems, or no training file.
    """
    found = problems(folder)
    if problem is None and len(found) == 1:
        problem = next(iter(found))
    if problem not in found:
        raise DataError(
            "the folder has no NAME_TRAIN.ts" if not found else "the folder has several problems",
            where=str(folder),
            why=f"found {', '.join(found)}" if found else "",
            fix="name one with data.source.problem" if found else "give the .ts file, or its folder",
        )
    files = found[problem]
    if "train" not in files:
        raise DataError(
            f"there is no {problem}_TRAIN.ts",
            where=str(folder),
            why=f"found {', '.join(file.name for file in files.values())}",
            fix="give data.source.path the file itself, and a data.split",
        )
    return {split: files[split] for split in _SPLITS if split in files}
