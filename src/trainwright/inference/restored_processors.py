"""Processors are saved and restored once before a training, for what they learn answers for files later."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from trainwright.data.columns import PlannedColumn, key_path
from trainwright.data.types import BadSample, PreparedData, Processor
from trainwright.errors import DataError, TrainwrightError


def check_processors(data: PreparedData, *, users_only: bool = False) -> None:
    """Saves and restores every column's processor, and encodes a training sample with both.

    Args:
        data: Prepared data.
        users_only: Leaves out processors that ship, whose tests do the same.

    Raises:
        DataError: A processor cannot be saved as JSON, or the restored one is not the same.
    """
    rows = data.splits.get("train")
    for column in data.columns:
        if users_only and type(column.processor).__module__.startswith("trainwright."):
            continue
        where = key_path(column.name, is_target=column.is_target)
        try:
            problem = _difference(column, int(rows[0]) if rows is not None and len(rows) else None)
        except TrainwrightError:
            raise
        except (Exception, SystemExit) as error:  # a processor of the user's own may raise anything
            problem = f"{type(error).__name__}: {error}"
        if problem:
            raise DataError(
                f"the processor of {column.name!r} is not the same after it was saved and restored",
                where=where,
                why=problem,
                fix="let `parameters` and `fitted` give all that it was told and has learned, as JSON",
            )


def _difference(column: PlannedColumn, row: int | None) -> str:
    """What is another after saving and restoring; empty where nothing is."""
    processor = column.processor
    state = json.loads(json.dumps(processor.state()))
    restored = type(processor).from_state(state)
    if json.loads(json.dumps(restored.state())) != state:
        return "its state is another"
    if restored.spec() != processor.spec():
        return f"it promises {restored.spec()} in place of {processor.spec()}"
    if row is not None and not _same(*(_encoded(item, column.values[row]) for item in (processor, restored))):
        return "it gives another value for the first training sample"
    return ""


def _encoded(processor: Processor, raw: Any) -> np.ndarray | None:
    try:
        return np.asarray(processor.encode(raw))
    except (BadSample, OSError):
        return None  # told with the other samples that cannot be read


def _same(first: np.ndarray | None, second: np.ndarray | None) -> bool:
    if first is None or second is None:
        return first is second
    numbers = first.dtype.kind in "fc"
    return first.dtype == second.dtype and np.array_equal(first, second, equal_nan=numbers)
