"""Relative places in a recipe: looked for from where the user is, then beside the recipe's file.

What is found is written down as an absolute path, so that a run can be used from anywhere. Where it lies
is no part of a run's identity, so the salt is the same for both spellings.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from trainwright.recipe.components import used_components
from trainwright.recipe.nodes import DEFAULT, KeyPath, Node, from_plain, join_path
from trainwright.recipe.schema import Recipe
from trainwright.recipe.user_sources import user_roots

PLACES = frozenset({"root", "path", "paths", "directory", "folder", "file", "files", "image_root"})
"""Parameters of a source that say where it lies; the data's fingerprint says what lies there."""

INIT: KeyPath = ("init", "path")
_OF_THE_RECIPE: tuple[KeyPath, ...] = (("data", "fixes"), INIT)
_CODE = "code"


def settle(tree: Node, recipe: Recipe, folder: Path | None) -> tuple[bool, dict[str, str]]:
    """Writes places that are found, and the folders of the user's code, into a recipe's nodes.

    Args:
        tree: The nodes of a valid recipe; changed.
        recipe: What they say.
        folder: Of the recipe's file, None where it has none.

    Returns:
        Whether anything was changed; and for each place that is not found, by key path, where it was
        looked for, in words.
    """
    changed = False
    missing: dict[str, str] = {}
    for path in _places(recipe):
        node = tree.find(path)
        for key, item in _texts(node, path):
            found = find_place(str(item.value), folder)
            if found is None and path == INIT:
                found = _run_of_id(str(item.value))
            if found is None:
                missing[join_path(key)] = _looked_for(str(item.value), folder)
            elif found != item.value:
                item.value, changed = found, True
    code = user_roots(recipe)
    if code and code != recipe.code and isinstance(tree.value, dict):
        tree.value[_CODE] = from_plain(code, DEFAULT)
        changed = True
    return changed, missing


def find_place(text: str, folder: Path | None) -> str | None:
    """The absolute path of a place: from the current directory, else from `folder`; None where neither is."""
    places = [Path(text).expanduser().absolute(), *([folder / text] if folder is not None else [])]
    return next((str(place) for place in places if place.exists()), None)


def _run_of_id(text: str) -> str | None:
    """The absolute path of a run that is named by its id, where one with weights lies among the runs."""
    run = Path(os.environ.get("TRAINWRIGHT_RUNS", "runs")) / text
    return str(run.absolute()) if text == run.name and (run / "weights").is_dir() else None


def _looked_for(text: str, folder: Path | None) -> str:
    here = Path(text).expanduser().absolute()
    beside = None if folder is None else folder / text
    return f"looked for {here}" + (f" and for {beside}" if beside not in (None, here) else "")


def _places(recipe: Recipe) -> Iterator[KeyPath]:
    for item in used_components(recipe):
        for parameter in item.info.parameters:
            if parameter.location or (item.info.kind == "source" and parameter.name in PLACES):
                yield (*item.path, parameter.name)
    yield from _OF_THE_RECIPE


def _texts(node: Node | None, path: KeyPath) -> Iterator[tuple[KeyPath, Node]]:
    """The texts of a place: itself, or those of a mapping such as split -> place."""
    if node is None:
        return
    if isinstance(node.value, str):
        yield path, node
    elif isinstance(node.value, dict):
        for key, item in node.value.items():
            yield from _texts(item, (*path, key))
