"""Predictions as a table: what `evaluate` keeps in `predictions.parquet` and what `predict` prints.

Columns, one row per sample:

| Column              | Type        | Meaning                                                          |
|---------------------|-------------|------------------------------------------------------------------|
| `sample`            | string      | name of the sample: a path, `file.csv:17`, ...                   |
| `row`               | int64       | row of the prepared data (`evaluate` only)                       |
| `T`                 | string      | category T: name of the true class, null where unknown           |
| `T_predicted`       | string      | category T: name of the most probable class                      |
| `T_probability`     | float       | category T: its probability                                      |
| `T_probabilities`   | list<float> | category T: probability of every class, in the order of the ids  |
| `T`, `T_predicted`  | list<string> | categories T: names of the true and of the predicted classes    |
| `T_probabilities`   | list<float> | categories T: probability of every class, each for itself        |
| `T`, `T_predicted`  | float       | number T: true and predicted value; list<float> for several      |
| `T`, `T_predicted`  | list<object> | boxes, ... T: `class`, `score`, `box`, `points`, `mask`, `box3d`  |
| `T_shares`          | list<float> | mask T: share of the picture, or of its labelled part, per class |
| `T_accuracy`        | float       | mask T: share of the labelled pixels whose class is right        |
| `T_miou`            | float       | mask T: mean IoU of the classes that truth or prediction shows   |
| `T_confusion`       | list<int>   | mask T: see `metrics.sparse_confusion`                           |
| `T`, `T_predicted`  | float       | distribution T: true number, and the expectation of the bins     |
| `T_below`           | float       | distribution T: probability given to numbers below the true one  |
| `T_crps`            | float       | distribution T: its distance from the true number, in its unit   |
| `T_distribution`    | list<float> | distribution T: probability of every bin                         |
| `T_loss`            | float       | loss of the sample, NaN where the truth is unknown               |
| `error`             | string      | why there is no answer, null where there is one (`on_bad: skip`) |

The Parquet file carries the class names of every category in its metadata, key `trainwright.classes`.
Places of objects are pixels of the original picture. CSV spreads lists of numbers over columns
(`T_probabilities.cat`, `T_predicted.0`) and holds objects as JSON; JSON and JSON lines write probabilities
as a mapping from class name to probability. Numbers that are not finite are empty in CSV and null in JSON.
No torch here.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from trainwright.errors import RunError, UserError, closest
from trainwright.runs.atomic import write_bytes

if TYPE_CHECKING:
    import pyarrow as pa

Columns: TypeAlias = Mapping[str, Any]
Classes: TypeAlias = Mapping[str, Sequence[str]]
Format = Literal["csv", "json", "jsonl", "parquet"]
FORMATS: tuple[Format, ...] = ("csv", "json", "jsonl", "parquet")
STDOUT = "-"
_METADATA = b"trainwright.classes"


@dataclass(frozen=True)
class Predictions:
    """A table of predictions.

    Attributes:
        columns: Name -> values: lists of strings (or None), arrays `[N]` or `[N, K]` of numbers.
        classes: Category target -> names of its classes, in the order of their ids.
        faults: Items without an answer, counted and with their reasons, a line each.
        pictures: Target whose answers are pictures -> one of them per sample, None where there is no answer.
    """

    columns: dict[str, Any]
    classes: dict[str, tuple[str, ...]]
    faults: tuple[str, ...] = ()
    pictures: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.columns["sample"])

    def __getitem__(self, name: str) -> Any:
        return self.columns[name]

    def found_objects(self) -> list[list[Any]]:
        """Columns of found objects: of each sample a list of mappings, or None where it has no answer."""
        return [
            values
            for name, values in self.columns.items()
            if name.endswith("_predicted")
            and isinstance(values, list)
            and any(isinstance(items, list) for items in values)
            and all(isinstance(item, dict) for items in values for item in items or ())
        ]

    def leave_out_below(self, score: float) -> None:
        """Takes found objects of a lower score out of the answers; those without a score stay."""
        for values in self.found_objects():
            values[:] = [
                items if items is None else [item for item in items if item.get("score", 1.0) >= score]
                for items in values
            ]

    def records(self) -> list[dict[str, Any]]:
        """One mapping per sample, as JSON has it: probabilities by class name, None for NaN."""
        return _records(self.columns, self.classes)


def with_errors(answered: Predictions, names: Sequence[str], bad: Mapping[int, str]) -> Predictions:
    """A row for every item: the answers, and rows without one that say why, in the column `error`.

    Args:
        answered: Answers for the items that are not bad, in their order.
        names: Of all items.
        bad: Place of each item without an answer, and the reason.
    """
    good = np.array([place for place in range(len(names)) if place not in bad], dtype=np.int64)
    columns: dict[str, Any] = {"sample": list(names)}
    for name, values in answered.columns.items():
        if name == "sample":
            continue
        if isinstance(values, np.ndarray):
            spread = np.full((len(names), *values.shape[1:]), np.nan, np.result_type(values, np.float32))
            spread[good] = values
            columns[name] = spread
        else:
            found = iter(values)
            columns[name] = [None if place in bad else next(found) for place in range(len(names))]
    columns["error"] = [bad.get(place) for place in range(len(names))]
    lines = [f"{names[place]}: {reason}" for place, reason in sorted(bad.items())]
    if lines:
        lines.append(f"{len(bad)} of {len(names)} items have no answer")
    pictures = {}
    for name, values in answered.pictures.items():
        answers = iter(values)
        pictures[name] = [None if place in bad else next(answers) for place in range(len(names))]
    return Predictions(columns, answered.classes, tuple(lines), pictures)


def write_predictions(path: str | Path, columns: Columns, *, classes: Classes | None = None) -> None:
    """Writes a Parquet file, whole or not at all.

    Args:
        path: The file; its directory must exist.
        columns: Name -> values of equal number, see the top of this module.
        classes: Category target -> names of its classes, kept in the file's metadata.

    Raises:
        StorageError: The file cannot be written.
    """
    write_bytes(path, _parquet(columns, classes or {}))


def read_predictions(path: str | Path) -> Predictions:
    """Reads what `write_predictions` wrote.

    Raises:
        RunError: The file is missing or damaged.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.ParquetFile(path).read()
    except (OSError, pa.ArrowException) as error:
        raise RunError(
            "the predictions cannot be read", where=str(path), why=str(error), fix="evaluate the run again"
        ) from error
    stored = (table.schema.metadata or {}).get(_METADATA, b"{}")
    classes = {target: tuple(names) for target, names in json.loads(stored).items()}
    return Predictions({name: _values(table[name].combine_chunks()) for name in table.column_names}, classes)


