"""Samples that what was learned of the training split has no place for: an id that only a test mask has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from trainwright.data.cache import JsonCache
from trainwright.data.columns import PlannedColumn
from trainwright.data.encoding import Bad
from trainwright.data.storing import ColumnStore, Stored
from trainwright.data.types import BadSample, Processor


def add_misfits(columns: Iterable[PlannedColumn], stored: dict[str, Stored], store: ColumnStore) -> bool:
    """Adds them to the bad samples of their column, once all that is learned is known.

    Args:
        columns: Columns with fitted processors.
        stored: What became of each column by its name; changed where samples do not fit.
        store: What encoded the columns.

    Returns:
        Whether there are any.
    """
    found = False
    for column in columns:
        strict: Processor | None = getattr(column.processor, "strict", _nothing)()
        if strict is None:
            continue
        item = stored[column.name]
        known = {row for row, _ in item.bad}
        bad = [fault for fault in _misfits(column, strict, item, store) if fault[0] not in known]
        if bad:
            stored[column.name] = replace(item, bad=sorted([*item.bad, *bad]))
            found = True
    return found


def _misfits(column: PlannedColumn, strict: Processor, item: Stored, store: ColumnStore) -> Bad:
    if item.values is None:
        return store.store(replace(column, processor=strict)).bad
    cache = JsonCache(store.cache_dir / "misfits")
    key: dict[str, Any] = {
        **store.identity,
        "column": column.parts,
        "processor": strict.cache_key(),
        "bad": [row for row, _ in item.bad],  # one that can be read again has to be looked at
    }
    known = cache.find(key)
    if known is not None:
        return [(int(row), str(reason)) for row, reason in known]
    places = column.processor.misfits(item.values).tolist()  # type: ignore[attr-defined]
    bad = [(row, reason) for row in places if (reason := _reason(strict, column.values[row]))]
    cache.store(key, bad)
    return bad


def _reason(strict: Processor, raw: Any) -> str:
    try:
        strict.encode(raw)
    except BadSample as error:
        return error.reason
    return ""


def _nothing() -> None:
    """For processors that learn nothing a stored value could be at odds with."""
