"""Changes of single values from the command line or from Python.

`a.b=value`, `--a.b value` and `--a.b=value` are the same; a list's items are counted from 0; an
alias of the recipe stands for its key path; `null` unsets. A value is read as YAML 1.2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainwright.errors import RecipeError, TrainwrightError, raise_all
from trainwright.recipe.choosing import choose, dropped_by, promote
from trainwright.recipe.nodes import OVERRIDE, KeyPath, Node, from_plain, join_path, split_path
from trainwright.recipe.schema import Recipe
from trainwright.recipe.slots import (
    accepts_null,
    advice,
    annotation_at,
    below,
    chooser,
    empty_container,
    typed_path,
)
from trainwright.recipe.yaml12 import expand_given, parse_value


@dataclass(frozen=True)
class Override:
    """One change: a key path or alias as it was written, and the value."""

    name: str
    value: Node


def read_overrides(given: Mapping[str, Any] | Sequence[str]) -> list[Override]:
    """Overrides from a mapping of key paths to values, or from command-line words.

    Raises:
        RecipeError, ErrorList: A word is no override, or its value is not YAML.
    """
    if isinstance(given, Mapping):
        return [
            Override(name, expand_given(from_plain(value, OVERRIDE, (name,))))
            for name, value in given.items()
        ]
    if isinstance(given, str):
        raise TypeError("overrides are a mapping or a list of words, not one word")
    found: list[Override] = []
    errors: list[TrainwrightError] = []
    for name, text in _pairs(given, errors):
        try:
            found.append(Override(name, parse_value(text, OVERRIDE)))
        except RecipeError as error:
            fix = error.fix or "quote text for YAML: a.b='\"text\"'"
            errors.append(RecipeError(error.what, where=f"override {name}={text}", fix=fix))
    raise_all(errors)
    return found


def _pairs(words: Sequence[str], errors: list[TrainwrightError]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    waiting = list(words)
    while waiting:
        word = waiting.pop(0)
        name, equals, text = word.removeprefix("--").partition("=")
        if not equals and word.startswith("--") and waiting and not waiting[0].startswith("--"):
            equals, text = "=", waiting.pop(0)
        if equals and name:
            pairs.append((name, text))
        else:
            what = "has no value" if word.startswith("--") else "is not an override"
            errors.append(RecipeError(f"`{word}` {what}", fix="write a.b=value or --a.b value"))
    return pairs


def apply_overrides(tree: Node, overrides: Sequence[Override]) -> list[str]:
    """Changes `tree` in place. Choices of components go first, removals from lists last.

    Returns:
        Notices about parameters that were dropped with their component.

    Raises:
        RecipeError, ErrorList: A key path does not exist.
    """
    aliases = _aliases(tree)
    notices: list[str] = []
    errors: list[TrainwrightError] = []
    rows = []
    for override in overrides:
        try:
            rows.append((split_path(aliases.get(override.name, override.name)), override))
        except RecipeError as error:
            errors.append(error)
    for parts, override in sorted(rows, key=lambda row: _turn(tree, row[0], row[1].value)):
        try:
            notices += _apply(tree, parts, override)
        except RecipeError as error:
            errors.append(error)
    raise_all(errors)
    return notices


def _aliases(tree: Node) -> dict[str, str]:
    node = tree.child("aliases")
    items = node.value if node and isinstance(node.value, dict) else {}
    return {name: item.value for name, item in items.items() if isinstance(item.value, str)}


def _turn(tree: Node, parts: tuple[str, ...], value: Node) -> tuple[int, int]:
    """Parameters fit the component that is chosen; a removal renumbers the items behind it."""
    path = typed_path(parts, tree)
    if isinstance(path[-1], int) and value.value is None:
        return 2, -path[-1]
    parent, annotation = annotation_at(path[:-1], tree), annotation_at(path, tree)
    chooses = chooser(annotation) or (parent is not None and chooser(parent) == path[-1])
    return (0 if chooses else 1), 0


def _apply(tree: Node, parts: tuple[str, ...], override: Override) -> list[str]:
    path = typed_path(parts, tree)
    if annotation_at(path, tree) is None:
        raise _unknown(tree, path, override)
    node, annotation = tree, Recipe
    for index, part in enumerate(path[:-1]):
        inner = below(annotation, node, part)
        node = _enter(node, inner, part, path[: index + 1], override)
        annotation = inner
    return _set(node, annotation, path, override)


def _enter(node: Node, inner: Any, part: str | int, path: KeyPath, override: Override) -> Node:
    """The container at a part of the path, made where it is missing."""
    child = node.child(part)
    if child is None or child.value is None:
        child = Node(empty_container(inner), OVERRIDE)
        _put(node, part, child, path, override)
    promote(inner, child)
    if not isinstance(child.value, dict | list):
        raise _wrong(override, f"{join_path(path)} is {child.value!r}, which has nothing within it")
    return child


def _set(node: Node, annotation: Any, path: KeyPath, override: Override) -> list[str]:
    part, value = path[-1], override.value
    inner = below(annotation, node, part)
    if value.value is None and not accepts_null(inner):
        _remove(node, part)
        return []
    if chooser(annotation) == part and isinstance(value.value, str):
        return choose(annotation, node, value.value, OVERRIDE, path[:-1])
    old = node.child(part)
    if chooser(inner) and isinstance(value.value, str) and old is not None:
        return choose(inner, old, value.value, OVERRIDE, path)
    notices = dropped_by(inner, old, value, path) if chooser(inner) else []
    _put(node, part, value.copy(), path, override)
    return notices


def _put(node: Node, part: str | int, value: Node, path: KeyPath, override: Override) -> None:
    if not isinstance(node.value, list):
        node.value[part] = value
    elif isinstance(part, int) and part <= len(node.value):
        node.value[part : part + 1] = [value]
    else:
        raise _wrong(override, f"{join_path(path[:-1])} has {len(node.value)} items, counted from 0")


def _remove(node: Node, part: str | int) -> None:
    if isinstance(node.value, dict):
        node.value.pop(part, None)
    elif isinstance(part, int) and part < len(node.value):
        del node.value[part]


def _unknown(tree: Node, path: KeyPath, override: Override) -> RecipeError:
    fix = advice(path, tree) or "`trainwright explain train` lists keys"
    return RecipeError(f"there is no key `{join_path(path)}`", where=f"override {override.name}", fix=fix)


def _wrong(override: Override, what: str) -> RecipeError:
    return RecipeError(
        what, where=f"override {override.name}", fix="compare `trainwright explain` of the key"
    )
