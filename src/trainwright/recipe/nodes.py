"""Recipe values with the place that each came from, and key paths."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from trainwright.errors import RecipeError

KeyPath = tuple[str | int, ...]

_PLAIN_PART = re.compile(r"[^.\"\s=]+")
_PART = re.compile(r'"((?:[^"\\]|\\.)*)"|([^."\s=]+)')


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from.

    Attributes:
        source: A file's name, `override`, `default`, or `given` for a mapping from Python.
        line: Line in the file, counted from 1.
    """

    source: str
    line: int | None = None

    def __str__(self) -> str:
        return self.source if self.line is None else f"{self.source}:{self.line}"


DEFAULT = Origin("default")
OVERRIDE = Origin("override")
GIVEN = Origin("given")


@dataclass(frozen=True, slots=True)
class Unset:
    """What stands for a text that names environment variables which are not set.

    It is an error only where nothing takes its place: an override, a recipe that extends this one.

    Attributes:
        text: As it was written.
        names: The variables.
    """

    text: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Node:
    """A value and its origin; mappings and lists hold further nodes."""

    value: Any
    origin: Origin

    def plain(self) -> Any:
        """The value alone."""
        if isinstance(self.value, dict):
            return {key: item.plain() for key, item in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value

    def child(self, part: str | int) -> Node | None:
        """The node of a key or an index, if there is one."""
        if isinstance(self.value, dict):
            return self.value.get(part)
        if isinstance(self.value, list) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None

    def find(self, path: KeyPath) -> Node | None:
        """The node at a key path, if there is one."""
        node: Node | None = self
        for part in path:
            node = None if node is None else node.child(part)
        return node

    def nearest(self, path: KeyPath) -> Node:
        """The deepest existing node on the way to a key path."""
        node = self
        for part in path:
            below = node.child(part)
            if below is None:
                break
            node = below
        return node

    def unset(self) -> Iterator[Node]:
        """Every node, itself included, whose value is `Unset`."""
        if isinstance(self.value, Unset):
            yield self
        children = self.value.values() if isinstance(self.value, dict) else self.value
        for child in children if isinstance(self.value, dict | list) else ():
            yield from child.unset()

    def copy(self) -> Node:
        """A copy that shares nothing with this one."""
        if isinstance(self.value, dict):
            return Node({key: item.copy() for key, item in self.value.items()}, self.origin)
        if isinstance(self.value, list):
            return Node([item.copy() for item in self.value], self.origin)
        return Node(self.value, self.origin)


def from_plain(value: Any, origin: Origin, path: KeyPath = ()) -> Node:
    """Nodes for a value from Python: mappings, sequences, scalars, NumPy scalars and paths.

    Raises:
        RecipeError: A value of another type, which no recipe can hold.
    """
    if isinstance(value, Mapping):
        items = {str(key): from_plain(item, origin, (*path, str(key))) for key, item in value.items()}
        return Node(items, origin)
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return Node([from_plain(item, origin, (*path, i)) for i, item in enumerate(value)], origin)
    if value is None or isinstance(value, bool | int | float | str):
        return Node(value, origin)
    if isinstance(value, PurePath):
        return Node(str(value), origin)
    if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
        return Node(value.item(), origin)
    raise RecipeError(
        f"a {type(value).__name__} cannot be written in a recipe",
        where=join_path(path),
        fix="give text, numbers, true or false, lists and mappings of these",
    )


def leaves(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    """Every scalar and every empty container of a plain value, with its key path."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list | tuple) and value:
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index))
    else:
        yield path, value


def join_path(path: KeyPath) -> str:
    """A key path as text: `data.augment.0.padding`; a part with dots in it is quoted."""
    return ".".join(_quote(str(part)) for part in path)


def _quote(part: str) -> str:
    if _PLAIN_PART.fullmatch(part):
        return part
    escaped = part.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def split_path(text: str) -> tuple[str, ...]:
    """The parts of a key path; the inverse of `join_path`, but for numbers, which stay text.

    Raises:
        RecipeError: It is empty or has an empty part.
    """
    parts: list[str] = []
    at = 0
    while True:
        found = _PART.match(text, at)
        if not found:
            raise RecipeError(f"{text!r} is not a key path", fix="write it as train.optimizer.lr")
        quoted, bare = found.groups()
        parts.append(re.sub(r"\\(.)", r"\1", quoted) if bare is None else bare)
        at = found.end()
        if at == len(text):
            return tuple(parts)
        if text[at] != ".":
            raise RecipeError(f"{text!r} is not a key path", fix="write it as train.optimizer.lr")
        at += 1
