"""A pattern that many file names follow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FEW = 0.2  # share of different texts up to which a part of the names is a class
_MOST_CLASSES = 200
_SEPARATORS = "_-."


@dataclass(frozen=True)
class NamePattern:
    """What the names have in common.

    Attributes:
        text: The pattern, such as `{label}_{part}_{index}`.
        label: Its field that is most likely the class.
        index: Its field that numbers the files of a class, None without one.
    """

    text: str
    label: str
    index: str | None


def common_pattern(stems: Sequence[str]) -> NamePattern | None:
    """The pattern of file names without suffix, None where they have no parts in common.

    Names are split at `_`, `-` or `.`. The class is the first part with two or more different texts,
    each of them several times; the last part is a number where all are.
    """
    for separator in _SEPARATORS:
        rows = [name.split(separator) for name in stems]
        count = len(rows[0])
        if count > 1 and all(len(row) == count and all(row) for row in rows):
            return _of_parts([list(column) for column in zip(*rows, strict=True)], separator)
    return None


def _of_parts(columns: list[list[str]], separator: str) -> NamePattern | None:
    label = next((place for place, column in enumerate(columns) if _is_class(column)), None)
    if label is None:
        return None
    last = len(columns) - 1
    numbered = last != label and all(re.fullmatch(r"[0-9]{1,9}", text) for text in columns[last])
    names = [f"part{place + 1}" for place in range(len(columns))]
    names[label] = "label"
    if numbered:
        names[last] = "index"
    text = separator.join(f"{{{name}}}" for name in names)
    return NamePattern(text, "label", "index" if numbered else None)


def _is_class(column: list[str]) -> bool:
    different = len(set(column))
    return 2 <= different <= min(_MOST_CLASSES, max(2, _FEW * len(column)))
