"""Arrays inside an uncompressed `.npz` file, mapped in place where `numpy.load` would read them."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import IO, Literal

import numpy as np

_MAPPED_BYTES = 1 << 20  # smaller arrays are read, and checked against their checksum
_TOLD_BYTES = 64 << 20
_HEADER, _NAME, _EXTRA = 30, 26, 28  # the local file header: its length, and where those of its parts stand


def load_npz(path: Path) -> dict[str, np.ndarray]:
    """Every array of the file by name, read-only where it is mapped.

    Raises:
        ValueError: An array holds Python objects, which could run code, or is damaged.
        OSError: The file cannot be read.
        zipfile.BadZipFile: It is no archive.
    """
    with np.load(path, allow_pickle=False) as archive, path.open("rb") as file:
        places = {info.filename: info for info in archive.zip.infolist()}
        return {
            name: array
            if (array := _mapped(path, file, places.get(f"{name}.npy"))) is not None
            else archive[name]
            for name in archive.files
        }


def held_in_memory(path: Path) -> dict[str, int]:
    """Arrays that cannot be mapped because they are compressed, with their bytes; small ones left out."""
    with zipfile.ZipFile(path) as archive:
        return {
            info.filename.removesuffix(".npy"): info.file_size
            for info in archive.infolist()
            if info.compress_type != zipfile.ZIP_STORED and info.file_size >= _TOLD_BYTES
        }


def _mapped(path: Path, file: IO[bytes], info: zipfile.ZipInfo | None) -> np.ndarray | None:
    """One array in place; None where it is small, compressed, or of a form that is left to NumPy."""
    if info is None or info.compress_type != zipfile.ZIP_STORED or info.file_size < _MAPPED_BYTES:
        return None
    file.seek(info.header_offset)
    header = file.read(_HEADER)
    lengths = (int.from_bytes(header[place : place + 2], "little") for place in (_NAME, _EXTRA))
    file.seek(info.header_offset + _HEADER + sum(lengths))
    start = file.tell()
    version = np.lib.format.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        return None
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran, dtype = read(file)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    if dtype.hasobject or file.tell() - start + size != info.file_size:
        return None  # NumPy's own reader says what is wrong
    order: Literal["C", "F"] = "F" if fortran else "C"
    return np.memmap(path, dtype, mode="r", offset=file.tell(), shape=shape, order=order)
