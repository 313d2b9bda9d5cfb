"""Loads a recipe: file, base, overrides, checks; keeps where every value came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright import registry
from trainwright.errors import RecipeError
from trainwright.recipe.choosing import merge
from trainwright.recipe.nodes import DEFAULT, GIVEN, KeyPath, Node, Origin, from_plain, join_path
from trainwright.recipe.overrides import apply_overrides, read_overrides
from trainwright.recipe.places import find_place, settle
from trainwright.recipe.schema import Recipe
from trainwright.recipe.shipped import find
from trainwright.recipe.validating import validate
from trainwright.recipe.writing import emit, emit_unexpanded
from trainwright.recipe.yaml12 import expand_given, parse_open, refuse_unset

Given = str | Path | Mapping[str, Any]


@dataclass(frozen=True)
class LoadedRecipe:
    """A valid recipe and its history.

    Attributes:
        recipe: Every value, components with all their parameters.
        resolved: The same as plain data.
        origins: Key path -> where the value came from, for every value, mapping and list.
        as_given: The recipe's text, before its base, variables and overrides.
        notices: What a person should know: dropped parameters, what could not be checked.
        overrides: Key path or alias as written -> value.
        source: Name of the file, `given` for a mapping.
        base: Name of the file that it extends, if it does.
        missing: Key path of each place that is not found -> where it was looked for, in words.
    """

    recipe: Recipe
    resolved: dict[str, Any]
    origins: dict[str, Origin]
    as_given: str
    notices: list[str] = field(default_factory=list)
    overrides: dict[str, Any] = field(default_factory=dict)
    source: str = "given"
    base: str | None = None
    missing: dict[str, str] = field(default_factory=dict)

    def dump_resolved(self) -> str:
        """YAML with every value and, as a comment, its origin; loading it gives the same recipe."""
        head = "# Every value of this recipe, and where it came from.\n"
        return head + emit(self.resolved, lambda path: str(self.origins.get(join_path(path), "")))


def load(recipe: Given, overrides: Mapping[str, Any] | Sequence[str] = ()) -> LoadedRecipe:
    """Reads and checks a recipe.

    Args:
        recipe: A file, the name of a shipped recipe, or the recipe as a mapping.
        overrides: Key path -> value, or words such as `train.epochs=3` and `--train.epochs 3`.

    Raises:
        RecipeError: One problem. ErrorList: several, all that could be found.
    """
    document = read_document(recipe)
    tree, notices = document.tree, list(document.notices)
    changes = read_overrides(overrides)
    if isinstance(tree.value, dict):
        notices += apply_overrides(tree, changes)
    refuse_unset(tree)
    folder = None if document.folder is None else document.folder.absolute()
    registry.search_in(_code_folders(tree, folder), folder)
    checked, more = validate(tree)
    changed, missing = settle(tree, checked, folder)
    if changed:
        checked, more = validate(tree)
    resolved = checked.model_dump()
    return LoadedRecipe(
        recipe=checked,
        resolved=resolved,
        origins={join_path(path): origin for path, origin in _origins(resolved, tree)},
        as_given=document.text,
        notices=notices + more,
        overrides={change.name: change.value.plain() for change in changes},
        source=document.source,
        base=document.base,
        missing=missing,
    )


def _code_folders(tree: Node, folder: Path | None) -> list[Path]:
    """The folders that the recipe names for modules of the user."""
    node = tree.child("code")
    items = node.value if node is not None and isinstance(node.value, list) else []
    texts = [item.value for item in items if isinstance(item.value, str)]
    return [Path(found) for text in texts if (found := find_place(text, folder)) is not None]


@dataclass
class Document:
    """A recipe as it was read, with its base merged in but nothing checked."""

    tree: Node
    text: str
    source: str
    base: str | None = None
    notices: list[str] = field(default_factory=list)
    folder: Path | None = None


def read_document(recipe: Given) -> Document:
    """Reads a recipe and what it extends. Raises RecipeError, ErrorList."""
    document = _read_one(recipe)
    base_name = _take_extends(document.tree)
    if base_name is None:
        return document
    base = _read_base(base_name, document.folder or Path())
    if _take_extends(base.tree) is not None:
        raise RecipeError(
            f"{base.source} itself extends another recipe",
            where=str(document.tree.origin),
            why="extending is one level deep, so that a recipe can be read in two files",
            fix="extend the last one, and copy the keys of the one between",
        )
    tree, notices = merge(base.tree, document.tree, Recipe)
    return Document(tree, document.text, document.source, base.source, notices, document.folder)


def _read_one(recipe: Given) -> Document:
    if isinstance(recipe, Mapping):
        tree = from_plain(recipe, GIVEN)
        text = emit_unexpanded(tree.plain()) if tree.value else "{}\n"
        return Document(expand_given(tree), text, str(GIVEN))
    path = find(recipe)
    text = _read_text(path)
    tree = parse_open(text, path.name if path.is_absolute() else str(path))
    return Document(tree, text, str(path), folder=path.parent)


def _read_base(name: str, folder: Path) -> Document:
    """A base is a file next to the recipe, or a shipped recipe."""
    beside = folder / name
    return _read_one(beside if beside.is_file() else name)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(
            "not UTF-8 text", where=str(path), why=str(error), fix="save the file as UTF-8"
        ) from error
    except OSError as error:
        raise RecipeError(
            f"cannot be read: {error.strerror}", where=str(path), fix="check that the file may be read"
        ) from error


def _take_extends(tree: Node) -> str | None:
    if not isinstance(tree.value, dict) or "extends" not in tree.value:
        return None
    node: Node = tree.value.pop("extends")
    if not isinstance(node.value, str):
        raise RecipeError(
            "`extends` takes one file or shipped recipe",
            where=str(node.origin),
            fix="write it as extends: other.yaml",
        )
    return node.value


def _origins(value: Any, node: Node | Origin, path: KeyPath = ()) -> list[tuple[KeyPath, Origin]]:
    """Origins of a resolved value and all within it, in order."""
    here = node.origin if isinstance(node, Node) else node
    rows = [(path, here)] if path else []
    if isinstance(value, dict):
        for key, item in value.items():
            rows += _origins(item, _inner(node, key), (*path, key))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            rows += _origins(item, _inner(node, index), (*path, index))
    return rows


def _inner(node: Node | Origin, part: str | int) -> Node | Origin:
    child = node.child(part) if isinstance(node, Node) else None
    if child is not None:
        return child
    # A bare name stands for the mapping that chooses the component.
    is_name = isinstance(node, Node) and isinstance(node.value, str) and part in ("name", "type")
    return node.origin if isinstance(node, Node) and is_name else DEFAULT
