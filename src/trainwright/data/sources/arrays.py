"""Arrays: in memory, in `.npz` or `.npy` files, or the columns of a DataFrame."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.sources.base import BaseSource, existing
from trainwright.data.sources.npz_mapping import held_in_memory, load_npz
from trainwright.data.types import Role, Values
from trainwright.errors import DataError

_SPLIT_NAMES = ("train", "val", "test")
_MOST_CLASSES = 1000  # integers with more values than this are taken for numbers


class ArraysSource(BaseSource):
    """Columns of equal length, each an array or a list.

    In a file, `x_train`, `y_train`, `x_test` ... (also `train_images` and the like) are columns `x`
    and `y` with the splits that the names tell.

    Args:
        data: In memory: a mapping of columns, a tuple `(x, y)`, a DataFrame, or a mapping of splits to
            any of these. Given by the tool.
        path: A `.npz` file, a `.npy` file, or a folder of `.npy` files; each array is a column.
    """

    def __init__(self, data: Any = None, *, path: str | None = None) -> None:
        self._paths: list[Path] = []
        if data is None:
            if path is None:
                raise DataError(
                    "the arrays source has no data",
                    where="data.source",
                    why="it has no path, and none were given in memory",
                    fix="give it a path; or, from Python, data=(X, y) with each call that needs them",
                )
            data = self._load(existing(path, "data.source.path"))
        self._columns, self._rows = _columns_and_rows(data)
        lengths = {name: len(values) for name, values in self._columns.items()}
        if not lengths or len(set(lengths.values())) > 1 or not next(iter(lengths.values())):
            said = ", ".join(f"{name} has {length}" for name, length in lengths.items()) or "there are none"
            raise DataError(
                "columns must have rows, and equally many",
                where="data.source",
                why=said,
                fix="give columns of the same length",
            )
        self._length = next(iter(lengths.values()))
        self.columns = {name: _role(values) for name, values in self._columns.items()}

    def __len__(self) -> int:
        return self._length

    def column(self, name: str) -> Values:
        """The array or list of one column."""
        return self._columns[self.require(name)]

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows of the splits that the data name, else None."""
        return self._rows

    def files(self) -> list[Path]:
        """The files that were read; none for data in memory."""
        return self._paths

    def _load(self, path: Path) -> dict[str, np.ndarray]:
        if path.is_dir():
            self._paths = sorted(path.glob("*.npy"))
            if not self._paths:
                raise DataError(
                    "the folder has no .npy files",
                    where=str(path),
                    fix="save the columns there with numpy.save, or name another folder",
                )
            return {file.stem: _load_array(file) for file in self._paths}
        self._paths = [path]
        if path.suffix != ".npz":
            return {path.stem: _load_array(path)}
        loaded = _load_archive(path)
        self.notices = [
            f"{name} is compressed in {path.name}, so its {size / 2**30:.2f} GiB are held in memory; "
            f"saved by np.savez it is read in place"
            for name, size in held_in_memory(path).items()
        ]
        return loaded


def columns_of(data: Any) -> dict[str, Any]:
    """Columns of a mapping, a tuple (named x and y), or a DataFrame.

    Raises:
        DataError: `data` is none of these.
    """
    if isinstance(data, Mapping):
        single = [str(name) for name, values in data.items() if getattr(values, "ndim", 1) == 0]
        if single:
            raise DataError(
                f"{', '.join(single)}: a single value, not a column with one for each row",
                where="data",
                fix="give an array with a value per row",
            )
        return {str(name): _as_column(values) for name, values in data.items()}
    if isinstance(data, tuple | list) and len(data) == 2:
        return {"x": _as_column(data[0]), "y": _as_column(data[1])}
    if is_data_frame(data):
        return {str(name): data[name].to_numpy() for name in data.columns}
    raise DataError(
        f"data of type {type(data).__name__} are neither (x, y), a mapping of columns nor a DataFrame",
        where="data",
        fix="give for example data=(X, y)",
    )


def is_data_frame(data: Any) -> bool:
    """Whether it looks like a pandas or polars DataFrame."""
    return hasattr(data, "columns") and hasattr(data, "to_numpy") and hasattr(data, "__getitem__")


def is_split_mapping(data: Any) -> bool:
    """Whether it maps splits to data, rather than columns to values."""
    return isinstance(data, Mapping) and "train" in data and set(data) <= set(_SPLIT_NAMES)


def _columns_and_rows(data: Any) -> tuple[dict[str, Any], dict[str, np.ndarray] | None]:
    if is_split_mapping(data):
        return _join({name: columns_of(part) for name, part in data.items()})
    columns = columns_of(data)
    parts: dict[str, dict[str, Any]] = {}
    for name, values in columns.items():
        words = name.split("_")
        split = next((word for word in words if word in _SPLIT_NAMES), None)
        if split is None or len(words) < 2:
            return columns, None
        parts.setdefault(split, {})["_".join(word for word in words if word != split)] = values
    if not parts:
        return {}, None
    return _join({name: parts[name] for name in _SPLIT_NAMES if name in parts})


def _join(parts: Mapping[str, dict[str, Any]]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """One table out of several splits' columns, with the rows of each."""
    names = list(next(iter(parts.values())))
    for split, columns in parts.items():
        lengths = {len(values) for values in columns.values()}
        if set(columns) != set(names) or len(lengths) != 1:
            raise DataError(
                f"split {split} has columns {', '.join(columns)} of lengths {sorted(lengths)}",
                where="data",
                why=f"every split needs {', '.join(names)}, all of one length",
                fix="give every split the same columns, each of one length",
            )
    rows, start = {}, 0
    for split, columns in parts.items():
        length = len(columns[names[0]])
        rows[split] = np.arange(start, start + length)
        start += length
    joined = {name: _concatenate([columns[name] for columns in parts.values()]) for name in names}
    return joined, rows


def _concatenate(parts: list[Any]) -> Any:
    if all(isinstance(part, np.ndarray) for part in parts) and len({part.shape[1:] for part in parts}) == 1:
        return np.concatenate(parts)
    return [item for part in parts for item in part]


def _as_column(values: Any) -> Any:
    if hasattr(values, "detach"):
        return values.detach().cpu().numpy()
    if hasattr(values, "to_numpy"):
        return values.to_numpy()
    if isinstance(values, np.ndarray | list):
        return values
    if hasattr(values, "__len__") and hasattr(values, "__getitem__") and not isinstance(values, str | bytes):
        return list(values)
    raise DataError(
        f"a column of type {type(values).__name__} is no array or list",
        where="data",
        fix="give an array, or a list with a value per row",
    )


def _role(values: Any) -> Role:
    if not isinstance(values, np.ndarray):
        first = values[0]
        if isinstance(first, str | int | bool):
            return "category"
        return "number" if isinstance(first, float) else "image"
    if values.ndim >= 3:
        return "image"
    if values.ndim == 2 or values.dtype.kind == "f":
        return "number"
    if values.dtype.kind in "iu" and len(np.unique(values)) > _MOST_CLASSES:
        return "number"
    return "category"


def _load_archive(path: Path) -> dict[str, np.ndarray]:
    try:
        return load_npz(path)
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(
            f"the arrays cannot be read: {error}", where=str(path), fix=_no_pickle(error)
        ) from error


def _load_array(path: Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, zipfile.BadZipFile, EOFError) as error:
        raise DataError(
            f"the array cannot be read: {error}", where=str(path), fix=_no_pickle(error)
        ) from error


def _no_pickle(error: Exception) -> str:
    text = str(error).lower()
    return (
        "save it without Python objects, which could run code" if "pickle" in text or "object" in text else ""
    )
