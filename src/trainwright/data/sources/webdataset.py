"""WebDataset's tar shards: members of one key are a sample, their suffixes are its columns.

The form is described at https://github.com/webdataset/webdataset: `train-000.tar` holds `0001.jpg`,
`0001.cls`, `0002.jpg`, ... Everything up to the first dot of the file's name is the key.
"""

from __future__ import annotations

import glob
import json
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trainwright.data.archive import ArchiveError, open_archive
from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES
from trainwright.data.sources.folder import SPLIT_NAMES
from trainwright.data.types import RawFile, Role, Values
from trainwright.errors import DataError
from trainwright.wording import with_count

_SHARD_SUFFIXES = (".tar", ".tar.gz", ".tgz")
_ROLES = {"cls": "category", "txt": "text", "wav": "audio", "flac": "audio", "mp4": "video"}


class WebDatasetSource(BaseSource):
    """Tar shards in which the members of one key are a sample.

    Shards are read in place and in any order; compressed ones are unpacked once into the cache. A member
    that a sample lacks is a missing value. Hidden members are left out.

    Columns:
        image: The file, whatever its image suffix.
        cls, txt: What the file says, as text.
        json.NAME: A value of the sample's JSON object.
        SUFFIX: Any other file.

    Args:
        root: A shard, a folder of shards, or a pattern such as `shards/train-*.tar`.
        splits: `auto` takes shards whose names begin with train, val (valid, validation) or test as
            splits; `ignore` joins them.
    """

    slow_columns: Collection[str] = ("image",)

    def __init__(self, *, root: str, splits: Literal["auto", "ignore"] = "auto") -> None:
        self._shards = _find_shards(root)
        self._names: list[str] = []
        self._samples: list[dict[str, RawFile]] = []
        self._shard_of: list[int] = []
        hidden, left_out = 0, 0
        for number, shard in enumerate(self._shards):
            samples, counts = _group(shard)
            hidden, left_out = hidden + counts[0], left_out + counts[1]
            self._names += [f"{shard.name}:{key}" for key in samples]
            self._samples += samples.values()
            self._shard_of += [number] * len(samples)
        self._json: list[dict[str, Any] | None] | None = None
        self.columns = self._find_columns()
        self._use_splits = splits == "auto"
        self.notices = [
            with_count(count, f"{what} and were left out")
            for count, what in (
                (hidden, "members are hidden"),
                (left_out, "entries of the shards are no files"),
            )
            if count
        ]

    def __len__(self) -> int:
        return len(self._samples)

    def column(self, name: str) -> Values:
        """`RawFile`s, or texts of `cls` and `txt`, or values of the JSON objects; None where missing."""
        self.require(name)
        if name.startswith("json."):
            key = name.removeprefix("json.")
            return np.array(
                [None if item is None else item.get(key) for item in self._objects()], dtype=object
            )
        if name in ("cls", "txt"):
            return np.array([_text(sample.get(name)) for sample in self._samples], dtype=object)
        return LazySequence(len(self), lambda row: self._samples[row].get(name) or self._missing(row, name))

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows of the shards by the beginning of their names, None where no shard is named train."""
        of_shard = [_split_of(shard.name) for shard in self._shards]
        if not self._use_splits or "train" not in of_shard:
            return None
        unknown = [shard.name for shard, split in zip(self._shards, of_shard, strict=True) if split is None]
        if unknown:
            raise DataError(
                f"shard {unknown[0]} belongs to no split",
                where="data.source.root",
                why="other shards' names begin with train, val or test",
                fix="rename it, or set splits: ignore",
            )
        shards = np.array(self._shard_of)
        names = dict.fromkeys(name for name in ("train", "val", "test") if name in of_shard)
        return {
            name: np.flatnonzero(np.isin(shards, [i for i, split in enumerate(of_shard) if split == name]))
            for name in names
        }

    def sample_names(self) -> Sequence[str]:
        """`SHARD:KEY`."""
        return self._names

    def files(self) -> list[Path]:
        """The shards."""
        return list(self._shards)

    def _missing(self, row: int, name: str) -> RawFile:
        """The file that a sample should have; it cannot be read, which makes the sample a bad one."""
        key = self._names[row].partition(":")[2]
        return RawFile(str(self._shards[self._shard_of[row]]), f"{key}.{name}")

    def _find_columns(self) -> dict[str, Role]:
        counts = Counter(suffix for sample in self._samples for suffix in sample)
        columns: dict[str, Role] = {}
        for suffix in counts:
            if suffix == "json":
                first = next(item for item in self._objects() if item is not None)
                columns |= {f"json.{key}": _role(value) for key, value in first.items()}
            else:
                columns[suffix] = "image" if suffix == "image" else _ROLES.get(suffix, "file")
        return columns

    def _objects(self) -> list[dict[str, Any] | None]:
        if self._json is None:
            self._json = [
                _object(sample.get("json"), name)
                for sample, name in zip(self._samples, self._names, strict=True)
            ]
        return self._json


def _find_shards(root: str) -> list[Path]:
    if glob.has_magic(root):
        found = [Path(name) for name in sorted(glob.glob(str(Path(root).expanduser())))]  # noqa: PTH207
    else:
        path = existing(root, "data.source.root")
        found = sorted(path.iterdir()) if path.is_dir() else [path]
        found = [item for item in found if item.is_file()] if path.is_dir() else found
    shards = [path for path in found if path.name.lower().endswith(_SHARD_SUFFIXES)]
    if not shards:
        raise DataError(
            "there are no tar shards",
            where="data.source.root",
            why=f"looked for {', '.join(_SHARD_SUFFIXES)} in {root}",
            fix="give a shard, a folder of shards, or a pattern such as shards/train-*.tar",
        )
    return shards


def _group(shard: Path) -> tuple[dict[str, dict[str, RawFile]], tuple[int, int]]:
    """Key -> suffix -> member, and how many members are hidden and how many entries are no files."""
    try:
        archive = open_archive(str(shard))
    except (ArchiveError, OSError) as error:
        raise DataError(
            f"the shard cannot be read: {error}",
            where=str(shard),
            fix="bring it again as a whole, or take it away: the other shards are read without it",
        ) from error
    samples: dict[str, dict[str, RawFile]] = {}
    hidden = 0
    for name in archive.members:
        folder, _, base = name.rpartition("/")
        stem, _, suffix = base.partition(".")
        if not stem or not suffix:
            hidden += 1
            continue
        suffix = suffix.lower()
        column = "image" if f".{suffix}" in IMAGE_SUFFIXES else suffix
        sample = samples.setdefault(f"{folder}/{stem}" if folder else stem, {})
        if column in sample:
            raise DataError(
                f"a sample has two files for {column}",
                where=f"{shard}!{name}",
                fix="give the sample one file per column",
            )
        sample[column] = RawFile(str(shard), name)
    return samples, (hidden, getattr(archive, "left_out", 0))


def _split_of(name: str) -> str | None:
    word = "".join(letter if letter.isalpha() else " " for letter in name.lower()).split()
    return SPLIT_NAMES.get(word[0]) if word else None


def _text(file: RawFile | None) -> str | None:
    if file is None:
        return None
    try:
        return file.read().decode("utf-8").strip()
    except (OSError, ArchiveError, UnicodeDecodeError):
        return None  # counts as missing, and so as a bad sample


def _object(file: RawFile | None, name: str) -> dict[str, Any] | None:
    if file is None:
        return None
    try:
        found = json.loads(file.read())
    except (OSError, ArchiveError, ValueError, RecursionError) as error:
        raise DataError(
            f"its JSON cannot be read: {error}", where=name, fix="write the sample again"
        ) from error
    if not isinstance(found, dict):
        raise DataError("its JSON is no object", where=name, fix="write one mapping of names to values")
    return found


def _role(value: object) -> Role:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number"
    return "categories" if isinstance(value, list) else "category"
