"""Encoding some rows, in whichever process; bad samples are found, named and counted, never dropped here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from trainwright.data.blocks import BlockValues
from trainwright.data.faults import advice, in_groups
from trainwright.data.retry import ONCE, Retry
from trainwright.data.types import BadSample, Processor, Values
from trainwright.errors import DataError

Bad = list[tuple[int, str]]
_TRIED_FOR_FORM = 1000
_ONE_BY_ONE = 8  # rows among which a bad one is looked for one by one


def encode_rows(
    processor: Processor,
    raws: Iterable[Any],
    count: int,
    shape: Sequence[int],
    dtype: Any,
    retry: Retry = ONCE,
) -> tuple[np.ndarray, Bad]:
    """Stored values `[count, *shape]`, with zeros for bad samples, and place and reason of each of those.

    Args:
        processor: Fitted as far as `encode` needs.
        raws: Raw values.
        count: Number of them.
        shape: Of one stored value.
        dtype: Of the stored values.
        retry: Whether a read that fails is repeated.
    """
    stored = np.zeros((count, *shape), dtype=dtype)
    bad: Bad = []
    values = iter(raws)
    for place in range(count):
        try:
            # A value may be made only now, and a source may find only now that it cannot be made.
            raw = next(values)
            stored[place] = retry(getattr(raw, "name", ""), partial(processor.encode, raw))
        except BadSample as error:
            bad.append((place, error.reason))
        except MemoryError:
            bad.append((place, "there is not enough memory to decode it"))
    return stored, bad


def encode_column(processor: Processor, values: Values) -> tuple[np.ndarray, Bad]:
    """Stored values `[N, ...]` of a whole column, at once where no sample is bad."""
    try:
        return processor.encode_all(values), []
    except BadSample:
        shape, dtype = stored_form(processor, values)
        return encode_block(processor, values, shape, dtype)


def encode_block(
    processor: Processor, values: Values, shape: Sequence[int], dtype: Any
) -> tuple[np.ndarray, Bad]:
    """As `encode_column`, with a known form; bad samples are found by halving, for few are bad.

    Args:
        processor: Fitted.
        values: Raw values.
        shape: Of one stored value.
        dtype: Of the stored values.
    """
    stored = np.zeros((len(values), *shape), dtype=dtype)
    bad: Bad = []
    waiting = [(0, len(values))]
    while waiting:
        start, stop = waiting.pop()
        part = values[start:stop]
        if stop - start <= _ONE_BY_ONE:
            stored[start:stop], found = encode_rows(processor, part, stop - start, shape, dtype)
            bad += [(start + place, reason) for place, reason in found]
            continue
        try:
            stored[start:stop] = processor.encode_all(part)
        except BadSample:
            middle = (start + stop) // 2
            waiting += [(middle, stop), (start, middle)]
    return stored, bad


def encode_blocks(
    processor: Processor,
    values: BlockValues,
    shape: Sequence[int],
    dtype: Any,
    keep: Callable[[int, np.ndarray], None],
) -> Bad:
    """Encodes a column block by block, and gives row and reason of its bad samples.

    Args:
        processor: Fitted.
        values: Raw values.
        shape: Of one stored value.
        dtype: Of the stored values.
        keep: Called with the first row and the stored values of each block.
    """
    bad: Bad = []
    for start, block in values.blocks():
        stored, found = encode_block(processor, block, shape, dtype)
        keep(start, stored)
        bad += [(start + place, reason) for place, reason in found]
    return bad


def stored_form(
    processor: Processor, values: Values, retry: Retry = ONCE
) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and dtype of a stored value, from the first sample that can be read.

    Raises:
        DataError: Not one of the first thousand can be read.
    """
    reasons: list[tuple[str, str]] = []
    for place in range(min(len(values), _TRIED_FOR_FORM)):
        try:
            raw = values[place]
            stored = np.asarray(retry(getattr(raw, "name", ""), partial(processor.encode, raw)))
            return stored.shape, stored.dtype
        except BadSample as error:
            reasons.append((getattr(values[place], "name", f"row {place}"), error.reason))
    raise DataError(
        f"not one of the first {len(reasons)} samples can be read" if reasons else "there are no samples",
        where="data",
        why=in_groups(reasons),
        fix=advice(reason for _, reason in reasons)
        or "check the files, and the type that the recipe gives the column",
    )


def write_rows(file: int, stored: np.ndarray, offset: int) -> None:
    """Writes stored values through a file descriptor. Raises OSError where the disk is full."""
    data = memoryview(np.ascontiguousarray(stored).reshape(-1).view(np.uint8).data)
    while len(data):
        written = os.pwrite(file, data, offset)
        data, offset = data[written:], offset + written
