"""One number per row from a column of the source: a weight, or how large a sample is."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from trainwright.data.archive import ArchiveError
from trainwright.data.types import RawFile, Values

_MISSING = float("nan")


def numbers(values: Values) -> npt.NDArray[np.float64]:
    """The values of a column of numbers, also of written ones.

    Args:
        values: Raw values of a column `[N]`.

    Returns:
        float64 `[N]`; NaN for what is missing or no number.
    """
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "buif":
        return values.astype(np.float64)
    return np.fromiter((_number(value) for value in values), np.float64, count=len(values))


def sizes(values: Values) -> npt.NDArray[np.float64]:
    """How large samples are: a number's value, a text's or array's length, a file's bytes.

    Args:
        values: Raw values of a column `[N]`.

    Returns:
        float64 `[N]`; NaN for what is missing.
    """
    if isinstance(values, np.ndarray) and values.ndim == 1 and values.dtype.kind in "buif":
        return values.astype(np.float64)
    return np.fromiter((_size(value) for value in values), np.float64, count=len(values))


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return _MISSING


def _size(value: object) -> float:
    if isinstance(value, RawFile):
        try:
            return float(value.size())
        except (OSError, KeyError, ArchiveError):
            return _MISSING
    try:
        return float(len(value))  # type: ignore[arg-type]
    except TypeError:
        return _number(value)
