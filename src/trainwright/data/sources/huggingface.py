"""Hugging Face datasets on this machine, as `save_to_disk` leaves them; nothing is fetched."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import numpy as np

from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.folder import SPLIT_NAMES
from trainwright.data.tables.arrow_values import to_numpy
from trainwright.data.types import BadSample, RawFile, Role, Values
from trainwright.errors import DataError, MissingExtra


class HuggingFaceSource(BaseSource):
    """A dataset that `datasets` saved to disk: one split, or several side by side.

    Columns keep their names. Class labels are their names, images are decoded when they are asked for,
    from bytes in the dataset or from files beside it.

    Args:
        path: Folder that `save_to_disk` wrote.
    """

    def __init__(self, *, path: str) -> None:
        self._root = existing(path, "data.source.path")
        loaded = _load(self._root)
        parts = dict(loaded) if isinstance(loaded, dict) else {"": loaded}
        self._parts = {name: part for name, part in parts.items() if len(part)}
        if not self._parts:
            raise DataError("the dataset has no rows", where=path, fix="name another split or configuration")
        first = next(iter(self._parts.values()))
        for name, part in self._parts.items():
            if part.features != first.features:
                raise DataError(
                    f"split {name} has other columns than the first one",
                    where=path,
                    fix="give all splits the same columns",
                )
        self._features = first.features
        self.columns: dict[str, Role] = {name: _role(item) for name, item in self._features.items()}
        self.slow_columns = [name for name, role in self.columns.items() if role == "image"]

    def __len__(self) -> int:
        return sum(map(len, self._parts.values()))

    def column(self, name: str) -> Values:
        """Numbers as an array, texts and names of classes as objects, images as decoded arrays."""
        feature = self._features[self.require(name)]
        if self.columns[name] == "image":
            return LazySequence(len(self), lambda row: self._picture(name, row))
        chunks = [_stored(part, name) for part in self._parts.values()]
        values = np.concatenate(chunks)
        names = getattr(feature, "names", None)
        if names is None:
            return values
        return np.array(
            [names[int(item)] if item is not None and item >= 0 else None for item in values], dtype=object
        )

    def splits(self) -> dict[str, np.ndarray] | None:
        """The dataset's own splits, None where it has one part only."""
        if len(self._parts) == 1:
            return None
        found: dict[str, np.ndarray] = {}
        start = 0
        for name, part in self._parts.items():
            split = SPLIT_NAMES.get(name.lower(), name)
            found[split] = np.arange(start, start + len(part))
            start += len(part)
        return found

    def sample_names(self) -> Any:
        """`train:17`, the split and the row in it from 0."""
        return LazySequence(len(self), lambda row: "{}:{}".format(*self._at(row)).lstrip(":"))

    def files(self) -> list[Path]:
        """Every file of the dataset's folder."""
        return sorted(path for path in self._root.rglob("*") if path.is_file())

    def _at(self, row: int) -> tuple[str, int]:
        for name, part in self._parts.items():
            if row < len(part):
                return name, row
            row -= len(part)
        raise IndexError(row)

    def _picture(self, name: str, row: int) -> Any:
        """A picture as an array, a file, or None where it is missing."""
        from PIL import Image

        split, place = self._at(row)
        stored = _undecoded(self._parts[split], name)[place][name]
        if stored is None:
            return None
        if stored.get("bytes") is None:
            return RawFile(stored["path"])
        try:
            with Image.open(io.BytesIO(stored["bytes"])) as image:
                return np.asarray(image.convert("RGB"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise BadSample(f"the picture cannot be decoded: {error}") from error


def _load(path: Path) -> Any:
    try:
        import datasets
    except ImportError:
        raise MissingExtra("datasets", "huggingface") from None
    if not any((path / name).is_file() for name in ("dataset_dict.json", "state.json")):
        raise DataError(
            "the folder holds no saved dataset",
            where=str(path),
            why="there is neither dataset_dict.json nor state.json",
            fix="save one with dataset.save_to_disk(folder), or use the table source for Parquet files",
        )
    with contextlib.suppress(AttributeError):
        datasets.disable_progress_bars()
    try:
        return datasets.load_from_disk(str(path))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(
            f"the dataset cannot be read: {error}", where=str(path), fix="download the dataset again"
        ) from error


def _role(feature: Any) -> Role:
    kind = type(feature).__name__
    if kind == "Image":
        return "image"
    if kind == "ClassLabel":
        return "category"
    dtype = str(getattr(feature, "dtype", ""))
    return "number" if "float" in dtype or "int" in dtype else "category"


def _stored(part: Any, name: str) -> np.ndarray:
    """The values of a column in the order of the dataset's rows, as Arrow has them."""
    table = part.with_format("arrow")[:]
    return to_numpy(table.column(name))


def _undecoded(part: Any, name: str) -> Any:
    import datasets

    return part.cast_column(name, datasets.Image(decode=False))
