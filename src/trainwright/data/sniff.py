"""Looks at data that nobody has described, and says how a recipe would read them, and why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.processors import image_decoding
from trainwright.data.processors.category import factorise
from trainwright.data.sources.arrays import ArraysSource
from trainwright.data.sources.folder import FolderSource
from trainwright.data.sources.idx import IdxSource
from trainwright.data.types import BadSample, RawFile, Source, Values
from trainwright.errors import DataError

_TABLES = (".csv", ".tsv", ".tab", ".txt", ".parquet", ".pq")
_TARGET_NAMES = ("target", "label", "class", "category", "y")
_MOST_CLASSES = 20  # whole numbers with more values than this are a quantity, not a class
_MOST_CATEGORIES = 50  # texts with more values than this are no input
_LOOKED_AT = 100  # images whose size is looked at
_PHOTO_SIZES = (224, 160, 128, 96, 64)


@dataclass
class Guess:
    """What the data seem to be.

    Attributes:
        source: The recipe's `data.source`.
        inputs: Its `data.inputs`.
        targets: Its `data.targets`.
        split: Its `data.split`, None where the data bring all their splits.
        size: Number of samples.
        notes: The reasons, and what was left out, in words.
        given_training: Number of samples in the training split that the data bring, None without one.
    """

    source: dict[str, Any]
    inputs: dict[str, dict[str, Any]]
    targets: dict[str, dict[str, Any]]
    split: dict[str, Any] | None
    size: int
    notes: list[str] = field(default_factory=list)
    given_training: int | None = None

    @property
    def training(self) -> int:
        """Number of samples that are left to train on."""
        rows = self.size if self.given_training is None else self.given_training
        return round(rows * (1 - sum((self.split or {}).values())))


def sniff(path: Path) -> Guess:
    """Describes a file or a folder.

    Args:
        path: A folder of class folders or idx files, a zip archive, a table, or arrays.

    Raises:
        DataError: Nothing that can be read was found; says what was looked for.
    """
    if not path.exists():
        raise DataError("there are no such data", where=str(path))
    return _reader(path)(path)


def _reader(path: Path) -> Callable[[Path], Guess]:
    suffix = path.suffix.lower()
    if path.is_dir():
        return _folder_reader(path)
    if suffix in _TABLES:
        return _table
    if suffix in (".npz", ".npy"):
        return _arrays
    if suffix == ".zip":
        return _class_folders
    raise DataError(
        f"a {suffix or 'file without suffix'} is no kind of data that is known",
        where=str(path),
        why="known are folders, .zip, .csv, .tsv, .parquet, .npz, .npy, and folders of idx files",
        fix="write the recipe by hand with a source of your own: {name: 'module:Class'}",
    )


def _folder_reader(path: Path) -> Callable[[Path], Guess]:
    """By what lies in the folder; class folders where there are any folders."""
    if any(path.glob("*-idx[13]-ubyte*")) or any(path.glob("*.idx[13]-ubyte*")):
        return _idx
    if any(path.glob("*.npy")):
        return _arrays
    tables = sorted(
        item for item in path.iterdir() if item.suffix.lower() in _TABLES and item.suffix != ".txt"
    )
    if len(tables) == 1 and not _has_class_folders(path):
        return lambda _: _table(tables[0])
    if len(tables) > 1 and not _has_class_folders(path):
        raise DataError(
            f"there are {len(tables)} tables: {', '.join(item.name for item in tables[:5])}",
            where=str(path),
            fix=f"name one of them: trainwright init {tables[0]}",
        )
    return _class_folders


def _has_class_folders(path: Path) -> bool:
    return sum(item.is_dir() and not item.name.startswith(".") for item in path.iterdir()) > 1


def _idx(path: Path) -> Guess:
    source = IdxSource(root=str(path))
    height, width = source.image_size
    inputs = {"image": {"type": "image", "size": [height, width]}}
    notes = [f"idx files with {len(source)} images of {height}x{width}, splits {_named(source.splits())}"]
    return Guess(
        {"name": "idx", "root": str(path)},
        inputs,
        {"label": {"type": "category"}},
        _missing_split(source),
        len(source),
        notes,
        _given_training(source),
    )


def _class_folders(path: Path) -> Guess:
    source = FolderSource(root=str(path))
    names, _ = factorise(source.column("label"))
    column, why = _image_column(source.column("image"))
    given = source.splits()
    notes = [
        f"class folders: {len(source)} images in {len(names)} classes"
        + (f", splits {_named(given)}" if given else ", no split folders"),
        why,
        *source.notices,
    ]
    return Guess(
        {"name": "folder", "root": str(path)},
        {"image": column},
        {"label": {"type": "category"}},
        _missing_split(source),
        len(source),
        notes,
        _given_training(source),
    )


def _arrays(path: Path) -> Guess:
    source = ArraysSource(path=str(path))
    target = _named_target(list(source.columns)) or list(source.columns)[-1]
    rest = [name for name in source.columns if name != target]
    if not rest:
        raise DataError("there is one array only, so nothing to learn from", where=str(path))
    inputs: dict[str, dict[str, Any]] = {}
    for name in rest:
        role = source.columns[name]
        inputs[name] = _image_column(source.column(name))[0] if role == "image" else {"type": "number"}
    notes = [f"arrays {', '.join(source.columns)} of {len(source)} rows; {target} is taken for the target"]
    return Guess(
        {"name": "arrays", "path": str(path)},
        inputs,
        {target: {"type": _target_type(source.column(target))}},
        _missing_split(source),
        len(source),
        notes,
        _given_training(source),
    )


def _table(path: Path) -> Guess:
    from trainwright.data.sources.table import TableSource  # pyarrow takes a tenth of a second

    source = TableSource(path=str(path))
    columns = {name: source.column(name) for name in source.columns}
    notes: list[str] = []
    target = _table_target(source, columns)
    notes.append(f"{len(source)} rows; column {target!r} is taken for the target")
    spec: dict[str, Any] = {"name": "table", "path": str(path)}
    size = len(source)
    gaps = _gaps(columns[target])
    if gaps:
        spec["row_filter"] = f"col({target!r}) is not None"
        size -= gaps
        notes.append(f"{gaps} rows without a target are filtered out")
    inputs = _table_inputs(source, {name: columns[name] for name in columns if name != target}, notes)
    if not inputs:
        raise DataError("no column is fit for an input", where=str(path), why="; ".join(notes))
    kind = _target_type(columns[target])
    name = target if target.isidentifier() else "target"
    targets = {name: {"type": kind} | ({} if name == target else {"column": target})}
    return Guess(spec, inputs, targets, {"val": 0.15, "test": 0.15}, size, notes)


def _table_target(source: Source, columns: dict[str, Values]) -> str:
    """The column named like a target, else the last one that is neither an image nor a name of the row."""
    named = _named_target(list(columns))
    if named:
        return named
    for name in reversed(columns):
        many = source.columns[name] == "category" and _distinct(columns[name]) > max(_MOST_CATEGORIES, 2)
        if source.columns[name] != "image" and not many:
            return name
    raise DataError("no column is fit for a target", where="data", fix="write the recipe by hand")


def _table_inputs(source: Source, columns: dict[str, Values], notes: list[str]) -> dict[str, dict[str, Any]]:
    inputs: dict[str, dict[str, Any]] = {}
    numbers, with_gaps = [], False
    for name, values in columns.items():
        role, distinct = source.columns[name], _distinct(values)
        if role == "image":
            inputs[_key(name, inputs)] = _image_column(values)[0] | _column_of(name)
        elif distinct < 2:
            notes.append(f"column {name!r} is left out: it has one value only")
        elif np.asarray(values).dtype.kind in "iuf":
            if _counts_rows(np.asarray(values)):
                notes.append(f"column {name!r} is left out: it counts the rows")
                continue
            numbers.append(name)
            with_gaps = with_gaps or _gaps(values) > 0
        elif distinct > _MOST_CATEGORIES:
            notes.append(f"column {name!r} is left out: {distinct} different texts")
        elif _gaps(values):
            notes.append(f"column {name!r} is left out: {_gaps(values)} rows lack it")
        else:
            inputs[_key(name, inputs)] = {"type": "category"} | _column_of(name)
    if numbers:
        column: dict[str, Any] = {"type": "number", "columns": numbers}
        if with_gaps:
            column["missing"] = "mean"
            notes.append("gaps in number columns are filled with the training mean")
        inputs = {_key("features", inputs): column, **inputs}
    return inputs


def _image_column(values: Values) -> tuple[dict[str, Any], str]:
    """An image column with a size, and why that size."""
    if isinstance(values, np.ndarray) and values.dtype != object and values.ndim >= 3:
        shape = values.shape[1:]
        size = list(shape[:2]) if len(shape) == 2 or shape[2] in (1, 3, 4) else list(shape[1:])
        return {"type": "image", "size": size}, f"images of {size[0]}x{size[1]}"
    sizes = sorted(size for size in map(_file_size, _spread(values)) if size is not None)
    if not sizes:
        raise DataError("none of the first images can be read", where="data")
    if len(set(sizes)) == 1 and max(sizes[0]) <= 512:
        return {
            "type": "image",
            "size": list(sizes[0]),
        }, f"all images looked at are {sizes[0][0]}x{sizes[0][1]}"
    short = sorted(min(size) for size in sizes)[len(sizes) // 2]
    side = next((size for size in _PHOTO_SIZES if size <= short), 32)
    why = f"images differ in size (short side: {short} pixels in the middle); cut to {side}x{side}"
    return {"type": "image", "size": side, "resize": "crop"}, why


def _spread(values: Values) -> list[Any]:
    places = sorted({round(place) for place in np.linspace(0, len(values) - 1, _LOOKED_AT)})
    return [values[place] for place in places]


def _file_size(raw: Any) -> tuple[int, int] | None:
    try:
        data = raw.read() if isinstance(raw, RawFile) else None
        return None if data is None else image_decoding.size_and_mode(data)[:2]
    except (BadSample, OSError, KeyError):
        return None


def _target_type(values: Values) -> str:
    array = np.asarray(values)
    if array.dtype.kind == "f" and not _whole_with_gaps(array):
        return "number"
    if array.dtype.kind in "iuf" and _distinct(values) > _MOST_CLASSES:
        return "number"
    return "category"


def _whole_with_gaps(array: np.ndarray) -> bool:
    """Whole numbers that are floats only because some are missing."""
    present = array[~np.isnan(array)]
    return len(present) < len(array) and bool((present == np.rint(present)).all())


def _named_target(names: list[str]) -> str | None:
    lower = {name.lower(): name for name in reversed(names)}
    return next((lower[name] for name in _TARGET_NAMES if name in lower), None)


def _distinct(values: Values) -> int:
    return len([name for name in factorise(values)[0] if name is not None])


def _gaps(values: Values) -> int:
    names, places = factorise(values)
    missing = [place for place, name in enumerate(names) if name is None]
    return int(np.isin(places, missing).sum())


def _counts_rows(values: np.ndarray) -> bool:
    return (
        values.dtype.kind in "iu" and len(values) > 2 and bool((np.diff(values.astype(np.int64)) == 1).all())
    )


def _given_training(source: Source) -> int | None:
    given = source.splits()
    return len(given["train"]) if given and "train" in given else None


def _missing_split(source: Source) -> dict[str, Any] | None:
    """Fractions for the splits that a source does not bring."""
    given = source.splits()
    if given is None:
        return {"val": 0.15, "test": 0.15}
    return None if "val" in given else {"val": 0.1}


def _named(given: dict[str, np.ndarray] | None) -> str:
    return ", ".join(f"{name} {len(rows)}" for name, rows in (given or {}).items())


def _key(name: str, taken: dict[str, Any]) -> str:
    """A recipe key for a column: its name where that can be written in a key path."""
    if name.isidentifier() and name not in taken:
        return name
    words = "".join(letter if letter.isalnum() else "_" for letter in name).strip("_") or "input"
    return words if words not in taken else f"{words}_{len(taken)}"


def _column_of(name: str) -> dict[str, str]:
    return {} if name.isidentifier() else {"column": name}
