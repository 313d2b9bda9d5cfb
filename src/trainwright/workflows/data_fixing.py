"""Mends what is read of data, by a file of fixes that a recipe names. Originals are never touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainwright import recipe as recipes
from trainwright.data.fixes import Fix, fixes_of, write_fixes
from trainwright.recipe.writing import emit_unexpanded
from trainwright.runs.atomic import make_directory, write_text
from trainwright.workflows.describing import Given, describe
from trainwright.workflows.gate import CheckedData, check_data

_ROUNDS = 5  # mending can bring up what was hidden behind it


@dataclass(frozen=True)
class FixedData:
    """What was mended.

    Attributes:
        fixes: The file of fixes, None where nothing could be mended.
        recipe: A recipe that reads it.
        counts: Per action how many samples, records or objects it is for, each counted once.
        checked: What is still to be said after mending.
    """

    fixes: Path | None
    recipe: Path | None
    counts: dict[str, int]
    checked: CheckedData


def fix_data(given: Given, overrides: Mapping[str, Any] | Sequence[str], output: Path) -> FixedData:
    """Checks, writes the fixes, and checks again until nothing is left that can be mended.

    Args:
        given: A recipe, or a path of data that nobody has described.
        overrides: Of the recipe.
        output: Folder for `fixes.jsonl` and `recipe.yaml`; made when it is missing.

    Raises:
        UserError: There is neither a recipe nor data of a known kind.
        StorageError: A file cannot be written.
    """
    described = describe(given)
    loaded = recipes.load(described.recipe, overrides)
    before = loaded.recipe.data.fixes
    fixes: dict[Fix, None] = dict.fromkeys(fixes_of(before) if before else ())
    known = len(fixes)
    path = output / "fixes.jsonl"
    changes = dict(overrides) if isinstance(overrides, Mapping) else list(overrides)
    checked = check_data(given, overrides)
    for _ in range(_ROUNDS):
        new = [fix for fix in checked.findings.fixes if fix not in fixes]
        if not new:
            break
        fixes |= dict.fromkeys(new)
        make_directory(output)
        write_fixes(path, fixes)
        checked = check_data(given, _with_fixes(changes, path))
    if len(fixes) == known:
        return FixedData(None, None, {}, checked)
    recipe = output / "recipe.yaml"
    write_text(recipe, _recipe_text(described.recipe, loaded, path))
    return FixedData(path, recipe, _counts(list(fixes)[:known], list(fixes)[known:]), checked)


def _counts(before: Sequence[Fix], new: Sequence[Fix]) -> dict[str, int]:
    """How much each action is for, without what earlier fixes are for: a sample may have several reasons."""
    earlier = {part for fix in before for part in _parts(fix)}
    parts = {part for fix in new for part in _parts(fix)} - earlier
    counts = Counter(action for action, *_ in parts)
    return {action: counts[action] for action in dict.fromkeys(fix.action for fix in new) if counts[action]}


def _parts(fix: Fix) -> list[tuple[str, str, str | int]]:
    """What a fix is for: a sample, a record with its fault, or objects."""
    if fix.action == "ignore_record":
        return [(fix.action, fix.sample, fix.reason)]
    return [(fix.action, fix.sample, place) for place in fix.objects or (-1,)]


def _with_fixes(changes: dict[str, Any] | list[str], path: Path) -> dict[str, Any] | list[str]:
    if isinstance(changes, dict):
        return changes | {"data.fixes": str(path)}
    return [*changes, f"data.fixes={path}"]


def _recipe_text(given: Given, loaded: recipes.LoadedRecipe, path: Path) -> str:
    """A recipe on top of the given one, where one can stand on top of it; else the whole of it."""
    if isinstance(given, str | Path) and loaded.base is None and not loaded.overrides:
        name = str(Path(given).resolve()) if Path(str(given)).exists() else str(given)
        plain: dict[str, Any] = {"extends": name, "data": {"fixes": str(path.resolve())}}
    else:
        plain = {**loaded.resolved, "data": {**loaded.resolved["data"], "fixes": str(path.resolve())}}
    return f"# trainwright data check {path.parent / 'recipe.yaml'}\n" + emit_unexpanded(plain)
