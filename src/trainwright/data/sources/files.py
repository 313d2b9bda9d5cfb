"""Files of one kind, with labels and the like read from their names."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from trainwright.data.sources.base import existing
from trainwright.data.sources.file_set import FileSet, examples, stem, suffix
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES, PICTURE_SUFFIXES
from trainwright.data.sources.gathered import GatheredSource
from trainwright.data.sources.row_filter import row_mask
from trainwright.data.sources.split_words import split_of_path, split_of_word
from trainwright.data.types import Values
from trainwright.errors import DataError, RecipeError

Kind = Literal["image", "audio", "video"]
SUFFIXES: dict[str, frozenset[str]] = {
    "image": PICTURE_SUFFIXES,
    "audio": frozenset([".wav", ".flac", ".ogg", ".mp3", ".aif", ".aiff", ".au", ".opus"]),
    "video": frozenset([".mp4", ".avi", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".wmv", ".gif"]),
}
_FIELD = re.compile(r"\{(\w*)\}")


class FilesSource(GatheredSource):
    """One row per file of a kind, with a column per named part of its name.

    With `{label}_{speaker}_{index}.wav` the file `7_jackson_3.wav` has label 7, speaker jackson and index
    3. A part is as short as it can be and never reaches over a `/`; a pattern with `/` is matched against
    the path from the root, another one against the file's name. Parts that are whole numbers in every
    name are numbers. A file whose name does not match is a fault.

    Columns:
        image, audio or video: The file, by its kind.
        (parts): The named parts of the pattern.
        label: Without a pattern, the name of the folder, where files lie in two or more (below folders
            named train, val and test); files beside these folders are left out and counted.

    Args:
        root: Folder or zip archive.
        kind: What the files are; others are left out and counted.
        pattern: `{name}` for a part, all else as it stands; or a regular expression with named groups
            `(?P<name>...)`.
        splits: Split -> condition on the parts, such as `{test: "index < 5"}`; files that meet none are
            for training. Folders named train, val and test are splits when absent.
    """

    def __init__(
        self, *, root: str, kind: Kind, pattern: str | None = None, splits: dict[str, str] | None = None
    ) -> None:
        super().__init__()
        self._files = FileSet(existing(root, "data.source.root"))
        found = self._files.under("", SUFFIXES[kind])
        others = [name for name in self._files.names if suffix(name) not in SUFFIXES[kind]]
        if others:
            self._notes[f"files are no {kind} by name and were left out: {examples(others)}"] = len(others)
        parts: dict[str, list[str]] = {}
        for name in found:
            matched = None if pattern is None else match_name(pattern, name)
            if pattern is not None and matched is None:
                self.faults.append((name, f"its name does not match {pattern!r}"))
                continue
            self.names.append(name)
            for part, value in (matched or {}).items():
                parts.setdefault(part, []).append(value)
        columns = {part: _typed(values) for part, values in parts.items()}
        if kind in columns:
            raise RecipeError(
                f"a part is named {kind!r}, as the file itself",
                where="data.source.pattern",
                fix="give that part of the pattern another name",
            )
        if pattern is None:
            columns = self._labels_of_folders(kind)
        self.columns = {kind: kind} | dict.fromkeys(columns, "category")
        self.slow_columns: Collection[str] = (kind,)
        self.values = {kind: [self._files.file(name) for name in self.names], **columns}
        self._split(splits, columns)
        self.finish(str(self._files.root), f"looked for files that are {kind} by name")

    def _labels_of_folders(self, kind: str) -> dict[str, Values]:
        """A column of class folders, where there are any; files in none of them are left out."""
        labels = {name: _class_folder(name) for name in self.names}
        if len(set(labels.values()) - {""}) < 2:
            return {}
        loose = [name for name, label in labels.items() if not label]
        if loose:
            self._notes[f"{kind} files lie in no class folder and were left out: {examples(loose)}"] = len(
                loose
            )
        self.names = [name for name in self.names if labels[name]]
        return {"label": np.array([labels[name] for name in self.names], dtype=object)}

    def _split(self, splits: dict[str, str] | None, columns: dict[str, Values]) -> None:
        if splits is None:
            for row, name in enumerate(self.names):
                self.put_in_split(split_of_path(name), row)
            return
        owner = np.full(len(self), "train", dtype=object)
        taken = np.zeros(len(self), dtype=bool)
        for split, condition in splits.items():
            try:
                mask = row_mask(condition, list(columns), lambda part: np.asarray(columns[part]), len(self))
            except RecipeError as error:
                error.where = f"data.source.splits.{split}"
                raise
            if (mask & taken).any():
                row = int(np.flatnonzero(mask & taken)[0])
                raise DataError(
                    f"{self.names[row]} is in {owner[row]} already",
                    where=f"data.source.splits.{split}",
                    fix="name the sample in one split only",
                )
            owner[mask], taken[mask] = split, True
        for row, split in enumerate(owner.tolist()):
            self.put_in_split(split, row)


def only_these(path: Path, kind: Kind) -> bool:
    """Whether a folder or zip archive holds files of a kind, and no pictures."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return False
    found = {suffix(name) for name in FileSet(path).names}
    return bool(found & SUFFIXES[kind]) and not found & IMAGE_SUFFIXES - SUFFIXES[kind]


def _class_folder(name: str) -> str:
    """The outermost folder of a path that names no split, `""` without one."""
    folders = name.split("/")[:-1]
    if folders and split_of_word(folders[0]):
        folders = folders[1:]
    return folders[0] if folders else ""


def match_name(pattern: str, name: str) -> dict[str, str] | None:
    """The named parts of a file's name, None where it does not match.

    Raises:
        RecipeError: The pattern cannot be understood.
    """
    expression = compile_pattern(pattern)
    candidates = [name] if "/" in pattern else [PurePosixPath(name).name]
    candidates.append(stem(candidates[0]))
    for candidate in candidates:
        match = expression.fullmatch(candidate)
        if match:
            return {part: value or "" for part, value in match.groupdict().items()}
    return None


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """A regular expression from a pattern with `{name}` parts, or from one that is written as one."""
    text = pattern
    if "(?P<" not in pattern:
        pieces = _FIELD.split(pattern)
        text = "".join(
            re.escape(piece) if place % 2 == 0 else f"(?P<{piece}>[^/]+?)" if piece else "[^/]+?"
            for place, piece in enumerate(pieces)
        )
    try:
        return re.compile(text)
    except re.error as error:
        raise RecipeError(
            f"{pattern!r} is no pattern: {error}",
            where="data.source.pattern",
            fix="write it like {label}_{speaker}_{index}.wav",
        ) from None


def _typed(values: list[str]) -> Values:
    if all(value.isdecimal() and len(value) < 18 for value in values):
        return np.array([int(value) for value in values], dtype=np.int64)
    return np.array(values, dtype=object)
