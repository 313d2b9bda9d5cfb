"""Raw columns to stored values in this process, and what happens to samples that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from trainwright.data.columns import PlannedColumn
from trainwright.data.types import BadSample, Dropped
from trainwright.errors import DataError, ErrorList

if TYPE_CHECKING:
    from trainwright.recipe.schema import OnBad

_SHOWN = 20


def encode_column(column: PlannedColumn, names: Sequence[str]) -> tuple[np.ndarray, list[Dropped]]:
    """Stored values `[N, ...]` of a column, and its bad samples, whose stored values are zeros."""
    try:
        return column.processor.encode_all(column.values), []
    except BadSample:
        return _one_by_one(column, names)


def refuse_or_drop(
    bad: list[Dropped], faults: Sequence[tuple[str, str]], rows: int, on_bad: OnBad
) -> list[Dropped]:
    """The samples to leave out, by the recipe's policy.

    Args:
        bad: Bad samples, perhaps several of one row.
        faults: Records that are no rows: name and reason; they get row -1.
        rows: Number of rows of the source.
        on_bad: Policy and limit.

    Raises:
        DataError: The policy is to stop, or more are bad than may be skipped.
    """
    found = [Dropped(-1, name, "", reason) for name, reason in faults] + bad
    if not found:
        return []
    if on_bad.policy == "stop":
        raise_bad(found)
    count = len({(item.row, item.name) for item in found})
    if count > on_bad.limit * (rows + len(faults)):
        raise DataError(
            f"{count} of {rows + len(faults)} samples cannot be read, more than {on_bad.limit:.2%}",
            where="data.on_bad.limit",
            why="; ".join(f"{item.name}: {item.reason}" for item in found[:5]),
            fix="mend the files, or raise the limit",
        )
    return found


def raise_bad(found: list[Dropped]) -> None:
    """One error that names up to 20 bad samples and counts them all."""
    errors = [
        DataError(
            item.reason,
            where=f"{item.name}, column {item.column}" if item.column else item.name,
            fix="mend or remove it, or set data.on_bad: {policy: skip}",
        )
        for item in found[:_SHOWN]
    ]
    if len(errors) == 1:
        raise errors[0]
    if len(found) > _SHOWN:
        errors.append(DataError(f"and {len(found) - _SHOWN} more", where="data"))
    raise ErrorList([*errors])


def _one_by_one(column: PlannedColumn, names: Sequence[str]) -> tuple[np.ndarray, list[Dropped]]:
    stored: np.ndarray | None = None
    bad: list[Dropped] = []
    for row, value in enumerate(column.values):
        try:
            encoded = np.asarray(column.processor.encode(value))
        except BadSample as error:
            bad.append(Dropped(row, names[row], column.name, error.reason))
            continue
        if stored is None:
            stored = np.zeros((len(column.values), *encoded.shape), dtype=encoded.dtype)
        stored[row] = encoded
    if stored is None:
        raise_bad(bad)
        raise DataError("the column is empty", where=f"data, column {column.name}")
    return stored, bad
