"""Files of sound or moving pictures, labelled by their folders or by a pattern of their names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np

from trainwright.data.sources.base import BaseSource, LazySequence, existing
from trainwright.data.sources.file_set import FileSet, count_words, in_split_order, stem, suffix
from trainwright.data.sources.file_tree import IMAGE_SUFFIXES
from trainwright.data.sources.row_filter import row_mask
from trainwright.data.sources.split_words import split_of_word
from trainwright.data.types import Role, Values
from trainwright.errors import DataError, RecipeError

_FIELD = re.compile(r"\{(\w+)\}")
_MOST_CLASSES = 50


class SignalFilesSource(BaseSource):
    """Files in a folder or zip archive, each one a sample.

    With a `pattern` the names of the files give further columns, and files that do not fit are faults.
    Without one, files in two folders or more are labelled by their folder, below folders named train,
    val or test; files that lie together have no label.

    Args:
        root: Folder, or `.zip` archive.
        pattern: Names of the files without their suffix, such as `{digit}_{speaker}_{index}`; a `/`
            stands for a folder. Columns whose texts all are whole numbers hold numbers.
        splits: Split -> which files are in it, such as `test: index < 5`, in the grammar of the table
            source's `row_filter`; the others are for training.
    """

    role: ClassVar[Role]
    suffixes: ClassVar[frozenset[str]]
    what: ClassVar[str]

    def __init__(
        self, *, root: str, pattern: str | None = None, splits: Mapping[str, str] | None = None
    ) -> None:
        path = existing(root, "data.source.root")
        self._set = FileSet(path)
        self._where = str(path)
        names = self._set.under("", self.suffixes)
        if not names:
            raise DataError(
                f"there are no {self.what} files",
                where=self._where,
                why=f"looked for {', '.join(sorted(self.suffixes))}",
            )
        notes: Counter[str] = Counter()
        others = len(self._set.names) - len(names)
        if others:
            notes[f"files are no {self.what} by name and were left out"] = others
        self._fields: dict[str, np.ndarray] = {}
        self._splits: dict[str, np.ndarray] | None = None
        self._names = self._by_pattern(names, pattern) if pattern else self._by_folder(names, notes)
        self.columns: dict[str, Role] = {self.role: self.role}
        self.columns |= {name: _role(values) for name, values in self._fields.items()}
        self.slow_columns: Collection[str] = (self.role,)
        self.notices = count_words(notes)
        if splits:
            self._splits = self._by_condition(splits)

    def __len__(self) -> int:
        return len(self._names)

    def column(self, name: str) -> Values:
        """`RawFile`s, or what the names say."""
        if self.require(name) != self.role:
            return self._fields[name]
        return LazySequence(len(self), lambda row: self._set.file(self._names[row]))

    def splits(self) -> dict[str, np.ndarray] | None:
        """Rows by condition or by folder, None without either."""
        return self._splits

    def sample_names(self) -> Sequence[str]:
        """Paths relative to the root, with `/`."""
        return self._names

    def files(self) -> list[Path]:
        """Every file, or the one archive."""
        return self._set.paths(self._names)

    def _by_pattern(self, names: list[str], pattern: str) -> list[str]:
        expression, fields = _expression(pattern)
        if self.role in fields:
            raise RecipeError(f"{self.role!r} names the files themselves", where="data.source.pattern")
        deep = "/" in pattern
        found = {}
        faults = []
        for name in names:
            match = expression.fullmatch(stem(name) if deep else stem(name).rpartition("/")[2])
            if match:
                found[name] = match.groups()
            else:
                faults.append((self._set.where(name), f"its name does not fit the pattern {pattern}"))
        self.faults = faults
        if not found:
            raise DataError(
                f"no file fits the pattern {pattern}", where=self._where, why=f"the first is {names[0]}"
            )
        for place, field in enumerate(fields):
            texts = [groups[place] for groups in found.values()]
            whole = all(text.isdecimal() and text.isascii() and len(text) < 19 for text in texts)
            self._fields[field] = np.array(
                list(map(int, texts)) if whole else texts, dtype=None if whole else object
            )
        return list(found)

    def _by_folder(self, names: list[str], notes: Counter[str]) -> list[str]:
        placed = [(name, name.split("/")[:-1]) for name in names]
        divided = any(folders and split_of_word(folders[0]) for _, folders in placed)
        labels: dict[str, tuple[str, str]] = {}
        for name, folders in placed:
            split = (split_of_word(folders[0]) if folders else None) or "" if divided else ""
            below = folders[1:] if divided else folders
            labels[name] = (split, below[0] if below else "")
        classes = {label for _, label in labels.values()}
        if divided and any(not split for split, _ in labels.values()):
            outside = [name for name, (split, _) in labels.items() if not split]
            notes[f"{self.what} files lie in no split's folder and were left out"] = len(outside)
            labels = {name: pair for name, pair in labels.items() if pair[0]}
        if len(classes) > 1 and "" in classes:
            loose = [name for name, (_, label) in labels.items() if not label]
            notes[f"{self.what} files lie in no class folder and were left out"] = len(loose)
            labels = {name: pair for name, pair in labels.items() if pair[1]}
        kept = list(labels)
        if len(classes) > 1:
            self._fields["label"] = np.array([labels[name][1] for name in kept], dtype=object)
        if divided:
            words = np.array([labels[name][0] for name in kept], dtype=object)
            self._splits = {word: np.flatnonzero(words == word) for word in in_split_order(words)}
        return kept

    def _by_condition(self, splits: Mapping[str, str]) -> dict[str, np.ndarray]:
        taken = np.zeros(len(self), dtype=bool)
        found: dict[str, np.ndarray] = {}
        for name, condition in splits.items():
            if name not in ("train", "val", "test"):
                raise RecipeError(
                    f"{name!r} is no split", where="data.source.splits", fix="write train, val or test"
                )
            mask = row_mask(condition, list(self._fields), self._fields.__getitem__, len(self))
            if (mask & taken).any():
                raise RecipeError(
                    f"{int((mask & taken).sum())} files are in the {name} split and in another",
                    where=f"data.source.splits.{name}",
                )
            taken |= mask
            found[name] = np.flatnonzero(mask)
        if "train" not in found:
            found["train"] = np.flatnonzero(~taken)
        return {name: found[name] for name in in_split_order(found)}


def only_these(path: Path, suffixes: Collection[str]) -> bool:
    """Whether a folder or zip archive holds files with these suffixes, and none of other common media."""
    if not path.is_dir() and path.suffix.lower() != ".zip":
        return False
    found = {suffix(name) for name in FileSet(path).names}
    return bool(found & set(suffixes)) and not found & IMAGE_SUFFIXES


def _role(values: np.ndarray) -> Role:
    return "number" if values.dtype.kind == "i" and len(np.unique(values)) > _MOST_CLASSES else "category"


def _expression(pattern: str) -> tuple[re.Pattern[str], list[str]]:
    """A regular expression for whole names, and the fields of its groups in order."""
    fields = _FIELD.findall(pattern)
    if not fields or len(set(fields)) != len(fields) or re.search(r"\}\{", pattern):
        raise RecipeError(
            f"{pattern!r} is no pattern of names",
            where="data.source.pattern",
            why="it needs fields in braces, each once, with text between them",
            fix="for example {label}_{speaker}_{index}",
        )
    texts = _FIELD.split(pattern)[::2]
    # No field holds a character that separates fields: names with more parts do not fit, and matching
    # takes linear time.
    between = re.escape("".join(text[0] for text in texts[1:-1]))
    last = re.escape(texts[-1][:1])
    groups = [f"([^/{between}{last}]+)" for _ in fields]
    parts = [re.escape(texts[0]), *(g + re.escape(t) for g, t in zip(groups, texts[1:], strict=True))]
    return re.compile("".join(parts)), fields
