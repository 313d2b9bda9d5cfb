"""The recipe that a stage names: read with the stage's overrides, checked, and what of it makes a result."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trainwright import recipe as recipes
from trainwright import registry
from trainwright.data.fingerprint import digest_files
from trainwright.errors import ErrorList, RecipeError, TrainwrightError
from trainwright.locations import cache_dir
from trainwright.recipe.nodes import join_path, leaves, split_path
from trainwright.recipe.places import PLACES, find_place
from trainwright.recipe.salt import NOT_PART, salt_fields, weights_digest
from trainwright.recipe.user_sources import user_source_digests
from trainwright.workflows.pipeline.content import place_digest

_TOKEN = re.compile(r"stage:(?:[0-9a-f]+|\?)")


@dataclass(frozen=True)
class StageRecipe:
    """What a recipe adds to the identity of its stage.

    Attributes:
        fields: What it says, as far as it makes a difference.
        versions: Of its components.
        content: Digests of what it reads: `data`, `weights`, `fixes`.
        code: Module of the user -> digest.
        waits: Some of what it reads is made by an earlier stage.
        notices: What a person should know of it.
    """

    fields: dict[str, Any]
    versions: dict[str, Any] = field(default_factory=dict)
    content: dict[str, str] = field(default_factory=dict)
    code: dict[str, str] = field(default_factory=dict)
    waits: bool = False
    notices: tuple[str, ...] = ()


def find_recipe(given: str | Mapping[str, Any], folder: Path) -> str | Mapping[str, Any]:
    """A recipe as it can be loaded from anywhere: a file's absolute path, a shipped name, or a mapping."""
    if isinstance(given, str) and not re.fullmatch(r"[\w-]+", given):
        return find_place(given, folder) or given
    return given


def has_token(value: Any) -> bool:
    """Whether a value holds what stands for a stage's output."""
    return any(isinstance(leaf, str) and _TOKEN.search(leaf) for _, leaf in leaves(value))


def read_recipe(given: str | Mapping[str, Any], overrides: Mapping[str, Any], *, tuned: bool) -> StageRecipe:
    """Reads a recipe in whose values tokens stand for outputs of stages.

    Args:
        given: As from `find_recipe`.
        overrides: Key path -> value.
        tuned: Its `tune` section is part of what the stage does.

    Raises:
        RecipeError, ErrorList: It is wrong, or reads what is not there.
    """
    if has_token(given) and isinstance(given, str):
        return StageRecipe({"from": given, "overrides": _that_count(overrides)}, waits=True)
    loaded = recipes.load(given, overrides)
    with recipes.located(loaded):
        return _read(loaded, given, overrides, tuned=tuned)


def _read(
    loaded: recipes.LoadedRecipe, given: Any, overrides: Mapping[str, Any], *, tuned: bool
) -> StageRecipe:
    recipe = loaded.recipe
    tokens = {join_path(path): leaf for path, leaf in leaves(loaded.resolved) if has_token(leaf)}
    content = dict(tokens)
    waits = bool(tokens)
    _refuse_missing(loaded, tokens)
    if recipe.data.fixes is not None and not has_token(recipe.data.fixes):
        content["fixes"] = place_digest(Path(recipe.data.fixes))
    if recipe.init is not None and not has_token(recipe.init.path):
        content["weights"] = weights_digest(recipe.init.path)
    if not has_token(recipe.data.source):
        content |= _data(recipe)
    parts = salt_fields(recipe)
    fields = parts["recipe"]
    if tuned and recipe.tune is not None:
        fields["tune"] = recipe.tune.model_dump(exclude={"trials", "time"})
    code = user_source_digests(recipe.model_copy(update={"tune": None}))
    return StageRecipe(fields, parts["versions"], content, code, waits, tuple(loaded.notices))


def _refuse_missing(loaded: recipes.LoadedRecipe, tokens: Mapping[str, str]) -> None:
    missing = [path for path in loaded.missing if path not in tokens]
    if missing:
        raise RecipeError(
            "there is nothing at this place",
            where=missing[0],
            why=loaded.missing[missing[0]],
            fix="correct the path, or name the stage that makes it: ${stages.NAME}",
        )


def _data(recipe: recipes.Recipe) -> dict[str, str]:
    """Digest of the files that the recipe's source reads; empty for a source that needs none."""
    spec = recipe.data.source
    info = registry.describe("source", spec["name"])
    places = [p.name for p in info.parameters if p.location or p.name in PLACES]
    if not any(spec.get(name) for name in places):
        return {}
    source = registry.build("source", spec, where="data.source")
    files = source.files()
    return {"data": digest_files(files, cache_dir())} if files else {}


def _that_count(overrides: Mapping[str, Any]) -> dict[str, Any]:
    """Overrides without those that change nothing about a result; of places the content."""
    found: dict[str, Any] = {}
    for key, value in overrides.items():
        parts = split_path(key)
        if any(parts[: len(path)] == path for path in NOT_PART):
            continue
        is_place = parts[:2] == ("data", "source") and parts[-1] in PLACES and isinstance(value, str)
        place = find_place(value, None) if is_place and not has_token(value) else None
        found[key] = value if place is None else place_digest(Path(place))
    return found


def within(error: TrainwrightError, where: str) -> TrainwrightError:
    """An error of a recipe as one at the place of a pipeline's file that names the recipe."""
    for each in error.errors if isinstance(error, ErrorList) else [error]:
        each.where = f"{where}: {each.where}".removesuffix(": ")
    return error