def write_answers(
    columns: Columns,
    destination: str | Path = STDOUT,
    *,
    format: Format | None = None,
    classes: Classes | None = None,
) -> None:
    """Writes a table for the user, to a file or to a pipe.

    Args:
        columns: Name -> values, see the top of this module.
        destination: A file's name, or `-` for standard output.
        format: Absent: by the file's suffix; CSV for standard output.
        classes: Category target -> names of its classes.

    Raises:
        UserError: The format cannot be told from the file's name.
        StorageError: The file cannot be written.
    """
    chosen = format or ("csv" if str(destination) == STDOUT else _format_of(Path(destination)))
    write_output(render_answers(columns, chosen, classes=classes), destination)


def write_output(data: bytes, destination: str | Path) -> None:
    """Writes bytes to a file, whole or not at all, or to standard output (`-`).

    Raises:
        StorageError: The file cannot be written.
    """
    if str(destination) == STDOUT:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_bytes(destination, data)


def render_answers(columns: Columns, format: Format, *, classes: Classes | None = None) -> bytes:
    """The bytes of a table in one of `FORMATS`; text is UTF-8."""
    classes = classes or {}
    if format == "parquet":
        return _parquet(columns, classes)
    if format == "csv":
        return _csv(columns, classes).encode()
    records = _records(columns, classes)
    if format == "jsonl":
        return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()
    return (json.dumps(records, ensure_ascii=False, indent=1) + "\n").encode()


def _format_of(path: Path) -> Format:
    suffix = path.suffix.lstrip(".").lower()
    for known in FORMATS:
        if suffix == known:
            return known
    nearest = closest(suffix, FORMATS)
    raise UserError(
        f"cannot tell the format of {path.name!r} from its suffix",
        where=str(path),
        fix=f"end the name in .{nearest}" if nearest else f"end the name in one of .{', .'.join(FORMATS)}",
    )


