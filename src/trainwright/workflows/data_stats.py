"""Statistics of every column: how many values, how many missing, and how they are distributed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from trainwright import recipe as recipes
from trainwright.data.blocks import evenly_spaced
from trainwright.data.checks.picture_headers import read_headers
from trainwright.data.checks.subject import CheckedColumn, Subject
from trainwright.data.counting import class_counts
from trainwright.data.objects import OBJECT_TYPES, Objects
from trainwright.workflows.describing import Given, describe
from trainwright.workflows.gate import prepare_leniently

_LOOKED_AT = 1_000_000
_FILES = 20_000
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_CLASSES = 100


def data_stats(given: Given, overrides: Mapping[str, Any] | Sequence[str] = ()) -> dict[str, Any]:
    """Statistics of the recipe's columns, over all rows that are in a split.

    Args:
        given: A recipe, or a path of data that nobody has described.
        overrides: Of the recipe.

    Returns:
        `sizes` per split, `dropped`, and `columns`: name -> `type`, `count`, `missing` and by type: of
        numbers `mean`, `std`, `min`, `q05` to `q95` and `max` of each value of the vector, of categories
        `classes` with counts per split, of pictures `heights`, `widths`, `bits`, `modes` and `formats`, of
        annotated objects `objects`, `classes`, `per picture`, and the sizes of boxes.

    Raises:
        UserError: The data cannot be read.
    """
    described = describe(given)
    loaded = recipes.load(described.recipe, overrides)
    data = prepare_leniently(loaded.recipe.data, described.whole)
    subject = Subject(data)
    return {
        "sizes": {name: len(rows) for name, rows in data.splits.items()},
        "dropped": len({(item.row, item.name) for item in data.dropped}),
        "columns": {column.name: _column(subject, column) for column in subject.columns},
    }


def _column(subject: Subject, column: CheckedColumn) -> dict[str, Any]:
    about: dict[str, Any] = {
        "type": column.type,
        "role": "target" if column.is_target else "input",
        "count": len(subject.rows),
        "missing": sum(item.column == column.name for item in subject.dropped),
    }
    if column.type == "number":
        about["values"] = _numbers(subject, column)
    elif column.type == "category" and column.stored is not None:
        about["classes"] = _classes(subject, column)
    elif column.type == "image":
        about |= _pictures(subject, column)
    elif column.type in OBJECT_TYPES:
        about |= _objects(subject, column)
    else:
        spec = column.processor.spec()
        about["shape"] = list(spec.shape)
    return about


def _numbers(subject: Subject, column: CheckedColumn) -> dict[str, dict[str, float]]:
    """Raw values, as they stand in the source."""
    rows = evenly_spaced(subject.rows, _LOOKED_AT)
    raw = np.array([np.ravel(value) for value in subject.raw(column.values, rows)], dtype=object)
    matrix = np.array([[_as_number(value) for value in row] for row in raw], dtype=np.float64)
    found = {}
    for place in range(matrix.shape[1] if matrix.ndim == 2 else 0):
        name = column.parts[place] if place < len(column.parts) and len(column.parts) > 1 else str(place)
        found[name if matrix.shape[1] > 1 else column.name] = _distribution(matrix[:, place])
    return found


def _as_number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan


def _distribution(values: np.ndarray) -> dict[str, float]:
    known = values[np.isfinite(values)]
    about: dict[str, float] = {"count": len(known), "missing": len(values) - len(known)}
    if not len(known):
        return about
    quantiles = np.quantile(known, _QUANTILES)
    named = {f"q{100 * share:02.0f}": float(q) for share, q in zip(_QUANTILES, quantiles, strict=True)}
    bounds = {"mean": float(known.mean()), "std": float(known.std()), "min": float(known.min())}
    return about | bounds | named | {"max": float(known.max())}


def _classes(subject: Subject, column: CheckedColumn) -> dict[str, dict[str, int]]:
    assert column.stored is not None
    names = column.processor.spec().classes
    counts = {split: class_counts(column.stored, rows, len(names)) for split, rows in subject.splits.items()}
    return {
        name: {split: int(found[place]) for split, found in counts.items()}
        for place, name in enumerate(names[:_CLASSES])
    }


def _pictures(subject: Subject, column: CheckedColumn) -> dict[str, Any]:
    rows = evenly_spaced(subject.rows, _FILES)
    headers = read_headers(column.values, rows.tolist())
    about: dict[str, Any] = {"processed": list(column.processor.spec().shape)}
    if headers:
        about["heights"] = _distribution(np.array([header.height for header in headers], dtype=float))
        about["widths"] = _distribution(np.array([header.width for header in headers], dtype=float))
        about["bits"] = dict(Counter(header.bits for header in headers).most_common())
        about["modes"] = dict(Counter(header.mode for header in headers).most_common())
        about["formats"] = dict(Counter(header.format for header in headers).most_common())
    return about


def _objects(subject: Subject, column: CheckedColumn) -> dict[str, Any]:
    labels: Counter[str] = Counter()
    counts, widths, heights = [], [], []
    for row in subject.rows.tolist():
        objects = column.values[row]
        if isinstance(objects, Objects):
            labels.update(objects.labels)
            counts.append(len(objects))
            widths += (objects.boxes[:, 2] - objects.boxes[:, 0]).tolist()
            heights += (objects.boxes[:, 3] - objects.boxes[:, 1]).tolist()
    return {
        "objects": sum(counts),
        "classes": dict(labels.most_common(_CLASSES)),
        "per picture": _distribution(np.array(counts, dtype=float)),
        "box widths": _distribution(np.array(widths, dtype=float)),
        "box heights": _distribution(np.array(heights, dtype=float)),
    }
