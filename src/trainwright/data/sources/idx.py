"""The format of MNIST and its relatives: idx files, plain or packed with gzip."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.types import Values
from trainwright.errors import DataError

_SPLITS = {"train": ("train",), "test": ("t10k", "test")}
_LARGEST = 1 << 34  # bytes; a header that claims more is damaged or hostile
_BEST_RATIO = 1100  # deflate cannot pack better than about 1032 to 1
_CHUNK = 1 << 20


@dataclass(frozen=True)
class _IdxFile:
    """One idx file and what its header says."""

    path: Path
    shape: tuple[int, ...]

    @property
    def packed(self) -> bool:
        return self.path.suffix == ".gz"

    def read(self) -> np.ndarray:
        """The values, uint8. Raises `DataError` where the content is not what the header says."""
        header = 4 + 4 * len(self.shape)
        expected = int(np.prod(self.shape, dtype=np.int64))
        data = _unpack(self.path, header + expected) if self.packed else self.path.read_bytes()
        if len(data) != header + expected:
            more = len(data) > header + expected
            raise DataError(
                f"it holds {'more' if more else 'fewer'} values than its header says",
                where=str(self.path),
                why=f"header: {list(self.shape)}, that is {expected} bytes; found {len(data) - header}",
                fix="fetch the file again",
            )
        return np.frombuffer(data, dtype=np.uint8, offset=header).reshape(self.shape)


class IdxSource(BaseSource):
    """Images `[N, H, W]` and labels `[N]` in idx files, with the splits that their names give.

    In `root`: `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and the same with `t10k` (or
    `test`) for the test split; also with a dot in place of the last hyphen, with any prefix (as
    EMNIST has) and packed as `.gz`.

    Columns:
        image: uint8 `[H, W]`.
        label: Integer.

    Args:
        root: Folder with the files.
    """

    columns = {"image": "image", "label": "category"}  # noqa: RUF012

    def __init__(self, *, root: str) -> None:
        folder = existing(root, "data.source.root")
        self._images = {name: found for name in _SPLITS if (found := _find(folder, name, "images", 3))}
        self._labels = {name: found for name in _SPLITS if (found := _find(folder, name, "labels", 1))}
        if "train" not in self._images:
            raise DataError(
                "there is no training file train-images-idx3-ubyte(.gz)",
                where=str(folder),
                fix="point data.source.root at the folder with the four idx files",
            )
        for name, images in self._images.items():
            self._check_pair(name, images)
        self.slow_columns = {"image"} if any(file.packed for file in self._images.values()) else ()
        self._sizes = {name: file.shape[0] for name, file in self._images.items()}

    @property
    def image_size(self) -> tuple[int, int]:
        """Height and width of the images."""
        return self._images["train"].shape[1], self._images["train"].shape[2]

    def __len__(self) -> int:
        return sum(self._sizes.values())

    def column(self, name: str) -> Values:
        """All raw values of one column, the training split first."""
        self.require(name)
        return self._image_values if name == "image" else self._label_values

    def splits(self) -> dict[str, np.ndarray]:
        """Training rows, then test rows."""
        ends = np.cumsum(list(self._sizes.values()))
        return {
            name: np.arange(end - size, end)
            for (name, size), end in zip(self._sizes.items(), ends, strict=True)
        }

    def sample_names(self) -> Sequence[str]:
        """`train/17`: split and number within it."""
        places = [(name, size) for name, size in self._sizes.items()]

        def name_of(row: int) -> str:
            for name, size in places:
                if row < size:
                    return f"{name}/{row}"
                row -= size
            raise IndexError(row)

        return LazySequence(len(self), name_of)

    def files(self) -> list[Path]:
        """The idx files."""
        return [file.path for file in (*self._images.values(), *self._labels.values())]

    @cached_property
    def _image_values(self) -> np.ndarray:
        return _join([file.read() for file in self._images.values()])

    @cached_property
    def _label_values(self) -> np.ndarray:
        return _join([self._labels[name].read() for name in self._images]).astype(np.int64)

    def _check_pair(self, name: str, images: _IdxFile) -> None:
        labels = self._labels.get(name)
        if labels is None:
            raise DataError(
                f"there is no file of {name} labels beside it",
                where=str(images.path),
                fix="put the file of labels beside it, under its usual name",
            )
        if labels.shape[0] != images.shape[0]:
            raise DataError(
                f"{images.shape[0]} images but {labels.shape[0]} labels",
                where=f"{images.path}, {labels.path}",
                fix="give the labels that belong to these images",
            )
        first = self._images["train"]
        if images.shape[1:] != first.shape[1:]:
            raise DataError(
                f"images of {list(images.shape[1:])} beside training images of {list(first.shape[1:])}",
                where=str(images.path),
                fix="give images of one size",
            )


def _join(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _find(folder: Path, split: str, content: str, axes: int) -> _IdxFile | None:
    """The file of one split, the plain one where it is there packed and plain."""
    found: list[Path] = []
    for word in _SPLITS[split]:
        found += folder.glob(f"*{word}-{content}[-.]idx{axes}-ubyte")
        found += folder.glob(f"*{word}-{content}[-.]idx{axes}-ubyte.gz")
    plain = {path for path in found if path.suffix != ".gz"} or set(found)
    if len(plain) > 1:
        raise DataError(
            f"several files could be the {split} {content}: {', '.join(sorted(path.name for path in plain))}",
            where=str(folder),
            fix="keep one of them in the folder",
        )
    return _read_header(plain.pop(), axes) if plain else None


def _read_header(path: Path, axes: int) -> _IdxFile:
    length = 4 + 4 * axes
    with path.open("rb") as file:
        start = file.read(_CHUNK if path.suffix == ".gz" else length)
    if path.suffix == ".gz":
        try:
            start = zlib.decompressobj(31).decompress(start, length)
        except zlib.error as error:
            raise DataError(
                f"it is not a gzip file: {error}",
                where=str(path),
                fix="download the file again, or name it without .gz",
            ) from error
    if len(start) < length:
        raise DataError(
            f"it ends within its header ({len(start)} bytes)",
            where=str(path),
            fix="check that the file may be read, or download it again",
        )
    zero, kind, count = struct.unpack(">HBB", start[:4])
    if zero != 0 or kind != 0x08 or count != axes:
        raise DataError(
            f"its magic number is 0x{start[:4].hex()}, not 0x000008{axes:02x}",
            where=str(path),
            why=f"an idx file of unsigned bytes with {axes} axes was expected",
            fix="name the file that holds what is asked for",
        )
    shape = struct.unpack(f">{axes}I", start[4:length])
    _check_claim(path, shape)
    return _IdxFile(path, shape)


def _check_claim(path: Path, shape: tuple[int, ...]) -> None:
    claimed, present = 1, path.stat().st_size
    for size in shape:
        claimed *= size
    if claimed == 0 or claimed > min(_LARGEST, present * _BEST_RATIO):
        raise DataError(
            f"its header claims {' x '.join(map(str, shape))} values",
            where=str(path),
            why=f"it has {present} bytes",
            fix="download the file again",
        )


def _unpack(path: Path, expected: int) -> bytes:
    """At most one byte more than expected, however far the file would unpack."""
    try:
        return zlib.decompressobj(31).decompress(path.read_bytes(), expected + 1)
    except zlib.error as error:
        raise DataError(
            f"its gzip data are damaged: {error}", where=str(path), fix="fetch the file again"
        ) from error
