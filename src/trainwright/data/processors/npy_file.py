"""An array in the bytes of a `.npy` file (NumPy Enhancement Proposal 1)."""

from __future__ import annotations

import io
import math

import numpy as np

from trainwright.data.types import BadSample

MAGIC = b"\x93NUMPY"


def shape_and_dtype(data: bytes) -> tuple[tuple[int, ...], np.dtype[np.generic]]:
    """What the header says. Raises `BadSample`."""
    shape, _, dtype, _ = _header(data)
    return shape, dtype


def read(data: bytes) -> np.ndarray:
    """The array, which shares the memory of the bytes. Raises `BadSample` where it is not whole."""
    shape, fortran, dtype, start = _header(data)
    needed, there = math.prod(shape) * dtype.itemsize, len(data) - start
    if there < needed:
        raise BadSample(f"cut off: {there} of {needed} bytes of the array are there")
    flat = np.frombuffer(data, dtype, math.prod(shape), start)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)


def _header(data: bytes) -> tuple[tuple[int, ...], bool, np.dtype[np.generic], int]:
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        reader = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran, dtype = reader(file)
    except (ValueError, KeyError, EOFError, SyntaxError, TypeError) as error:
        raise BadSample(f"the header of the .npy file is damaged: {error}") from error
    if dtype.hasobject or dtype.itemsize == 0:
        raise BadSample("the .npy file holds Python objects, which could run code")
    return tuple(int(length) for length in shape), bool(fortran), dtype, file.tell()
