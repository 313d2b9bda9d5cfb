"""Which run a recipe belongs to: a digest over what makes its result different.

Part of it: every value as asked (`auto` stays `auto`) but those listed here, versions of the
components, digests of the content that is loaded and of the user's code. Not part of it: names,
places on this machine, and what only changes how fast or how loudly the same result is reached.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainwright.errors import RecipeError, closest_sibling
from trainwright.recipe.components import used_components
from trainwright.recipe.loading import LoadedRecipe
from trainwright.recipe.nodes import join_path, leaves
from trainwright.recipe.places import PLACES
from trainwright.recipe.schema import Recipe
from trainwright.recipe.user_sources import user_source_digests

NOT_PART: tuple[tuple[str, ...], ...] = (
    ("name",),
    ("description",),
    ("aliases",),
    ("plugins",),  # their source digests are
    ("code",),
    ("report",),
    ("data", "cache"),
    ("data", "fixes"),  # the fingerprint says what they are
    ("data", "gate"),
    ("data", "workers"),
    ("init", "path"),  # the digest of the weights is
    ("train", "checkpoint", "every_steps"),
    ("train", "checkpoint", "every_minutes"),
    ("train", "device"),
    ("train", "log_every"),
    ("train", "memory_check"),
    ("train", "sample_losses"),
    ("train", "sinks"),
    ("train", "threads"),
    ("train", "wait_minutes"),
    ("tune",),
)
"""Key paths that change nothing about the result."""


@dataclass(frozen=True)
class Identity:
    """What a run is recognised by.

    Attributes:
        salt: First ten hex digits of `digest`, part of the run's name.
        digest: SHA-256 of `parts`.
        parts: `recipe`, `versions` and `content`, kept to say why another run is not the same.
    """

    salt: str
    digest: str
    parts: dict[str, Any]


def salt_fields(recipe: Recipe, content: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Everything that makes the result of a run different. A pure function of its arguments.

    Args:
        recipe: A valid recipe.
        content: Digests of what is loaded: `data`, `weights`, `code`, `parent` ...

    Returns:
        Plain data, ready for JSON.
    """
    recipe = _of_result(recipe)
    fields = copy.deepcopy(recipe.model_dump())
    for path in NOT_PART:
        _remove(fields, path)
    _remove(fields, ("train", "health"))
    if acting := recipe.train.health.of_result:
        fields["train"]["health"] = acting
        if recipe.train.health.rolls_back:  # to where a checkpoint is
            acting["every_steps"] = recipe.train.checkpoint.every_steps
    versions: dict[str, dict[str, int]] = {}
    for item in used_components(recipe):
        versions.setdefault(item.info.kind, {})[item.info.name] = item.info.version
        for parameter in item.info.parameters:
            if parameter.location or (item.info.kind == "source" and parameter.name in PLACES):
                _remove(fields, (*item.path, parameter.name))
    return {
        "recipe": fields,
        "versions": versions,
        "content": {key: value for key, value in (content or {}).items() if value},
    }


def _of_result(recipe: Recipe) -> Recipe:
    """The recipe without components that are no part of a run, or change nothing about its result."""
    train = recipe.train.model_copy(update={"sinks": []})
    return recipe.model_copy(update={"tune": None, "train": train})


def _remove(fields: Any, path: tuple[str | int, ...]) -> None:
    for part in path[:-1]:
        fields = fields.get(part) if isinstance(fields, dict) else fields[part]
        if fields is None:
            return
    fields.pop(path[-1], None)


def digest(fields: Mapping[str, Any]) -> str:
    """SHA-256 of plain data, the same for equal data whatever the order of its keys."""
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def identity(loaded: LoadedRecipe, data: str = "", **content: str) -> Identity:
    """The identity of the run that a recipe asks for; reads initial weights and user code.

    Args:
        loaded: The recipe.
        data: Fingerprint of the data.
        **content: Further digests, such as `parent` for a checkpoint that is gone on from.

    Raises:
        RecipeError: The initial weights cannot be read.
    """
    found: dict[str, Any] = {"data": data, **content}
    found["code"] = user_source_digests(_of_result(loaded.recipe))
    if loaded.recipe.init is not None:
        found["weights"] = weights_digest(loaded.recipe.init.path)
    parts = salt_fields(loaded.recipe, found)
    whole = digest(parts)
    return Identity(whole[:10], whole, parts)


def weights_digest(path: str) -> str:
    """SHA-256 of a weights file, or of the best weights in a run directory. Raises RecipeError."""
    file = Path(path).expanduser()
    file = file / "weights" / "best.safetensors" if file.is_dir() else file
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        guess = closest_sibling(file)
        fix = f"did you mean {guess}?" if guess else "give the path of a weights file, or of a run directory"
        what = f"{file} cannot be read: {error.strerror}"
        raise RecipeError(what, where="init.path", fix=fix) from error


@dataclass(frozen=True)
class Difference:
    """One field in which two identities differ; None where a side has no such field."""

    field: str
    left: Any
    right: Any

    def __str__(self) -> str:
        return f"{self.field}: {_short(self.left)} -> {_short(self.right)}"


def _short(value: Any) -> str:
    is_digest = isinstance(value, str) and len(value) == 64
    return f"{value[:10]}..." if is_digest else "nothing" if value is None else str(value)


def explain_difference(left: Mapping[str, Any], right: Mapping[str, Any]) -> list[Difference]:
    """Why two runs are not the same: the fields of two `Identity.parts` that differ."""
    first, second = dict(leaves(dict(left))), dict(leaves(dict(right)))
    return [
        Difference(join_path(path), first.get(path), second.get(path))
        for path in dict.fromkeys([*first, *second])
        if path not in first or path not in second or not _same(first[path], second[path])
    ]


def _same(left: Any, right: Any) -> bool:
    return json.dumps(left) == json.dumps(right)
