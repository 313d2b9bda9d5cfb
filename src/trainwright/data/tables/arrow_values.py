"""From Arrow columns to the raw values that processors take.

Arrow's own conversion, and its comparison with a Python value, would import pandas: a second.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from trainwright.data.blocks import CodedValues

TEXT = "string"
_DTYPES = {"halffloat": "f2", "float": "f4", "double": "f8"} | {
    f"{sign}int{size}": f"{sign or 'i'}{size // 8}" for sign in ("", "u") for size in (8, 16, 32, 64)
}


def joint_kind(kinds: Collection[str]) -> str:
    """The type of a column whose blocks have these types: numbers widen, what does not agree is text.

    Args:
        kinds: Names of Arrow types; `null` is a block in which every value is missing.
    """
    found = set(kinds) - {"null"}
    if not found:
        return "null"
    if len(found) == 1:
        return found.pop()
    return "double" if all(is_number(kind) for kind in found) else TEXT


def is_number(kind: str) -> bool:
    """Whether an Arrow type is one of whole or floating-point numbers."""
    return kind in _DTYPES or kind.startswith("decimal")


def block_values(values: pa.ChunkedArray, kind: str) -> np.ndarray | CodedValues:
    """Values of one block of a column: of texts the distinct ones with codes, else as `to_numpy`.

    Args:
        values: Of the block.
        kind: Name of the Arrow type of the whole column.
    """
    if is_number(kind):
        return to_numpy(values, kind)
    if pa.types.is_null(values.type):
        return CodedValues([None], np.zeros(len(values), dtype=np.int32))
    if pa.types.is_string(values.type) or pa.types.is_large_string(values.type):
        return _coded(values)
    return to_numpy(values)


def to_numpy(values: pa.ChunkedArray, kind: str | None = None) -> np.ndarray:
    """Numbers in their own dtype, with gaps as float64 with NaN; everything else as objects `[N]`.

    Lists of numbers that are all of one length become an array `[N, K]`.

    Args:
        values: A column, or a block of it.
        kind: Name of the Arrow type of the whole column; that of `values` when absent.
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    own = str(values.type)
    if pa.types.is_null(values.type) and kind is not None and is_number(kind):
        return np.full(len(values), np.nan)
    widened = kind == "double" and own != "double"
    if (
        widened
        or pa.types.is_decimal(values.type)
        or (pa.types.is_integer(values.type) and values.null_count)
    ):
        values = values.cast(pa.float64())
    if is_number(str(values.type)):
        return _numbers(values.combine_chunks())
    if pa.types.is_list(values.type) and is_number(str(values.type.value_type)):
        matrix = _matrix(values)
        if matrix is not None:
            return matrix
    # Not np.array, which would take lists of one length for a second axis.
    return np.fromiter(values.to_pylist(), dtype=object, count=len(values))


def _numbers(array: pa.Array) -> np.ndarray:
    place = slice(array.offset, array.offset + len(array))
    present, data = array.buffers()
    if data is None:
        return np.zeros(0, dtype=_DTYPES[str(array.type)])
    numbers = np.frombuffer(data, dtype=_DTYPES[str(array.type)])[place]
    if not array.null_count:
        return numbers
    return np.where(_bits(present, place), numbers, np.nan)


def _matrix(values: pa.ChunkedArray) -> np.ndarray | None:
    """Lists of one length as `[N, K]`; None where they are not, or one is missing."""
    if values.null_count or not len(values):
        return None
    array = values.combine_chunks()
    offsets = np.frombuffer(array.buffers()[1], dtype=np.int32)[array.offset : array.offset + len(array) + 1]
    lengths = np.diff(offsets)
    if (lengths != lengths[0]).any() or not lengths[0]:
        return None
    return to_numpy(pa.chunked_array([array.flatten()])).reshape(len(array), -1)


def _coded(values: pa.ChunkedArray) -> CodedValues:
    array = values.combine_chunks().dictionary_encode()
    indices = array.indices
    place = slice(indices.offset, indices.offset + len(indices))
    present, data = indices.buffers()
    codes = np.frombuffer(data, dtype=np.int32)[place] if len(indices) else np.zeros(0, dtype=np.int32)
    distinct = array.dictionary.to_pylist()
    if indices.null_count:
        codes = np.where(_bits(present, place), codes, len(distinct)).astype(np.int32)
        distinct.append(None)
    return CodedValues(distinct, codes)


def _bits(present: pa.Buffer, place: slice) -> npt.NDArray[np.bool_]:
    """Arrow's bitmap of values that are not missing."""
    return np.unpackbits(np.frombuffer(present, dtype=np.uint8), bitorder="little")[place].astype(bool)


def arrow_integers(numbers: npt.NDArray[np.int64]) -> pa.Array:
    """int64 numbers `[N]` as an Arrow array over the same memory."""
    numbers = np.ascontiguousarray(numbers, dtype=np.int64)
    return pa.Array.from_buffers(pa.int64(), len(numbers), [None, pa.py_buffer(numbers)])


def arrow_texts(texts: list[str | None]) -> pa.Array:
    """Texts as an Arrow array, None as missing."""
    encoded = [b"" if text is None else text.encode() for text in texts]
    ends = np.cumsum([0, *map(len, encoded)]).astype(np.int64)
    valid = np.packbits([text is not None for text in texts], bitorder="little")
    buffers = [pa.py_buffer(valid), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(texts), buffers)
