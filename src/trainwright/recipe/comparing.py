"""What differs between two recipes, or between a recipe and the one that it extends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from trainwright.errors import RecipeError
from trainwright.recipe.loading import Given, LoadedRecipe, load
from trainwright.recipe.nodes import DEFAULT, Origin, join_path, leaves
from trainwright.recipe.writing import flow


@dataclass(frozen=True)
class RecipeChange:
    """One key path whose value differs.

    Attributes:
        path: Key path.
        kind: Seen from the left recipe to the right one.
        left: Value on the left; None where it has none.
        right: Value on the right; None where it has none.
        left_origin: Where the left value came from.
        right_origin: Where the right value came from.
    """

    path: str
    kind: Literal["changed", "added", "removed"]
    left: Any = None
    right: Any = None
    left_origin: Origin | None = None
    right_origin: Origin | None = None

    def __str__(self) -> str:
        left = f"{flow(self.left)} ({self.left_origin})"
        right = f"{flow(self.right)} ({self.right_origin})"
        if self.kind == "changed":
            return f"~ {self.path}: {left} -> {right}"
        return f"+ {self.path}: {right}" if self.kind == "added" else f"- {self.path}: {left}"


def diff(left: LoadedRecipe, right: LoadedRecipe) -> list[RecipeChange]:
    """Values that differ, defaults included, in the order of the left recipe."""
    first, second = _values(left), _values(right)
    changes = []
    for path in dict.fromkeys([*first, *second]):
        before, after = left.origins.get(path, DEFAULT), right.origins.get(path, DEFAULT)
        if path not in second:
            changes.append(RecipeChange(path, "removed", left=first[path], left_origin=before))
        elif path not in first:
            changes.append(RecipeChange(path, "added", right=second[path], right_origin=after))
        elif flow(first[path]) != flow(second[path]):
            changes.append(RecipeChange(path, "changed", first[path], second[path], before, after))
    return changes


def _values(loaded: LoadedRecipe) -> dict[str, Any]:
    """Key path -> value; a list of plain values is one value, as a person sees it."""
    rows: dict[str, Any] = {}
    for path, value in leaves(loaded.resolved):
        while path and isinstance(path[-1], int) and _is_plain_list(loaded.resolved, path[:-1]):
            path = path[:-1]
            value = _at(loaded.resolved, path)
        rows[join_path(path)] = value
    return rows


def _at(data: Any, path: Sequence[str | int]) -> Any:
    for part in path:
        data = data[part]
    return data


def _is_plain_list(data: Any, path: Sequence[str | int]) -> bool:
    found = _at(data, path)
    return isinstance(found, list) and not any(isinstance(item, Mapping) for item in found)


def diff_with_base(recipe: Given, overrides: Mapping[str, Any] | Sequence[str] = ()) -> list[RecipeChange]:
    """What a recipe changes in the one that it extends.

    Raises:
        RecipeError: It extends none; or one of both is not valid.
    """
    loaded = load(recipe, overrides)
    if loaded.base is None:
        raise RecipeError("this recipe extends no other", where=loaded.source, fix="give two recipes")
    return diff(load(loaded.base), loaded)