def _parquet(columns: Columns, classes: Classes) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pa.Table.from_arrays([_arrow(values) for values in columns.values()], names=list(columns))
    names = json.dumps({target: list(of) for target, of in classes.items()}, ensure_ascii=False)
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata({_METADATA: names.encode()}), sink)
    return sink.getvalue()


def _arrow(values: Any) -> pa.Array:
    """A column from its buffers: `pa.array` would import pandas, where it is installed, to look for it."""
    import pyarrow as pa

    if not isinstance(values, np.ndarray):
        values = list(values)
        if all(value is None or isinstance(value, str) for value in values):
            return _strings(values)
        if any(isinstance(value, list) for value in values):
            return pa.array(values)
        values = np.array(values)
    flat = np.ascontiguousarray(values).ravel()
    numbers = pa.Array.from_buffers(pa.from_numpy_dtype(flat.dtype), len(flat), [None, pa.py_buffer(flat)])
    if values.ndim == 1:
        return numbers
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.Array.from_buffers(
        pa.list_(numbers.type), len(values), [None, pa.py_buffer(offsets)], children=[numbers]
    )


def _strings(values: list[str | None]) -> pa.Array:
    import pyarrow as pa

    encoded = [b"" if value is None else value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    valid = np.packbits([value is not None for value in values], bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(values), buffers)


def _values(column: pa.Array) -> Any:
    import pyarrow as pa

    if pa.types.is_list(column.type) and _is_number(column.type.value_type):
        flat = np.from_dlpack(column.flatten())
        lengths = np.diff(np.from_dlpack(column.offsets))
        if len(lengths) and (lengths != lengths[0]).any():
            return [part.tolist() for part in np.split(flat, lengths.cumsum()[:-1])]
        return flat.reshape(len(column), len(flat) // max(len(column), 1))
    if _is_number(column.type):
        return np.from_dlpack(column)
    if not pa.types.is_large_string(column.type):
        return column.to_pylist()
    coded = column.dictionary_encode()
    words = coded.dictionary.to_pylist()  # one string for all rows of a class
    return [None if code is None else words[code] for code in coded.indices.to_pylist()]


def _is_number(type: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_integer(type) or pa.types.is_floating(type))


def _scalars(values: Any) -> list[Any]:
    """Python values of one column `[N]`; a float32 as the shortest number that reads back the same."""
    if not isinstance(values, np.ndarray):
        return list(values)
    if not np.issubdtype(values.dtype, np.floating):
        return values.tolist()
    exact = values if values.dtype == np.float64 else values.astype(str).astype(np.float64)
    return [
        number if finite else None for number, finite in zip(exact.tolist(), np.isfinite(exact), strict=True)
    ]


def _parts(name: str, values: np.ndarray, classes: Classes) -> dict[str, list[Any]]:
    """A column of lists as one column per entry, keyed by the class name or the place in the list."""
    target = name.removesuffix("_probabilities").removesuffix("_shares")
    keys = classes.get(target) if target != name else None
    return {
        str(key): _scalars(values[:, place])
        for place, key in enumerate(keys if keys is not None else range(values.shape[1]))
    }


def _csv(columns: Columns, classes: Classes) -> str:
    flat: dict[str, list[Any]] = {}
    for name, values in columns.items():
        if getattr(values, "ndim", 1) == 2:
            flat |= {f"{name}.{key}": part for key, part in _parts(name, values, classes).items()}
        else:
            flat[name] = [json.dumps(v) if isinstance(v, list) else v for v in _scalars(values)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(flat)
    writer.writerows(zip(*flat.values(), strict=True))
    return text.getvalue()


def _records(columns: Columns, classes: Classes) -> list[dict[str, Any]]:
    lists: dict[str, list[Any]] = {}
    for name, values in columns.items():
        if getattr(values, "ndim", 1) == 1:
            lists[name] = _scalars(values)
            continue
        parts = _parts(name, values, classes)
        rows = zip(*parts.values(), strict=True)
        named = name.endswith(("_probabilities", "_shares"))
        lists[name] = [dict(zip(parts, row, strict=True)) if named else list(row) for row in rows]
    return [dict(zip(lists, row, strict=True)) for row in zip(*lists.values(), strict=True)]
